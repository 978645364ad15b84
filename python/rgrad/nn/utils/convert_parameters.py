"""All parameters as one vector."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The entries of all parameters after each other."""
    return rgrad.cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let the parameters have the entries of a vector, as views of it, in the order of `parameters_to_vector`.

    Raises:
        TypeError: `vec` is not a tensor.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: a Tensor is needed, not a {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        parameter.data = vec.detach()[start : start + parameter.numel()].view(parameter.shape)
        start += parameter.numel()
