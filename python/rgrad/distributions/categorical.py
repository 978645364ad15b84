"""The categorical distribution."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import broadcast_shape, largest, lazy_property, logits_to_probs, probs_to_logits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Categorical"]


class Categorical(Distribution):
    """Numbers of categories, with the probabilities `probs` up to a factor, or by their logarithms `logits`.

    Args:
        probs: the probabilities, a row for each distribution; they are normalized.
        logits: their logarithms, normalized as well.
        validate_args: see `Distribution`.

    Raises:
        ValueError: both are given, neither is, they have no dimension, or a probability is negative.
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Categorical: either probs or logits must be given")
        given = probs if probs is not None else logits
        if given is None or given.dim() < 1:
            raise ValueError("Categorical: the parameter must have at least one dimension")
        if probs is not None:
            self.probs = probs / probs.sum(-1, True)
        else:
            self.logits = given - given.logsumexp(-1, True)
        self._param: Tensor = self.probs if probs is not None else self.logits
        self._num_events = self._param.size(-1)
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        shape = rgrad.Size(batch_shape)
        size = shape + (self._num_events,)
        names = [name for name in ("probs", "logits", "_param") if name in self.__dict__]
        own = {name: self.__dict__[name].expand(size) for name in names}
        return self._expanded(_instance, shape, _num_events=self._num_events, **own)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits)

    @property
    def param_shape(self) -> rgrad.Size:
        """The sizes of the parameter."""
        return self._param.size()

    @property
    def mean(self) -> Tensor:
        return rgrad.full(self._extended_shape(), float("nan"), dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return rgrad.full(self._extended_shape(), float("nan"), dtype=self.probs.dtype)

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        shape = rgrad.Size(sample_shape)
        with rgrad.no_grad():
            rows = self.probs.reshape(-1, self._num_events)
            chosen = rgrad.multinomial(rows, shape.numel(), True).t()
            return chosen.reshape(self._extended_shape(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value = value.long().unsqueeze(-1)
        shape = broadcast_shape(value.shape, self.logits.shape[:-1] + (1,))
        logits = self.logits.expand(shape[:-1] + (self._num_events,))
        return logits.gather(-1, value.expand(shape)).squeeze(-1)

    def entropy(self) -> Tensor:
        return -(self.logits.clamp(min=-largest(self.logits.dtype)) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = rgrad.arange(self._num_events).reshape((-1,) + (1,) * len(self.batch_shape))
        return values.expand((-1,) + tuple(self.batch_shape)) if expand else values
