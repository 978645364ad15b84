"""The F-distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.gamma import Gamma
from rgrad.distributions.utils import broadcast_all, smallest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """F-distributions with `df1` and `df2` degrees of freedom."""

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Tensor | float, df2: Tensor | float, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._expand_parameters(_instance, batch_shape, "df1", "df2")
        made._gamma1, made._gamma2 = self._gamma1.expand(batch_shape), self._gamma2.expand(batch_shape)
        return made

    @property
    def mean(self) -> Tensor:
        return (self.df2 / (self.df2 - 2)).masked_fill(self.df2 <= 2, float("nan"))

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return mode.masked_fill(self.df1 <= 2, float("nan"))

    @property
    def variance(self) -> Tensor:
        one, two = self.df1, self.df2
        variance = 2 * two.pow(2) * (one + two - 2) / (one * (two - 2).pow(2) * (two - 4))
        return variance.masked_fill(two <= 4, float("nan"))

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        first, second = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        least = smallest(second.dtype)
        return (first / second.clamp(min=least)).clamp(min=least)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        one, two, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        ways = rgrad.lgamma(one + two) - rgrad.lgamma(one) - rgrad.lgamma(two)
        return ways + one * ratio.log() + (one - 1) * value.log() - (one + two) * (ratio * value).log1p()
