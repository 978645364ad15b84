"""Entries of a batch as one sample."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import _sum_rightmost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Independent"]


class Independent(Distribution):
    """The last dimensions of the batch of `base_distribution` as part of a sample.

    Raises:
        ValueError: the batch has not so many dimensions.
    """

    arg_constraints: Any = {}

    def __init__(
        self, base_distribution: Any, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ) -> None:
        count = reinterpreted_batch_ndims
        if count > len(base_distribution.batch_shape):
            raise ValueError(
                f"Independent: the batch has {len(base_distribution.batch_shape)} dimensions, not at least {count}"
            )
        shape = base_distribution.batch_shape + base_distribution.event_shape
        events = count + len(base_distribution.event_shape)
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = count
        super().__init__(shape[: len(shape) - events], shape[len(shape) - events :], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        shape = rgrad.Size(batch_shape)
        base = self.base_dist.expand(shape + self.event_shape[: self.reinterpreted_batch_ndims])
        return self._expanded(
            _instance, shape, base_dist=base, reinterpreted_batch_ndims=self.reinterpreted_batch_ndims
        )

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return bool(self.base_dist.has_rsample)

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        return self.reinterpreted_batch_ndims == 0 and bool(self.base_dist.has_enumerate_support)

    @constraints.dependent_property
    def support(self) -> Any:
        base = self.base_dist.support
        return constraints.independent(base, self.reinterpreted_batch_ndims) if self.reinterpreted_batch_ndims else base

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean  # type: ignore[no-any-return]

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode  # type: ignore[no-any-return]

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance  # type: ignore[no-any-return]

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        return self.base_dist.sample(sample_shape)  # type: ignore[no-any-return]

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        return self.base_dist.rsample(sample_shape)  # type: ignore[no-any-return]

    def log_prob(self, value: Tensor) -> Tensor:
        return _sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return _sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims > 0:
            raise NotImplementedError("Independent: the samples of several entries are not enumerated")
        return self.base_dist.enumerate_support(expand)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"
