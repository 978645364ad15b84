"""Checking the options that optimizers have in common."""

from __future__ import annotations

from rgrad._rgrad import Tensor

__all__ = ["check_flags", "check_lr", "check_not_negative"]


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
