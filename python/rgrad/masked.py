"""Reductions and normalizations of the elements that a mask chooses, under the names of `torch.masked`.

A mask is a bool tensor that broadcasts to the input, true for what counts; without one all elements count. What is
masked out is replaced by what changes nothing: 0 in a sum, the lowest number in a maximum.
"""

from __future__ import annotations

import math

import rgrad
from rgrad import _rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]


def _limit(dtype: Any, sign: int) -> float:
    """The largest number of a dtype, or with a negative sign the lowest.

    Raises:
        NotImplementedError: the dtype is bool.
    """
    if dtype == rgrad.bool:
        raise NotImplementedError("no bool stands for what is masked out among elements that are compared")
    if dtype.is_floating_point or dtype.is_complex:
        return math.copysign(math.inf, sign)
    return rgrad.iinfo(dtype).max if sign > 0 else rgrad.iinfo(dtype).min


def _filled(input: Tensor, mask: Tensor | None, value: Any) -> Tensor:
    """The input with a value in the place of what is masked out."""
    if mask is None:
        return input
    if mask.dtype != rgrad.bool:
        raise TypeError(f"a mask is a bool tensor, got {mask.dtype}")
    return _rgrad.where(mask, input, _rgrad.full((), value, dtype=input.dtype))


def _without(input: Tensor, mask: Tensor | None, sign: int) -> Tensor:
    """The input with the largest number in the place of what is masked out, or with a negative sign the lowest."""
    return input if mask is None else _filled(input, mask, _limit(input.dtype, sign))


def _chosen(input: Tensor, mask: Tensor | None) -> Tensor:
    """The mask in the size of the input."""
    return _rgrad.ones_like(input, dtype=rgrad.bool) if mask is None else mask.expand_as(input)


def _dims(input: Tensor, dim: Any) -> tuple[int, ...]:
    """The dimensions to reduce: those given, or all."""
    dims = tuple(range(input.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    places = [d % input.dim() if -input.dim() <= d < input.dim() else d for d in dims]
    if len(set(places)) < len(places):
        raise RuntimeError(f"dimensions {dims} are not different")
    return dims


def _summed(dtype: Any) -> Any:
    """What sums and products of a dtype are computed in."""
    return dtype if dtype.is_floating_point or dtype.is_complex else rgrad.int64


def _converted(input: Tensor, dtype: Any, own: Any = None) -> Tensor:
    return input.to(dtype or own or input.dtype)


def _floating(input: Tensor) -> Any:
    kept = input.is_floating_point() or input.is_complex()
    return input.dtype if kept else rgrad.get_default_dtype()


def sum(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The sum of the chosen elements over dimensions, by default over all; 0 where none is chosen."""
    input = _converted(input, dtype, _summed(input.dtype))
    return _rgrad.sum(_filled(input, mask, 0), _dims(input, dim), keepdim)


def prod(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The product of the chosen elements over dimensions, by default over all; 1 where none is chosen."""
    result = _filled(_converted(input, dtype, _summed(input.dtype)), mask, 1)
    for d in sorted((d % max(input.dim(), 1) for d in _dims(input, dim)), reverse=True):
        result = _rgrad.prod(result, d, keepdim)
    return result


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The sums of the chosen elements up to each one along a dimension."""
    input = _converted(input, dtype)
    return _rgrad.cumsum(_filled(input, mask, 0), dim, dtype=input.dtype)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The products of the chosen elements up to each one along a dimension."""
    input = _converted(input, dtype)
    return _rgrad.cumprod(_filled(input, mask, 1), dim, dtype=input.dtype)


def amax(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The largest chosen element over dimensions, by default over all; the lowest number where none is chosen."""
    input = _converted(input, dtype)
    return _rgrad.amax(_without(input, mask, -1), _dims(input, dim), keepdim)


def amin(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The smallest chosen element over dimensions, by default over all; the largest number where none is chosen."""
    input = _converted(input, dtype)
    return _rgrad.amin(_without(input, mask, 1), _dims(input, dim), keepdim)


def argmax(
    input: Tensor, dim: int | None = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The place of the largest chosen element along a dimension, or among all elements, in the dtype of the input."""
    input = _converted(input, dtype)
    return _rgrad.argmax(_without(input, mask, -1), dim, bool(keepdim)).to(input.dtype)


def argmin(
    input: Tensor, dim: int | None = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The place of the smallest chosen element along a dimension, or among all elements, in the dtype of the input."""
    input = _converted(input, dtype)
    return _rgrad.argmin(_without(input, mask, 1), dim, bool(keepdim)).to(input.dtype)


def mean(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The mean of the chosen elements over dimensions, by default over all; NaN where none is chosen.

    Raises:
        ValueError: the elements are integers, and no `dtype` is given.
    """
    input = _converted(input, dtype)
    if not (input.is_floating_point() or input.is_complex()):
        raise ValueError(f"mean: elements of {input.dtype} have no mean of their dtype; pass dtype=")
    dims = _dims(input, dim)
    if mask is None:
        return _rgrad.mean(input, dims, keepdim)
    count = sum(_chosen(input, mask), dims, keepdim=keepdim)
    return sum(input, dims, keepdim=keepdim, mask=mask) / count


def median(
    input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The median of the chosen elements along a dimension, the lower one of two; NaN where none is chosen.

    Integers are compared as floats.

    Raises:
        ValueError: of integers, none is chosen.
    """
    input = _converted(input, dtype)
    values = input if input.is_floating_point() else input.to(rgrad.float32)
    if mask is None:
        return _rgrad.median(values, dim, keepdim)[0].to(input.dtype)
    if values is not input and not bool(mask.expand_as(input).any(dim).all()):
        raise ValueError(f"median: of some elements of {input.dtype} none is chosen, and there is no NaN for that")
    result = _rgrad.nanmedian(_filled(values, mask, math.nan), dim, keepdim)[0]
    broken = (_chosen(input, mask) & values.isnan()).any(dim, keepdim)
    return _rgrad.where(broken, _rgrad.full((), math.nan, dtype=values.dtype), result).to(input.dtype)


def logsumexp(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The logarithm of the sum of the exponentials of the chosen elements; -inf where none is chosen."""
    input = _converted(input, dtype)
    return _rgrad.logsumexp(_without(input, mask, -1), _dims(input, dim), keepdim).to(input.dtype)


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Any = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """The logarithm of the sum of the exponentials of two tensors, either with a mask of its own."""
    first, second = _converted(input, dtype), _converted(other, dtype)
    if not first.is_floating_point():
        raise NotImplementedError(f"logaddexp: not implemented for {first.dtype}")
    return _rgrad.logaddexp(_filled(first, input_mask, -math.inf), _filled(second, other_mask, -math.inf))


def norm(
    input: Tensor,
    ord: float = 2.0,
    dim: Any = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The norm of order `ord` of the chosen elements over dimensions, by default over all."""
    input = _converted(input, dtype)
    fill = math.inf if ord < 0 else 0
    return rgrad.linalg.vector_norm(_filled(input, mask, fill), ord, _dims(input, dim), keepdim)


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The chosen elements divided by their norm along a dimension, or by `eps` if that is larger."""
    input = _converted(input, dtype)
    length = norm(input, ord, dim, keepdim=True, mask=mask)
    return _filled(input, mask, 0) / length.maximum(_rgrad.full_like(length, eps))


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """`softmax` of the chosen elements, with 0 for the others; NaN where none is chosen."""
    input = _converted(input, dtype)
    return rgrad.nn.functional.softmax(_without(input, mask, -1), dim)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """`log_softmax` of the chosen elements, with -inf for the others; NaN where none is chosen."""
    input = _converted(input, dtype)
    return rgrad.nn.functional.log_softmax(_without(input, mask, -1), dim)


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """`softmin` of the chosen elements, with 0 for the others; NaN where none is chosen."""
    input = _converted(input, dtype)
    return rgrad.nn.functional.softmin(_without(input, mask, 1), dim)


def _spread(
    root: bool, input: Tensor, dim: Any, unbiased: bool | None, correction: Any, keepdim: bool, dtype: Any, mask: Any
) -> Tensor:
    if unbiased is not None and correction is not None:
        raise RuntimeError("var(): unbiased and correction exclude each other")
    if input.dtype == rgrad.bool:
        raise RuntimeError("var(): not defined for bools")
    taken = correction if correction is not None else 1 if unbiased is None or unbiased else 0
    input = _converted(input, dtype, _floating(input))
    dims = _dims(input, dim)
    count = sum(_chosen(input, mask), dims, keepdim=True)
    away = input - sum(input, dims, keepdim=True, mask=mask) / count
    squares = away * away.conj()
    total = sum(squares, dims, keepdim=keepdim, mask=mask)
    if not keepdim:
        count = count.reshape(total.shape)
    result = total / (count - taken).clamp(min=0)
    return result.sqrt() if root else result


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The variance of the chosen elements over dimensions, by default over all.

    The squared differences from the mean are divided by their number less `correction`, 1 unless `unbiased` is False.
    """
    return _spread(False, input, dim, unbiased, correction, keepdim, dtype, mask)


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The square root of `var`, whose arguments it has."""
    return _spread(True, input, dim, unbiased, correction, keepdim, dtype, mask)
