"""`Distribution`, the base class of all families."""

from __future__ import annotations

import warnings
from typing import Any

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.utils import broadcast_shape, lazy_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Distribution", "ExponentialFamily"]


class Distribution:
    """Distributions of one family, one for each entry of a batch.

    Subclasses define what they can of `rsample`, `log_prob`, `entropy`, `mean`, and so on, and say what values their
    parameters and samples have: `arg_constraints`, `support`.

    Args:
        batch_shape: the sizes of the batch.
        event_shape: the sizes of one sample.
        validate_args: whether parameters and samples are checked; by default see `set_default_validate_args`.

    Raises:
        ValueError: a parameter is outside of its constraint.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__
    arg_constraints: Any = {}

    def __init__(
        self,
        batch_shape: rgrad.Size = rgrad.Size(),  # noqa: B008 - it cannot be changed
        event_shape: rgrad.Size = rgrad.Size(),  # noqa: B008
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape = rgrad.Size(batch_shape)
        self._event_shape = rgrad.Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                self._check_parameter(name, constraint)

    def _check_parameter(self, name: str, constraint: Any) -> None:
        if constraints.is_dependent(constraint):
            return
        if name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property):
            return  # it is computed from another, which is checked
        value = getattr(self, name)
        if not bool(constraint.check(value).all()):
            raise ValueError(f"{type(self).__name__}: {name} must be in {constraint!r}, but has other values:\n{value}")

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Choose whether parameters and samples are checked where it is not said.

        Raises:
            ValueError: `value` is not a bool.
        """
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args(): a bool is expected, got {value!r}")
        Distribution._validate_args = value

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        """The same distributions for a larger batch, without copies of parameters."""
        raise NotImplementedError(f"{type(self).__name__} does not define expand()")

    def _expanded(self, _instance: Any, batch_shape: Any, event_shape: Any = None, **attributes: Any) -> Any:
        """An instance of the class with these attributes, which are not checked again."""
        made = self._get_checked_instance(type(self), _instance)
        made.__dict__.update(attributes)
        Distribution.__init__(
            made, rgrad.Size(batch_shape), self.event_shape if event_shape is None else event_shape, validate_args=False
        )
        made._validate_args = self._validate_args
        return made

    def _expand_parameters(self, _instance: Any, batch_shape: Any, *names: str) -> Any:
        """`_expanded`, where the parameters of these names have a value for each entry of the batch."""
        shape = rgrad.Size(batch_shape)
        own = {name: self.__dict__[name].expand(shape) for name in names if name in self.__dict__}
        return self._expanded(_instance, shape, **own)

    @property
    def batch_shape(self) -> rgrad.Size:
        """The sizes of the batch."""
        return self._batch_shape

    @property
    def event_shape(self) -> rgrad.Size:
        """The sizes of one sample."""
        return self._event_shape

    @property
    def support(self) -> Any:
        """The constraint of samples."""
        raise NotImplementedError(f"{type(self).__name__} does not define its support")

    @property
    def mean(self) -> Tensor:
        """The means."""
        raise NotImplementedError(f"{type(self).__name__} does not define its mean")

    @property
    def mode(self) -> Tensor:
        """The most probable samples."""
        raise NotImplementedError(f"{type(self).__name__} does not define its mode")

    @property
    def variance(self) -> Tensor:
        """The variances."""
        raise NotImplementedError(f"{type(self).__name__} does not define its variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviations."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:  # noqa: B008
        """Samples: as many as `sample_shape` says, for each entry of the batch; they have no history."""
        with rgrad.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:  # noqa: B008
        """Samples that depend on the parameters by operations with derivatives."""
        raise NotImplementedError(f"{type(self).__name__} does not define rsample()")

    def sample_n(self, n: int) -> Tensor:
        """`n` samples, which `sample` gives as well: deprecated."""
        warnings.warn("sample_n is deprecated; use sample((n,))", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithms of the densities or probabilities at values."""
        raise NotImplementedError(f"{type(self).__name__} does not define log_prob()")

    def cdf(self, value: Tensor) -> Tensor:
        """The probabilities of samples up to values."""
        raise NotImplementedError(f"{type(self).__name__} does not define cdf()")

    def icdf(self, value: Tensor) -> Tensor:
        """The values up to which samples have these probabilities."""
        raise NotImplementedError(f"{type(self).__name__} does not define icdf()")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All samples that are possible, along the first dimension."""
        raise NotImplementedError(f"{type(self).__name__} does not define enumerate_support()")

    def entropy(self) -> Tensor:
        """The entropies, in nats."""
        raise NotImplementedError(f"{type(self).__name__} does not define entropy()")

    def perplexity(self) -> Tensor:
        """The exponentials of the entropies."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = rgrad.Size()) -> rgrad.Size:  # noqa: B008
        """The sizes of samples of the whole batch."""
        return rgrad.Size(sample_shape) + self._batch_shape + self._event_shape

    def _validate_sample(self, value: Tensor) -> None:
        """Raise `ValueError` unless `value` can be a sample."""
        if not isinstance(value, Tensor):
            raise ValueError(f"{type(self).__name__}: the value must be a tensor, not a {type(value).__name__}")
        events = len(self._event_shape)
        if value.dim() < events or tuple(value.shape)[value.dim() - events :] != tuple(self._event_shape):
            raise ValueError(
                f"{type(self).__name__}: a sample has the sizes {tuple(self._event_shape)}, got {tuple(value.shape)}"
            )
        try:
            broadcast_shape(value.shape, self._batch_shape + self._event_shape)
        except RuntimeError as error:
            raise ValueError(f"{type(self).__name__}: {error}") from None
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{type(self).__name__} has no support to check samples by", stacklevel=3)
            return
        if not bool(support.check(value).all()):
            raise ValueError(f"{type(self).__name__}: the value must be in {support!r}, but is:\n{value}")

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        if _instance is None and type(self).__init__ is not cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(f"{type(self).__name__} defines __init__(), but not expand()")
        return type(self).__new__(type(self)) if _instance is None else _instance

    def __repr__(self) -> str:
        parameters = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                parameters.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(parameters)})"


class ExponentialFamily(Distribution):
    """Distributions whose densities are the exponential of a product of statistics and natural parameters."""
