"""The continuous Bernoulli distribution."""

from __future__ import annotations

from math import log

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import ExponentialFamily
from rgrad.distributions.utils import (
    TwoOutcomes,
    broadcast_all,
    clamp_probs,
    cross_entropy_of_two,
    lazy_property,
    logits_to_probs,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(TwoOutcomes, ExponentialFamily):
    """Numbers from 0 to 1 with densities proportional to `probs**x * (1 - probs)**(1 - x)`.

    Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders"
    (2019).

    Args:
        probs: from 0 to 1; the names are those of the Bernoulli distribution, but it is not a probability.
        logits: the number of which `probs` is the sigmoid.
        lims: between these values of `probs`, around 1/2, where exact formulas divide zero by zero, series are used.

    Raises:
        ValueError: not one of `probs` and `logits` is given.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("ContinuousBernoulli: either probs or logits must be given")
        if probs is not None:
            (self.probs,) = broadcast_all(probs)
            if validate_args:  # as they are given, before they are clamped
                self._check_parameter("probs", constraints.unit_interval)
            self.probs = clamp_probs(self.probs)
        else:
            (self.logits,) = broadcast_all(logits)
        self._param: Tensor = self.probs if probs is not None else self.logits
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._expand_parameters(_instance, batch_shape, "probs", "logits", "_param")
        made._lims = self._lims
        return made

    @property
    def param_shape(self) -> rgrad.Size:
        """The sizes of the parameter."""
        return self._param.size()

    @lazy_property
    def probs(self) -> Tensor:
        """The parameters, a little above 0 and below 1."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    @property
    def _exact(self) -> Tensor:
        """Where exact formulas can be used."""
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _away_from_half(self) -> Tensor:
        """The parameters where exact formulas can be used, elsewhere a value that does no harm."""
        return self.probs.masked_fill(~self._exact, self._lims[0])

    def _cont_bern_log_norm(self) -> Tensor:
        """The logarithm of the factor that makes the integral one: `2 artanh(1 - 2 p) / (1 - 2 p)`."""
        probs = self._away_from_half()
        exact = ((-probs).log1p() - probs.log()).abs().log() - (1 - 2 * probs).abs().log()
        squared = (self.probs - 0.5).pow(2)
        series = log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * squared) * squared
        return rgrad.where(self._exact, exact, series)

    @property
    def mean(self) -> Tensor:
        probs = self._away_from_half()
        exact = probs / (2.0 * probs - 1.0) + 1.0 / ((-probs).log1p() - probs.log())
        x = self.probs - 0.5
        series = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x
        return rgrad.where(self._exact, exact, series)

    @property
    def variance(self) -> Tensor:
        probs = self._away_from_half()
        exact = probs * (probs - 1.0) / (1.0 - 2.0 * probs).pow(2) + 1.0 / ((-probs).log1p() - probs.log()).pow(2)
        squared = (self.probs - 0.5).pow(2)
        series = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * squared) * squared
        return rgrad.where(self._exact, exact, series)

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        return self.icdf(rgrad.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return self._cont_bern_log_norm() - cross_entropy_of_two(logits, value)

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        probs = self._away_from_half()
        exact = (probs.pow(value) * (1.0 - probs).pow(1.0 - value) + probs - 1.0) / (2.0 * probs - 1.0)
        inside = rgrad.where(self._exact, exact, value)
        return inside.masked_fill(value <= 0.0, 0.0).masked_fill(value >= 1.0, 1.0)

    def icdf(self, value: Tensor) -> Tensor:
        probs = self._away_from_half()
        below = (-probs).log1p()
        exact = ((-probs + value * (2.0 * probs - 1.0)).log1p() - below) / (probs.log() - below)
        return rgrad.where(self._exact, exact, value)

    def entropy(self) -> Tensor:
        zero, one = (-self.probs).log1p(), self.probs.log()
        return self.mean * (zero - one) - self._cont_bern_log_norm() - zero
