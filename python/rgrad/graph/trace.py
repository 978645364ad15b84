"""The autograd graph behind some tensors, as a list in which inputs come before their users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from rgrad import Tensor


class GraphNode(Protocol):
    """What every node of an autograd graph offers."""

    def name(self) -> str: ...

    @property
    def next_functions(self) -> Sequence[tuple[Any, int]]: ...


@dataclass(frozen=True)
class TracedNode:
    """One node of the graph and what it tells about itself.

    `inputs` holds the place in the trace of each node whose result is used, and the number of that
    result; inputs that need no gradient are left out, as they are in the graph itself.
    """

    node: GraphNode
    operation: str
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[tuple[int, ...], str], ...]
    place: tuple[str, int] | None
    saved_bytes: int
    variable: Tensor | None


@dataclass(frozen=True)
class Trace:
    """All nodes below `tensors`; `ends` tells each tensor's node, and the number of the result."""

    nodes: list[TracedNode]
    tensors: list[Tensor]
    ends: list[tuple[int, int] | None]


def trace(tensors: Sequence[Tensor]) -> Trace:
    """Follows `grad_fn` and `next_functions` from the tensors down to the leaves."""
    roots = [cast("GraphNode | None", tensor.grad_fn) for tensor in tensors]
    ordered, places = _ordered([root for root in roots if root is not None])
    nodes = [_traced(node, places) for node in ordered]
    ends = [
        None if root is None else (places[root], int(getattr(tensor, "output_nr", 0)))
        for root, tensor in zip(roots, tensors, strict=True)
    ]
    return Trace(nodes, list(tensors), ends)


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """The sizes of a tensor as plain integers."""
    return tuple(int(size) for size in tensor.shape)


def dtype_of(tensor: Tensor) -> str:
    """The name of a tensor's element type without its module: `float32`."""
    return str(tensor.dtype).rpartition(".")[2]


def _ordered(roots: list[GraphNode]) -> tuple[list[GraphNode], dict[GraphNode, int]]:
    """Depth first with a stack of its own: graphs are deeper than Python's recursion reaches."""
    ordered: list[GraphNode] = []
    places: dict[GraphNode, int] = {}
    seen: set[GraphNode] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, finished = stack.pop()
        if finished:
            places[node] = len(ordered)
            ordered.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            below = [nearer for nearer, _ in node.next_functions if nearer is not None]
            stack.extend((nearer, False) for nearer in reversed(below) if nearer not in seen)
    return ordered, places


def _traced(node: GraphNode, places: dict[GraphNode, int]) -> TracedNode:
    outputs = getattr(node, "outputs", None) or ()
    return TracedNode(
        node=node,
        operation=node.name().rpartition("::")[2],
        inputs=tuple((places[nearer], number) for nearer, number in node.next_functions if nearer is not None),
        outputs=tuple((tuple(sizes), dtype) for sizes, dtype in outputs),
        place=getattr(node, "place", None),
        saved_bytes=getattr(node, "saved_bytes", 0),
        variable=getattr(node, "variable", None),
    )
