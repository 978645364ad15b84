"""The Gumbel distribution."""

from __future__ import annotations

from math import pi, sqrt

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.transformed_distribution import TransformedDistribution
from rgrad.distributions.transforms import AffineTransform, ExpTransform
from rgrad.distributions.uniform import Uniform
from rgrad.distributions.utils import broadcast_all, epsilon, euler_constant, smallest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """Gumbel distributions with the modes `loc` and the scales `scale`."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        dtype = self.loc.dtype
        low, high = rgrad.full_like(self.loc, smallest(dtype)), rgrad.full_like(self.loc, 1 - epsilon(dtype))
        base = Uniform(low.detach(), high.detach(), validate_args=validate_args)
        super().__init__(base, self._steps(self.loc, self.scale), validate_args=validate_args)

    @staticmethod
    def _steps(loc: Tensor, scale: Tensor) -> list[Any]:
        """From uniform to Gumbel numbers: `loc - scale * log(-log(u))`."""
        minus = AffineTransform(loc=0, scale=-rgrad.ones_like(scale))
        return [ExpTransform().inv, minus, ExpTransform().inv, AffineTransform(loc=loc, scale=-scale)]

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(Gumbel, _instance)
        made.loc, made.scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
        return super().expand(batch_shape, made)

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return pi / sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + euler_constant)
