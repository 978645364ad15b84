"""Student's t-distribution."""

from __future__ import annotations

from math import log, pi

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.gamma import Chi2
from rgrad.distributions.utils import _standard_normal, broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["StudentT"]


class StudentT(Distribution):
    """Student's t-distributions with `df` degrees of freedom, moved by `loc` and stretched by `scale`."""

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        df: Tensor | float,
        loc: Tensor | float = 0.0,
        scale: Tensor | float = 1.0,
        validate_args: bool | None = None,
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._expand_parameters(_instance, batch_shape, "df", "loc", "scale")
        made._chi2 = self._chi2.expand(batch_shape)
        return made

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, float("nan"))

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        variance = self.scale.pow(2) * self.df / (self.df - 2)
        variance = variance.masked_fill(self.df <= 2, float("inf"))
        return variance.masked_fill(self.df <= 1, float("nan"))

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        normal = _standard_normal(self._extended_shape(sample_shape), self.df.dtype)
        squares = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (normal * (squares / self.df).rsqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        normalizer = (
            self.scale.log()
            + 0.5 * self.df.log()
            + 0.5 * log(pi)
            + rgrad.lgamma(0.5 * self.df)
            - rgrad.lgamma(0.5 * (self.df + 1.0))
        )
        return -0.5 * (self.df + 1.0) * (y**2.0 / self.df).log1p() - normalizer

    def entropy(self) -> Tensor:
        half = 0.5 * self.df
        log_beta = rgrad.lgamma(half) + rgrad.lgamma(rgrad.tensor(0.5, dtype=half.dtype)) - rgrad.lgamma(half + 0.5)
        digammas = rgrad.digamma(half + 0.5) - rgrad.digamma(half)
        return self.scale.log() + (half + 0.5) * digammas + 0.5 * self.df.log() + log_beta
