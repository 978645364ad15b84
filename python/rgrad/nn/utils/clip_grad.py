"""Gradients kept from growing too large."""

from __future__ import annotations

import warnings

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all entries of several tensors together.

    Args:
        tensors: one tensor or an iterable of them.
        norm_type: the exponent; infinity for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or not a number is refused.
        foreach: taken for compatibility.

    Raises:
        RuntimeError: the norm is not finite although `error_if_nonfinite`.
    """
    norms = [_norm(tensor.detach(), float(norm_type)) for tensor in _listed(tensors)]
    total = _norm(rgrad.stack(norms), float(norm_type)) if norms else rgrad.tensor(0.0)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"the norm of order {norm_type} of the gradients is {total.item()}: with error_if_nonfinite=False they "
            "would be scaled nevertheless"
        )
    return total


def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Tensor, foreach: bool | None = None) -> None:
    """Scale the gradients of parameters, in place, by `max_norm / total_norm` if that is below one.

    Args:
        parameters: one tensor or an iterable of them; those without gradients are passed over.
        max_norm: the norm that is allowed.
        total_norm: the norm they have.
        foreach: taken for compatibility.
    """
    _scale(_gradients(parameters), max_norm, total_norm)


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients, in place, such that their norm together is at most `max_norm`; gives the norm they had.

    Args:
        parameters: one tensor or an iterable of them; those without gradients are passed over.
        max_norm: the norm that is allowed.
        norm_type: the exponent of the norm; infinity for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or not a number is refused.
        foreach: taken for compatibility.

    Raises:
        RuntimeError: the norm is not finite although `error_if_nonfinite`.
    """
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    _scale(gradients, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Deprecated name of `clip_grad_norm_`."""
    warnings.warn("clip_grad_norm is deprecated: write clip_grad_norm_", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Cut the entries of the gradients off at `-clip_value` and `clip_value`, in place.

    Args:
        parameters: one tensor or an iterable of them; those without gradients are passed over.
        clip_value: the largest absolute value that is allowed.
        foreach: taken for compatibility.
    """
    limit = float(clip_value)
    with rgrad.no_grad():
        for gradient in _gradients(parameters):
            gradient.clamp_(-limit, limit)


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [parameter.grad for parameter in _listed(parameters) if parameter.grad is not None]


def _scale(gradients: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    if gradients:
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        with rgrad.no_grad():
            for gradient in gradients:
                gradient.mul_(factor)


def _norm(tensor: Tensor, order: float) -> Tensor:
    """The norm of all entries."""
    if order == 2:
        entries = (rgrad.view_as_real(tensor) if tensor.is_complex() else tensor).reshape(-1)
        return entries.dot(entries).sqrt()
    sizes = tensor.abs()
    if order == float("inf"):
        return sizes.max()
    if order == float("-inf"):
        return sizes.min()
    if order == 0:
        return (sizes != 0).sum().to(sizes.dtype)
    return sizes.pow(order).sum().pow(1.0 / order)
