"""The Kumaraswamy distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.transformed_distribution import TransformedDistribution
from rgrad.distributions.transforms import AffineTransform, PowerTransform
from rgrad.distributions.uniform import Uniform
from rgrad.distributions.utils import broadcast_all, euler_constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """Kumaraswamy distributions, much like beta distributions, with the concentrations towards 1 and towards 0."""

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, concentration1: Tensor | float, concentration0: Tensor | float, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        zeros, ones = rgrad.zeros_like(self.concentration0), rgrad.ones_like(self.concentration0)
        base = Uniform(zeros.detach(), ones.detach(), validate_args=validate_args)
        steps = [
            PowerTransform(exponent=self.concentration0.reciprocal()),
            AffineTransform(loc=1.0, scale=-1.0),
            PowerTransform(exponent=self.concentration1.reciprocal()),
        ]
        super().__init__(base, steps, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(Kumaraswamy, _instance)
        made.concentration1 = self.concentration1.expand(batch_shape)
        made.concentration0 = self.concentration0.expand(batch_shape)
        return super().expand(batch_shape, made)

    def _moment(self, n: int) -> Tensor:
        one, zero = self.concentration1, self.concentration0
        argument = 1 + n / one
        value = rgrad.lgamma(argument) + rgrad.lgamma(zero) - rgrad.lgamma(argument + zero)
        return zero * value.exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        one, zero = self.concentration1, self.concentration0
        log_mode = one.reciprocal() * (one - 1).log() - one.reciprocal() * (one * zero - 1).log()
        return log_mode.exp().masked_fill((zero < 1) | (one < 1), float("nan"))

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self._moment(1).pow(2)

    def entropy(self) -> Tensor:
        t1, t0 = 1 - self.concentration1.reciprocal(), 1 - self.concentration0.reciprocal()
        harmonic = rgrad.digamma(self.concentration0 + 1) + euler_constant
        return t0 + t1 * harmonic - self.concentration1.log() - self.concentration0.log()
