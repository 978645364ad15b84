"""Functions of the top level with an underscore before their names, which programs of other packages call."""

from __future__ import annotations

import rgrad
from rgrad import _rgrad
from rgrad._rgrad import Tensor
from rgrad._toplevel import norm_except_dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "_assert",
    "_is_all_true",
    "_is_any_true",
    "_log_softmax",
    "_sample_dirichlet",
    "_shape_as_tensor",
    "_softmax",
    "_standard_gamma",
    "_weight_norm",
]


def _assert(condition: Any, message: str) -> None:
    """An `assert` as a function.

    Raises:
        AssertionError: the condition does not hold.
    """
    if not condition:
        raise AssertionError(message)


def _is_all_true(self: Tensor) -> Tensor:
    """Whether all elements are true."""
    return self.all()


def _is_any_true(self: Tensor) -> Tensor:
    """Whether an element is true."""
    return self.any()


def _softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    """`softmax`."""
    return _rgrad.softmax(input, dim)


def _log_softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    """`log_softmax`."""
    return _rgrad.log_softmax(input, dim)


def _shape_as_tensor(self: Tensor) -> Tensor:
    """The sizes as a tensor."""
    return rgrad.tensor(self.shape)


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """`v` scaled so that its norms over all dimensions but `dim` are `g`."""
    return v * (g / norm_except_dim(v, 2, dim))


def _standard_gamma(self: Tensor, generator: Any = None) -> Tensor:
    """Gamma numbers of rate 1 with the shapes in a tensor; gradients reach the shapes."""
    from rgrad.distributions.gamma import _StandardGamma

    if generator is not None:
        return _rgrad._standard_gamma(self, generator)
    return _StandardGamma.apply(self)  # type: ignore[no-any-return]


def _sample_dirichlet(self: Tensor, generator: Any = None) -> Tensor:
    """Rows of Dirichlet numbers with the concentrations in a tensor."""
    return _rgrad._sample_dirichlet(self, generator)
