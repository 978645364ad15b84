"""The Weibull distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.exponential import Exponential
from rgrad.distributions.transformed_distribution import TransformedDistribution
from rgrad.distributions.transforms import AffineTransform, PowerTransform
from rgrad.distributions.utils import broadcast_all, euler_constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """Weibull distributions with the scales `scale` and the shapes `concentration`."""

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, scale: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(rgrad.ones_like(self.scale), validate_args=validate_args)
        steps = [
            PowerTransform(exponent=self.concentration_reciprocal),
            AffineTransform(loc=0, scale=self.scale),
        ]
        super().__init__(base, steps, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(Weibull, _instance)
        made.scale, made.concentration = self.scale.expand(batch_shape), self.concentration.expand(batch_shape)
        made.concentration_reciprocal = made.concentration.reciprocal()
        return super().expand(batch_shape, made)

    @property
    def mean(self) -> Tensor:
        return self.scale * rgrad.lgamma(1 + self.concentration_reciprocal).exp()

    @property
    def mode(self) -> Tensor:
        part = (self.concentration - 1) / self.concentration
        return self.scale * part ** self.concentration.reciprocal()

    @property
    def variance(self) -> Tensor:
        second = rgrad.lgamma(1 + 2 * self.concentration_reciprocal).exp()
        return self.scale.pow(2) * (second - (2 * rgrad.lgamma(1 + self.concentration_reciprocal)).exp())

    def entropy(self) -> Tensor:
        return (
            euler_constant * (1 - self.concentration_reciprocal)
            + (self.scale * self.concentration_reciprocal).log()
            + 1
        )
