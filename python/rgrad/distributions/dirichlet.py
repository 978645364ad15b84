"""The Dirichlet distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor, _sample_dirichlet
from rgrad.autograd import Function
from rgrad.autograd.grad_mode import no_grad
from rgrad.distributions import constraints
from rgrad.distributions.distribution import ExponentialFamily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Dirichlet"]


class _SampleDirichlet(Function):
    """Rows of Dirichlet numbers, with the derivative that keeps their places in the distribution.

    Each number has a beta distribution; what it gains, all numbers of its row lose in proportion to themselves.
    """

    @staticmethod
    def forward(context: Any, concentration: Tensor) -> Tensor:
        drawn = _sample_dirichlet(concentration)
        context.save_for_backward(concentration, drawn)
        return drawn

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        concentration, drawn = context.saved_tensors
        slope = beta_derivative(concentration, concentration.sum(-1, True) - concentration, drawn) / (1 - drawn)
        return slope * (gradient - (drawn * gradient).sum(-1, True))


@no_grad()
def beta_derivative(first: Tensor, second: Tensor, drawn: Tensor) -> Tensor:
    """How beta numbers change with their first parameter while their places in the distribution stay.

    Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients" (2018), by the series
    `I_x(a, b) = x**a (1 - x)**b S / (a B(a, b))` with the sum `S` of
    `(a + b) ... (a + b + n - 1) x**n / ((a + 1) ... (a + n))`, all positive; it begins at the nearer of both ends.
    """
    a, b, x = (tensor.double() for tensor in rgrad.broadcast_tensors(first, second, drawn))
    lower = x <= a / (a + b)
    near, reach = rgrad.where(lower, a, b), rgrad.where(lower, x, 1 - x)
    term, slope = rgrad.ones_like(x), rgrad.zeros_like(x)
    total, total_slope = term.clone(), slope.clone()
    count = 0
    while True:
        # The logarithmic slope of a term is a sum over its factors, of which only the lower end's divisors change.
        slope = slope + 1 / (a + b + count) - rgrad.where(lower, 1 / (near + count + 1), 0.0)
        term = term * reach * (a + b + count) / (near + count + 1)
        total += term
        total_slope += term * slope
        count += 1
        if count % 16 == 0 and not bool((term * (1 + slope.abs()) > 1e-17 * total).any()):
            break
    logarithmic = x.log() - rgrad.digamma(a) + rgrad.digamma(a + b) + total_slope / total
    logarithmic = rgrad.where(lower, 1 / a - logarithmic, logarithmic)
    return (x * (1 - x) * total / near * logarithmic).to(drawn.dtype)


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
        concentration = self.concentration.expand(self._extended_shape(sample_shape))
        return _SampleDirichlet.apply(concentration)  # type: ignore[no-any-return]

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
