"""The negative binomial distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.gamma import Gamma
from rgrad.distributions.utils import TwoOutcomes, broadcast_all, log_sigmoid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["NegativeBinomial"]


class NegativeBinomial(TwoOutcomes, Distribution):
    """The numbers of successes, of the probabilities `probs`, before `total_count` failures."""

    arg_constraints = {
        "total_count": constraints.nonnegative,
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self,
        total_count: Tensor | float,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("NegativeBinomial: either probs or logits must be given")
        if probs is not None:
            self.total_count, self.probs = broadcast_all(total_count, probs)
            self.total_count = self.total_count.to(self.probs.dtype)
        else:
            self.total_count, self.logits = broadcast_all(total_count, logits)
            self.total_count = self.total_count.to(self.logits.dtype)
        self._param: Tensor = self.probs if probs is not None else self.logits
        super().__init__(self._param.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expand_parameters(_instance, batch_shape, "total_count", "probs", "logits", "_param")

    @property
    def param_shape(self) -> rgrad.Size:
        """The sizes of the parameter."""
        return self._param.size()

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        with rgrad.no_grad():
            rates = Gamma(self.total_count, (-self.logits).exp(), validate_args=False).sample(sample_shape)
            return rgrad.poisson(rates)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        count = self.total_count
        ways = rgrad.lgamma(count + value) - rgrad.lgamma(value + 1.0) - rgrad.lgamma(count)
        ways = ways.masked_fill(count + value == 0.0, 0.0)
        return count * log_sigmoid(-self.logits) + value * log_sigmoid(self.logits) + ways
