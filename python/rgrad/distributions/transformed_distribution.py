"""Samples of a distribution after transforms."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.independent import Independent
from rgrad.distributions.transforms import ComposeTransform, Transform
from rgrad.distributions.utils import _sum_rightmost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """What transforms make of samples of `base_distribution`.

    Args:
        base_distribution: the distribution.
        transforms: a transform, or a list of them, applied one after the other.
        validate_args: see `Distribution`.

    Raises:
        ValueError: something else is given, or a sample has fewer dimensions than the transforms need.
    """

    arg_constraints: Any = {}

    def __init__(self, base_distribution: Any, transforms: Any, validate_args: bool | None = None) -> None:
        self.transforms: list[Transform] = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(transform, Transform) for transform in self.transforms):
            raise ValueError(f"TransformedDistribution: a Transform or a list of them is expected, got {transforms!r}")
        transform = ComposeTransform(self.transforms)
        shape = base_distribution.batch_shape + base_distribution.event_shape
        if len(shape) < transform.domain.event_dim:
            raise ValueError(
                f"TransformedDistribution: samples of {len(shape)} dimensions, but {transform.domain.event_dim} needed"
            )
        forward = transform.forward_shape(shape)
        base = base_distribution.expand(
            transform.inverse_shape(forward)[: len(shape) - len(base_distribution.event_shape)]
        )
        more = transform.domain.event_dim - len(base.event_shape)
        self.base_dist: Any = Independent(base, more) if more > 0 else base
        change = transform.codomain.event_dim - transform.domain.event_dim
        events = max(transform.codomain.event_dim, len(base_distribution.event_shape) + change)
        cut = len(forward) - events
        super().__init__(forward[:cut], forward[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        shape = rgrad.Size(batch_shape)
        transform = ComposeTransform(self.transforms)
        whole = transform.inverse_shape(shape + self.event_shape)
        base = self.base_dist.expand(whole[: len(whole) - len(self.base_dist.event_shape)])
        return self._expanded(_instance, shape, base_dist=base, transforms=self.transforms)

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        more = len(self.event_shape) - support.event_dim
        return constraints.independent(support, more) if more > 0 else support

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return bool(self.base_dist.has_rsample)

    def _transformed(self, value: Any) -> Tensor:
        for transform in self.transforms:
            value = transform(value)
        return value  # type: ignore[no-any-return]

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        with rgrad.no_grad():
            return self._transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        return self._transformed(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        events = len(self.event_shape)
        result: Any = 0.0
        for transform in reversed(self.transforms):
            before = transform.inv(value)
            events += transform.domain.event_dim - transform.codomain.event_dim
            volume = transform.log_abs_det_jacobian(before, value)
            result = result - _sum_rightmost(volume, events - transform.domain.event_dim)
            value = before
        return result + _sum_rightmost(  # type: ignore[no-any-return]
            self.base_dist.log_prob(value), events - len(self.base_dist.event_shape)
        )

    def _sign(self) -> int:
        sign = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return sign

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._mirrored(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._transformed(self.base_dist.icdf(self._mirrored(value)))

    def _mirrored(self, part: Tensor) -> Tensor:
        """A probability, or its complement where the transforms turn the order of values."""
        sign = self._sign()
        if isinstance(sign, int) and sign == 1:
            return part
        return sign * (part - 0.5) + 0.5
