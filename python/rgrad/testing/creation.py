"""`make_tensor`, which makes random tensors for tests."""

from __future__ import annotations

from math import isnan, nextafter

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rgrad._rgrad import dtype as _dtype

__all__ = ["make_tensor"]

_INTEGERS = {"uint8": (0, 255), "int8": (-128, 127), "int16": (-(2**15), 2**15 - 1)}


def make_tensor(
    *shape: int | Sequence[int],
    dtype: _dtype,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of random numbers, evenly distributed.

    Args:
        shape: the sizes, one by one or as a sequence.
        dtype: the dtype.
        device: where it is; the CPU.
        low: the lowest number, by default -9, of unsigned integers and truths 0.
        high: the number below which all are, by default 9, of integers 10, of truths 2.
        requires_grad: whether its gradient is wanted.
        noncontiguous: whether its elements are to lie apart, if it has more than one.
        exclude_zero: whether zeros are replaced by the smallest positive number.
        memory_format: accepted if `noncontiguous` is not given.

    Raises:
        ValueError: `low` or `high` is NaN, `low` is not below `high`, gradients are wanted of integers, or
            `noncontiguous` is given together with `memory_format`.
        TypeError: there is no such dtype.
    """
    if memory_format is not None and noncontiguous:
        raise ValueError("make_tensor(): either noncontiguous or memory_format can be given, not both")
    sizes: Any = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    apart = noncontiguous and rgrad.Size(sizes).numel() > 1
    if apart:
        sizes = (*sizes[:-1], 2 * sizes[-1])
    if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(f"make_tensor(): a tensor of dtype {dtype} cannot require gradients")
    if dtype == rgrad.bool:
        first, last = _bounds(low, high, 0, 2, 0, 2)
        made = rgrad.randint(int(first), int(last), sizes, dtype=dtype, device=device)
    elif dtype.is_floating_point or dtype.is_complex:
        first, last = _bounds(low, high, -9, 9, -_largest(dtype), _largest(dtype))
        made = rgrad.empty(sizes, dtype=dtype, device=device)
        made.uniform_(float(first), float(last))
    else:
        least, most = _INTEGERS.get(str(dtype).rpartition(".")[2], (-(2**63), 2**63 - 1))
        first, last = _bounds(low, high, 0 if least == 0 else -9, 10, least, most)
        made = rgrad.randint(_ceiling(first), _ceiling(last), sizes, dtype=dtype, device=device)
    if apart:
        made = made[..., 1::2]
    if exclude_zero:
        tiny = _tiny(dtype) if dtype.is_floating_point or dtype.is_complex else 1
        made[made == 0] = tiny
    return made.requires_grad_(requires_grad)


def _bounds(
    low: float | None, high: float | None, least: float, most: float, lowest: float, highest: float
) -> tuple[float, float]:
    """The bounds given, or their defaults, within what a dtype has.

    Raises:
        ValueError: they are NaN, the first is not below the second, or all of them lie outside.
    """
    first, last = least if low is None else low, most if high is None else high
    if any(isinstance(bound, float) and isnan(bound) for bound in (first, last)):
        raise ValueError(f"make_tensor(): low and high must be numbers, got {low} and {high}")
    if not first < last:
        raise ValueError(f"make_tensor(): low must be below high, got {first} and {last}")
    if first > highest or last < lowest:
        raise ValueError(f"make_tensor(): numbers from {first} up to {last} do not fit the dtype")
    return max(first, lowest), min(last, highest)


def _ceiling(bound: float) -> int:
    whole = int(bound)
    return whole + 1 if bound > whole else whole


def _largest(dtype: _dtype) -> float:
    return {2: 65504.0, 4: (2 - 2.0**-23) * 2.0**127}.get(dtype.itemsize, nextafter(float("inf"), 0.0))


def _tiny(dtype: _dtype) -> float:
    return {2: 2.0**-14, 4: 2.0**-126}.get(dtype.itemsize, 2.0**-1022)
