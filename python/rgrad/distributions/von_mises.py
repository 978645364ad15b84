"""The von Mises distribution."""

from __future__ import annotations

from math import log, pi

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import Centred, broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["VonMises"]


class VonMises(Centred, Distribution):
    """Angles around `loc`, with the concentrations `concentration`."""

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expand_parameters(_instance, batch_shape, "loc", "concentration")

    @property
    def variance(self) -> Tensor:
        """One less the mean length of a sample as a vector."""
        return 1 - rgrad.special.i1e(self.concentration) / rgrad.special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        log_bessel = rgrad.special.i0e(self.concentration).log() + self.concentration
        return self.concentration * (value - self.loc).cos() - log(2 * pi) - log_bessel

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        """Samples by rejection.

        Best and Fisher, "Efficient simulation of the von Mises distribution" (1979).
        """
        shape = self._extended_shape(sample_shape)
        with rgrad.no_grad():
            loc, concentration = self.loc.double(), self.concentration.double()
            tau = 1 + (1 + 4 * concentration**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * concentration)
            # For small concentrations the difference above loses its digits.
            ratio = ((1 + rho**2) / (2 * rho)).where(concentration > 1e-5, 1 / concentration + concentration)
            found = rgrad.empty(shape, dtype=loc.dtype)
            done = rgrad.zeros(shape, dtype=rgrad.bool)
            while not bool(done.all()):
                first, second, third = rgrad.rand((3,) + tuple(shape), dtype=loc.dtype).unbind()
                z = (pi * first).cos()
                f = (1 + ratio * z) / (ratio + z)
                c = concentration * (ratio - f)
                accepted = (c * (2 - c) - second > 0) | ((c / second).log() + 1 - c >= 0)
                angle = (third - 0.5).sign() * f.clamp(-1, 1).acos()
                found = angle.where(accepted, found)
                done = done | accepted
            turned = rgrad.remainder(found + pi + loc, 2 * pi) - pi
            return turned.to(self.loc.dtype)
