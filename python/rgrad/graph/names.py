"""Names for tensors, taken from a mapping or from a module's parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rgrad import Tensor
    from rgrad.graph.trace import GraphNode
    from rgrad.nn import Module


class Names:
    """Looks names up by tensor, and for results by the node that made them."""

    def __init__(self, given: Mapping[str, Tensor] | Module | None) -> None:
        self._tensors: dict[int, str] = {}
        self._results: dict[tuple[Any, int], tuple[str, Tensor]] = {}
        for name, tensor in _pairs(given):
            self._tensors.setdefault(id(tensor), name)
            if tensor.grad_fn is not None:
                result = (tensor.grad_fn, int(getattr(tensor, "output_nr", 0)))
                self._results.setdefault(result, (name, tensor))

    def of(self, tensor: Tensor) -> str | None:
        """The name of this very tensor."""
        return self._tensors.get(id(tensor))

    def of_result(self, node: GraphNode, number: int) -> tuple[str, Tensor] | None:
        """The name of a node's result, with the tensor, which no node keeps."""
        return self._results.get((node, number))


def _pairs(given: Mapping[str, Tensor] | Module | None) -> Iterable[tuple[str, Tensor]]:
    if given is None:
        return ()
    if isinstance(given, Mapping):
        return given.items()
    if hasattr(given, "named_parameters"):
        return given.named_parameters()
    kind = type(given).__name__
    raise TypeError(f"names must be a mapping of names to tensors or a Module, not {kind}")
