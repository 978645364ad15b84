"""The generalized Pareto distribution."""

from __future__ import annotations

from math import inf, nan

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """Generalized Pareto distributions from `loc` on, of tails that `concentration` makes heavy.

    With a `concentration` of 0 they are exponential distributions, below 0 the samples are bounded.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(
        self,
        loc: Tensor | float,
        scale: Tensor | float,
        concentration: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expand_parameters(_instance, batch_shape, "loc", "scale", "concentration")

    def _concentration(self) -> tuple[Tensor, Tensor]:
        """Where the concentration is 0, and the concentration with 1 there, by which one can divide."""
        zero = rgrad.isclose(self.concentration, rgrad.zeros_like(self.concentration))
        return zero, self.concentration.masked_fill(zero, 1.0)

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        return self.icdf(rgrad.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, concentration = self._concentration()
        power = 1 / concentration + 1
        density = rgrad.where(power == 0, power, power * (concentration * z).log1p())
        return -self.scale.log() - rgrad.where(zero, z, density)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of more than a value."""
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, concentration = self._concentration()
        return rgrad.where(zero, -z, -(concentration * z).log1p() / concentration)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of `cdf`."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        zero, concentration = self._concentration()
        log_survival = (-value).log1p()
        heavy = self.loc + self.scale / concentration * (-concentration * log_survival).expm1()
        return rgrad.where(zero, self.loc - self.scale * log_survival, heavy)

    @property
    def mean(self) -> Tensor:
        infinite = self.concentration >= 1
        mean = self.loc + self.scale / (1 - self.concentration.masked_fill(infinite, 0.5))
        return mean.masked_fill(infinite, nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        infinite = self.concentration >= 0.5
        concentration = self.concentration.masked_fill(infinite, 0.25)
        variance = self.scale**2 / ((1 - concentration) ** 2 * (1 - 2 * concentration))
        return variance.masked_fill(infinite, nan)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        last = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, rgrad.where(self.concentration < 0, last, inf))
