"""Checking the options that optimizers have in common."""

from __future__ import annotations

from rgrad._rgrad import Tensor

__all__ = ["check_betas", "check_flags", "check_lr", "check_not_negative"]


def check_lr(lr: float | Tensor) -> None:
    """Raise `ValueError` for a learning rate that is negative or has several elements."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"a learning rate has one element, not {lr.numel()}")
    check_not_negative("lr", lr)


def check_not_negative(option: str, value: float | Tensor) -> None:
    """Raise `ValueError` unless `value`, that of `option`, is at least zero."""
    if not value >= 0:
        raise ValueError(f"{option} must not be negative: {value}")


def check_flags(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Raise `RuntimeError` for ways of taking a step that exclude each other."""
    if fused and differentiable:
        raise RuntimeError("a fused step cannot be differentiable")
    if fused and foreach:
        raise RuntimeError("a step is either fused or foreach, not both")


def check_betas(betas: tuple[float | Tensor, float | Tensor]) -> None:
    """Raise `ValueError` unless both are at least 0 and below 1, and both numbers or both tensors of one element."""
    for beta in betas:
        if not 0 <= beta < 1:
            raise ValueError(f"a beta must be at least 0 and below 1: {beta}")
        if isinstance(beta, Tensor) and beta.numel() != 1:
            raise ValueError(f"a beta has one element, not {beta.numel()}")
    if isinstance(betas[0], Tensor) is not isinstance(betas[1], Tensor):
        raise ValueError("the betas must be both numbers or both tensors")
