"""How much memory a graph keeps for its backward pass, by operation and by line of the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rgrad.graph.trace import TracedNode, trace
from rgrad.graph.wording import amount, short_place
from rgrad.utils.table import to_html, to_text

if TYPE_CHECKING:
    from rgrad import Tensor

_HEADERS = ("operation", "line", "nodes", "keeps", "of leaves")


@dataclass(frozen=True)
class MemoryRow:
    """What some nodes keep: `bytes` that are there for the backward pass alone, `leaf_bytes` that are leaves' anyway.

    `operation` or `place` (file and line) is None in a row that sums over it.
    """

    operation: str | None
    place: tuple[str, int] | None
    nodes: int
    bytes: int
    leaf_bytes: int


class MemoryReport:
    """Memory that is kept for a backward pass. Notebooks show it as a table, and so does `str()`.

    `rows` has a row for each operation on each line, the largest first; `by_operation` and `by_line` sum these up.
    `bytes` is the total that goes when the graph goes; `leaf_bytes` is memory of leaves that is saved too and stays.
    """

    def __init__(self, nodes: Sequence[TracedNode]) -> None:
        self.rows = _sums(nodes, lambda node: (node.operation, node.place))
        self.by_operation = _sums(nodes, lambda node: (node.operation, None))
        self.by_line = _sums(nodes, lambda node: (None, node.place))
        self.bytes = sum(row.bytes for row in self.rows)
        self.leaf_bytes = sum(row.leaf_bytes for row in self.rows)

    def __str__(self) -> str:
        return f"{to_text(_HEADERS, self._cells(), left=2)}\n{self._summary()}"

    def __repr__(self) -> str:
        return f"<MemoryReport: {self._summary()}>"

    def _repr_html_(self) -> str:
        return f"{to_html(_HEADERS, self._cells(), left=2)}<p>{self._summary()}</p>"

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                row.operation or "",
                short_place(row.place) if row.place else "",
                str(row.nodes),
                amount(row.bytes),
                amount(row.leaf_bytes) if row.leaf_bytes else "",
            )
            for row in self.rows
            if row.bytes or row.leaf_bytes
        ]

    def _summary(self) -> str:
        leaves = f", and saves {amount(self.leaf_bytes)} of leaves" if self.leaf_bytes else ""
        return f"the graph keeps {amount(self.bytes)}{leaves}"


def memory_report(outputs: Tensor | Sequence[Tensor]) -> MemoryReport:
    """How much memory the graph of `outputs` keeps for the backward pass, and where.

    Counted is the whole memory behind each saved tensor, also where only a view of it was saved. What several nodes
    have saved counts once, for the node that was made first. Memory of a leaf that requires grad, such as a parameter,
    would be kept without the graph too and is told apart. What hooks on saved tensors have packed is not counted, and
    a graph that a backward pass has freed keeps nothing.

    Arguments:
        outputs: a tensor of any shape and dtype, or a sequence of them.
    """
    return MemoryReport(trace(list(outputs) if isinstance(outputs, Sequence) else [outputs]).nodes)


def _sums(
    nodes: Sequence[TracedNode], key: Callable[[TracedNode], tuple[str | None, tuple[str, int] | None]]
) -> list[MemoryRow]:
    leaves = {address for node in nodes for address, _, leaf in _holdings(node) if leaf}
    counted: set[int] = set()
    sums: dict[tuple[str | None, tuple[str, int] | None], list[int]] = {}
    for node in nodes:
        if node.variable is not None:
            continue
        row = sums.setdefault(key(node), [0, 0, 0])
        row[0] += 1
        for address, size, _ in _holdings(node):
            if address not in counted:
                counted.add(address)
                row[2 if address in leaves else 1] += size
    rows = [MemoryRow(*which, *row) for which, row in sums.items()]
    return sorted(rows, key=lambda row: (row.bytes, row.leaf_bytes), reverse=True)


def _holdings(node: TracedNode) -> Sequence[tuple[int, int, bool]]:
    return getattr(node.node, "_holdings", ())
