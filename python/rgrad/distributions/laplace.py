"""The Laplace distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import Centred, broadcast_all, epsilon

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Laplace"]


class Laplace(Centred, Distribution):
    """Laplace distributions with means `loc` and mean deviations `scale`."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expand_parameters(_instance, batch_shape, "loc", "scale")

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        return 2**0.5 * self.scale

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        uniform = rgrad.empty(shape, dtype=self.loc.dtype).uniform_(epsilon(self.loc.dtype) - 1, 1)
        return self.loc - self.scale * uniform.sign() * (-uniform.abs()).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        difference = value - self.loc
        return 0.5 - 0.5 * difference.sign() * (-difference.abs() / self.scale).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        term = value - 0.5
        return self.loc - self.scale * term.sign() * (-2 * term.abs()).log1p()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()
