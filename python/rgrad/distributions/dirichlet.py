"""The Dirichlet distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor, _sample_dirichlet
from rgrad.distributions import constraints
from rgrad.distributions.distribution import ExponentialFamily
from rgrad.distributions.gamma import Gamma

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Dirichlet"]


class Dirichlet(ExponentialFamily):
    """Dirichlet distributions with the concentrations `concentration`, a row for each."""

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("Dirichlet: concentration must have at least one dimension")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        shape = rgrad.Size(batch_shape)
        return self._expanded(_instance, shape, concentration=self.concentration.expand(shape + self.event_shape))

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        lowered = (self.concentration - 1).clamp(min=0.0)
        mode = lowered / lowered.sum(-1, True)
        flat = (self.concentration < 1).all(-1)
        corner = rgrad.zeros_like(mode).scatter(-1, mode.argmax(-1, True), 1.0)
        return rgrad.where(flat.unsqueeze(-1), corner, mode)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        with rgrad.no_grad():
            return _sample_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        """Samples, made of gamma numbers where the concentrations require gradients.

        They are then others than those of `sample`, and than PyTorch's, for the same seed.
        """
        if not (self.concentration.requires_grad and rgrad.is_grad_enabled()):
            return self.sample(sample_shape)
        shape = self._extended_shape(sample_shape)
        gammas = Gamma(self.concentration.expand(shape), 1.0, validate_args=False).rsample()
        return gammas / gammas.sum(-1, True)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return (
            rgrad.xlogy(self.concentration - 1.0, value).sum(-1)
            + rgrad.lgamma(self.concentration.sum(-1))
            - rgrad.lgamma(self.concentration).sum(-1)
        )

    def entropy(self) -> Tensor:
        count, total = self.concentration.size(-1), self.concentration.sum(-1)
        return (
            rgrad.lgamma(self.concentration).sum(-1)
            - rgrad.lgamma(total)
            - (count - total) * rgrad.digamma(total)
            - ((self.concentration - 1.0) * rgrad.digamma(self.concentration)).sum(-1)
        )
