"""The multinomial distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.binomial import Binomial
from rgrad.distributions.categorical import Categorical
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Multinomial"]


class Multinomial(Distribution):
    """How often each category comes in `total_count` draws; `probs` and `logits` as of `Categorical`."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    total_count: int

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("Multinomial: total_count must be the same int for all distributions")
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(self._categorical.batch_shape, shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(
            _instance, batch_shape, total_count=self.total_count, _categorical=self._categorical.expand(batch_shape)
        )

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def param_shape(self) -> rgrad.Size:
        """The sizes of the parameter."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        shape = rgrad.Size(sample_shape)
        with rgrad.no_grad():
            draws = self._categorical.sample(rgrad.Size((self.total_count,)) + shape).movedim(0, -1)
            zeros = rgrad.zeros(self._extended_shape(shape), dtype=self.probs.dtype)
            return zeros.scatter_add(-1, draws, rgrad.ones(draws.shape, dtype=self.probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == float("-inf")), 0)
        ways = rgrad.lgamma(value.sum(-1) + 1) - rgrad.lgamma(value + 1).sum(-1)
        return ways + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        count = rgrad.tensor(float(self.total_count), dtype=self.probs.dtype)
        values = rgrad.arange(1.0, self.total_count + 1, dtype=self.probs.dtype)
        values = values.reshape((-1,) + (1,) * (len(self.batch_shape) + 1))
        single = Binomial(self.total_count, probs=self.probs, validate_args=False)
        weights = single.log_prob(values).exp()
        term = (weights * rgrad.lgamma(values + 1)).sum(0).sum(-1)
        return count * self._categorical.entropy() - rgrad.lgamma(count + 1) + term
