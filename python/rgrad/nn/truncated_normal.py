"""Drawing from a normal distribution restricted to an interval, by rejection."""

from __future__ import annotations

import math

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad._rgrad import Generator, Tensor

__all__ = ["fill_with_truncated_normal"]

#: Normal draws are used if at least this part of them is expected to lie in the interval.
_WORTHWHILE = 0.3


def fill_with_truncated_normal(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None
) -> Tensor:
    """Set each entry to a normal draw between `a` and `b`."""
    lowest, highest = (a - mean) / std, (b - mean) / std
    if _below(highest) - _below(lowest) > _WORTHWHILE:
        return _from_normal(tensor, mean, std, a, b, generator)
    peak = min(max(lowest, 0.0), highest)
    return _from_uniform(tensor, mean, std, a, b, -0.5 * peak**2, generator)


def _below(deviations: float) -> float:
    """The probability of a normal draw no more than so many deviations above the mean."""
    return (1.0 + math.erf(deviations / math.sqrt(2.0))) / 2.0


def _from_normal(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None) -> Tensor:
    """Draw normally, and again wherever the draw lies outside the interval."""
    # Rounded as the draws are, lest an entry equal to the rounded bound count as outside.
    low = rgrad.tensor(a, dtype=tensor.dtype).item()
    high = rgrad.tensor(b, dtype=tensor.dtype).item()
    values = tensor.normal_(mean, std, generator=generator)
    outside = (values < low) | (values > high)
    while outside.any():
        again = rgrad.empty_like(tensor).normal_(mean, std, generator=generator)
        values = rgrad.where(outside, again, values)
        outside = (values < low) | (values > high)
    return tensor.copy_(values)


def _from_uniform(
    tensor: Tensor,
    mean: float,
    std: float,
    a: float,
    b: float,
    log_peak: float,
    generator: Generator | None,
) -> Tensor:
    """Draw uniformly, and again with the probability by which the density is below its peak."""
    values = rgrad.empty_like(tensor).uniform_(a, b, generator=generator)
    log_density = _log_density(values, mean, std, log_peak)
    rejected = rgrad.empty_like(tensor).uniform_(generator=generator).log_() > log_density
    while rejected.any():
        again = rgrad.empty_like(tensor).uniform_(a, b, generator=generator)
        values = rgrad.where(rejected, again, values)
        log_density = _log_density(again, mean, std, log_peak)
        too_low = rgrad.empty_like(tensor).uniform_(generator=generator).log_() > log_density
        rejected = rejected & too_low
    return tensor.copy_(values)


def _log_density(values: Tensor, mean: float, std: float, log_peak: float) -> Tensor:
    """The logarithm of the normal density at `values`, relative to that at its peak."""
    return values.clone().sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(log_peak)
