"""The gamma distribution, and those made of it."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor, _standard_gamma
from rgrad.autograd import Function
from rgrad.autograd.grad_mode import no_grad
from rgrad.distributions import constraints
from rgrad.distributions.distribution import ExponentialFamily
from rgrad.distributions.utils import broadcast_all, smallest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Chi2", "Gamma"]


class _StandardGamma(Function):
    """Gamma numbers of rate 1, with the derivative that keeps their places in the distribution.

    Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients" (2018): with the distribution function `F`,
    `dx/dshape = -(dF/dshape) / density`.
    """

    @staticmethod
    def forward(shape: Tensor) -> Tensor:
        return _standard_gamma(shape)

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Tensor], drawn: Tensor) -> None:
        context.save_for_backward(*inputs, drawn)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        shape, drawn = context.saved_tensors
        return gradient * standard_gamma_derivative(shape, drawn)


@no_grad()
def standard_gamma_derivative(shape: Tensor, drawn: Tensor) -> Tensor:
    """How gamma numbers change with their shapes while their places in the distribution stay.

    With `F = x**a exp(-x) S / gamma(a + 1)` and `S = sum of x**n / ((a + 1) ... (a + n))`, the derivative of `log F`
    by `a` is `log x - digamma(a + 1) + S' / S`, and the density is `x**(a - 1) exp(-x) / gamma(a)`. The terms of the
    series are positive and grow as long as `n < x - a`.
    """
    a, x = shape.double(), drawn.double()
    term, slope = rgrad.ones_like(a), rgrad.zeros_like(a)
    total, total_slope = term.clone(), slope.clone()
    count = 0
    while True:
        count += 1
        # The logarithmic slope of a term is the sum of -1 / (a + k).
        slope = slope - 1 / (a + count)
        term = term * x / (a + count)
        total += term
        total_slope += term * slope
        if count % 16 == 0 and not bool((term * slope.abs() > 1e-17 * total).any()):
            break
    log_slope = x.log() - rgrad.digamma(a + 1) + total_slope / total
    # F / density = x S / a
    return (-log_slope * x * total / a).to(drawn.dtype)


class Gamma(ExponentialFamily):
    """Gamma distributions with the shapes `concentration` and the rates `rate`."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Tensor | float, rate: Tensor | float, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expand_parameters(_instance, batch_shape, "concentration", "rate")

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        drawn: Tensor = _StandardGamma.apply(self.concentration.expand(shape)) / self.rate.expand(shape)
        drawn.detach().clamp_(min=smallest(drawn.dtype))
        return drawn

    def log_prob(self, value: Tensor) -> Tensor:
        value = rgrad.as_tensor(value, dtype=self.rate.dtype)
        if self._validate_args:
            self._validate_sample(value)
        return (
            rgrad.xlogy(self.concentration, self.rate)
            + rgrad.xlogy(self.concentration - 1, value)
            - self.rate * value
            - rgrad.lgamma(self.concentration)
        )

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return rgrad.special.gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + rgrad.lgamma(a) + (1.0 - a) * rgrad.digamma(a)


class Chi2(Gamma):
    """Chi-squared distributions with `df` degrees of freedom."""

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Tensor | float, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2
