"""Mixtures of distributions of one family."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.categorical import Categorical
from rgrad.distributions.distribution import Distribution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """Samples of components, chosen by `mixture_distribution`.

    Args:
        mixture_distribution: a `Categorical` distribution of the numbers of components.
        component_distribution: the components, along the last dimension of its batch.
        validate_args: see `Distribution`.

    Raises:
        ValueError: the distributions are not of these kinds, or their sizes do not fit together.
    """

    arg_constraints: Any = {}

    def __init__(
        self, mixture_distribution: Any, component_distribution: Any, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError("MixtureSameFamily: the mixture must be a Categorical distribution")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("MixtureSameFamily: the components must be a distribution")
        batch = component_distribution.batch_shape[:-1]
        for one, other in zip(reversed(mixture_distribution.batch_shape), reversed(batch)):
            if one != 1 and other != 1 and one != other:
                raise ValueError(f"MixtureSameFamily: batches {mixture_distribution.batch_shape} and {batch}")
        count = mixture_distribution.param_shape[-1]
        if count != component_distribution.batch_shape[-1]:
            raise ValueError(f"MixtureSameFamily: {component_distribution.batch_shape[-1]} components, not {count}")
        self._mixture_distribution: Any = mixture_distribution
        self._component_distribution: Any = component_distribution
        self._num_component = count
        super().__init__(batch, component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        shape = rgrad.Size(batch_shape)
        return self._expanded(
            _instance,
            shape,
            _mixture_distribution=self._mixture_distribution.expand(shape),
            _component_distribution=self._component_distribution.expand(shape + (self._num_component,)),
            _num_component=self._num_component,
        )

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Any:
        """The distribution of the numbers of components."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components."""
        return self._component_distribution

    def _mixed(self, values: Tensor) -> Tensor:
        """The means of values of the components by their probabilities."""
        events = len(self.event_shape)
        probs = self.mixture_distribution.probs
        probs = probs.reshape(tuple(probs.shape) + (1,) * events)
        return (probs * values).sum(-1 - events)  # type: ignore[no-any-return]

    @property
    def mean(self) -> Tensor:
        return self._mixed(self.component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        within = self._mixed(self.component_distribution.variance)
        mean = self.mean.unsqueeze(-1 - len(self.event_shape))
        return within + self._mixed((self.component_distribution.mean - mean).pow(2.0))

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        shape = rgrad.Size(sample_shape)
        with rgrad.no_grad():
            events = len(self.event_shape)
            chosen = self.mixture_distribution.sample(shape)
            samples = self.component_distribution.sample(shape)
            index = chosen.reshape(tuple(chosen.shape) + (1,) * (events + 1))
            dim = samples.dim() - 1 - events
            sizes = list(samples.shape)
            sizes[dim] = 1
            return samples.gather(dim, index.expand(sizes)).squeeze(dim)  # type: ignore[no-any-return]

    def _beside_components(self, value: Tensor) -> Tensor:
        return value.unsqueeze(-1 - len(self.event_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        inner = self.component_distribution.log_prob(self._beside_components(value))
        outer = self.mixture_distribution.logits.log_softmax(-1)
        return (inner + outer).logsumexp(-1)  # type: ignore[no-any-return]

    def cdf(self, value: Tensor) -> Tensor:
        inner = self.component_distribution.cdf(self._beside_components(value))
        return (inner * self.mixture_distribution.probs).sum(-1)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
