"""The two ways to see a graph: as nodes alone, or as variables and functions in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rgrad.graph.names import Names
from rgrad.graph.picture import Arrow, Item, Kind, Picture
from rgrad.graph.trace import Trace, TracedNode, dtype_of, shape_of
from rgrad.graph.wording import (
    amount,
    data_and_gradient,
    forward_name,
    kind_of_value,
    short_place,
)

if TYPE_CHECKING:
    from rgrad import Tensor


class _View:
    """What both ways share: keys that grow from inputs to users, leaves, and finished tensors."""

    def __init__(self, trace: Trace, names: Names, values: bool) -> None:
        self.trace = trace
        self.names = names
        self.values = values
        self.picture = Picture()

    def add(
        self,
        kind: Kind,
        title: str,
        details: tuple[str, ...] = (),
        *,
        tooltip: str = "",
        ellipse: bool = False,
        nodes: int = 0,
        signature: tuple[object, ...] = (),
    ) -> int:
        key = len(self.picture.items)
        self.picture.items[key] = Item(
            key, kind, title, details, tooltip or title, ellipse, nodes, 1, (kind, *signature)
        )
        return key

    def connect(self, tail: int, head: int, label: str = "") -> None:
        self.picture.arrows.append(Arrow(tail, head, label))

    def add_tensor(self, kind: Kind, tensor: Tensor, title: str, *, ellipse: bool, nodes: int = 0) -> int:
        look = kind_of_value(shape_of(tensor), dtype_of(tensor))
        details = (look, *data_and_gradient(tensor)) if self.values else (look,)
        tooltip = f"{title} (AccumulateGrad)" if nodes else title
        return self.add(
            kind,
            title,
            details,
            tooltip=tooltip,
            ellipse=ellipse,
            nodes=nodes,
            signature=(look,),
        )

    def add_leaf(self, node: TracedNode, *, ellipse: bool, nodes: int) -> int:
        assert node.variable is not None
        title = self.names.of(node.variable) or "leaf"
        return self.add_tensor(Kind.LEAF, node.variable, title, ellipse=ellipse, nodes=nodes)

    def add_operation(self, node: TracedNode, title: str, first: tuple[str, ...]) -> int:
        costs = [short_place(node.place)] if node.place else []
        if node.saved_bytes:
            costs.append(f"keeps {amount(node.saved_bytes)}")
        tooltip = node.operation
        if node.place:
            tooltip += f"\n{node.place[0]}, line {node.place[1]}"
        return self.add(
            Kind.OPERATION,
            title,
            (*first, " · ".join(costs)) if costs else first,
            tooltip=tooltip,
            nodes=1,
            signature=(node.operation, node.outputs),
        )

    def title_of_end(self, number: int) -> str:
        return self.names.of(self.trace.tensors[number]) or "output"

    def add_loose_ends(self, *, ellipse: bool) -> None:
        """Tensors that nothing was recorded for still belong into the picture."""
        for number, end in enumerate(self.trace.ends):
            if end is None:
                tensor = self.trace.tensors[number]
                kind = Kind.LEAF if tensor.requires_grad else Kind.OUTPUT
                self.add_tensor(kind, tensor, self.title_of_end(number), ellipse=ellipse)


def nodes_view(trace: Trace, names: Names, *, values: bool, merge_leaves: bool) -> Picture:
    """One box per node, from the leaves to the tensors asked for.

    With `merge_leaves` a leaf and the node that accumulates its gradient are one box.
    """
    view = _View(trace, names, values)
    keys: list[int] = []
    for node in trace.nodes:
        if node.variable is not None:
            key = view.add_leaf(node, ellipse=False, nodes=int(merge_leaves))
            if not merge_leaves:
                leaf = key
                key = view.add(Kind.ACCUMULATE, node.operation, nodes=1)
                view.connect(leaf, key)
        else:
            key = view.add_operation(node, node.operation, _result_lines(view, node))
            _connect_inputs(view, node, keys, key)
        keys.append(key)
    for number, end in enumerate(trace.ends):
        if end is not None:
            tensor = trace.tensors[number]
            key = view.add_tensor(Kind.OUTPUT, tensor, view.title_of_end(number), ellipse=False)
            view.connect(keys[end[0]], key, _result_label(trace.nodes[end[0]], end[1]))
    view.add_loose_ends(ellipse=False)
    return view.picture


def variables_view(trace: Trace, names: Names, *, values: bool) -> Picture:
    """Variables as ellipses and functions as boxes in turn."""
    view = _View(trace, names, values)
    ends = {end: number for number, end in enumerate(trace.ends) if end is not None}
    used = {result for node in trace.nodes for result in node.inputs} | set(ends)
    wanted: dict[int, list[int]] = {}
    for place, number in sorted(used):
        wanted.setdefault(place, []).append(number)
    variables: dict[tuple[int, int], int] = {}
    for place, node in enumerate(trace.nodes):
        if node.variable is not None:
            variables[place, 0] = view.add_leaf(node, ellipse=True, nodes=1)
            continue
        function = view.add_operation(node, forward_name(node.operation), ())
        for result in node.inputs:
            view.connect(variables[result], function)
        for number in wanted.get(place, ()):
            if (place, number) in ends:
                end = ends[place, number]
                tensor, title = trace.tensors[end], view.title_of_end(end)
                key = view.add_tensor(Kind.OUTPUT, tensor, title, ellipse=True)
            else:
                key = _add_variable(view, node, number)
            variables[place, number] = key
            view.connect(function, key)
    view.add_loose_ends(ellipse=True)
    return view.picture


def _result_lines(view: _View, node: TracedNode) -> tuple[str, ...]:
    lines: list[str] = []
    for number, (sizes, dtype) in enumerate(node.outputs[:3]):
        lines.append(kind_of_value(sizes, dtype))
        named = view.names.of_result(node.node, number)
        if named is not None:
            lines[-1] = f"{named[0]}: {lines[-1]}"
            if view.values:
                lines.extend(data_and_gradient(named[1]))
    if len(node.outputs) > 3:
        lines.append(f"and {len(node.outputs) - 3} more results")
    if not node.outputs:
        named = view.names.of_result(node.node, 0)
        if named is not None:
            lines.append(f"{named[0]}: {kind_of_value(shape_of(named[1]), dtype_of(named[1]))}")
    return tuple(lines)


def _connect_inputs(view: _View, node: TracedNode, keys: list[int], key: int) -> None:
    for place, number in node.inputs:
        view.connect(keys[place], key, _result_label(view.trace.nodes[place], number))


def _result_label(node: TracedNode, number: int) -> str:
    """Which of several results an arrow carries; the first counts as understood when alone."""
    return str(number) if len(node.outputs) > 1 or number else ""


def _add_variable(view: _View, node: TracedNode, number: int) -> int:
    named = view.names.of_result(node.node, number)
    if named is not None:
        return view.add_tensor(Kind.VARIABLE, named[1], named[0], ellipse=True)
    look = ""
    if number < len(node.outputs):
        look = kind_of_value(*node.outputs[number])
    return view.add(Kind.VARIABLE, look or "variable", ellipse=True, signature=(look,))
