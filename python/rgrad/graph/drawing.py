"""Draws the graph behind tensors, and the drawing that can be shown or saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rgrad.graph.folding import fold as folded
from rgrad.graph.folding import truncate
from rgrad.graph.formats import to_dot, to_mermaid, to_svg
from rgrad.graph.names import Names
from rgrad.graph.trace import trace
from rgrad.graph.views import nodes_view, variables_view

if TYPE_CHECKING:
    from os import PathLike

    from rgrad import Tensor
    from rgrad.graph.picture import Picture
    from rgrad.nn import Module

    View = Literal["nodes", "variables"]
    Format = Literal["svg", "dot", "mermaid"]

LARGEST_PICTURE = 400
_WRITERS = {"svg": to_svg, "dot": to_dot, "mermaid": to_mermaid}
_SUFFIXES = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid"}


class Drawing:
    """A drawn graph. Notebooks show it by themselves; `str()` gives the text of its format."""

    def __init__(self, picture: Picture, format: Format = "svg") -> None:
        self._picture = picture
        self._format = format
        self._written: dict[str, str] = {}

    def svg(self) -> str:
        """The drawing as SVG, which needs no other program and suits light and dark pages."""
        return self._write("svg")

    def dot(self) -> str:
        """The drawing in Graphviz's DOT language."""
        return self._write("dot")

    def mermaid(self) -> str:
        """The drawing as a Mermaid flowchart."""
        return self._write("mermaid")

    def save(self, path: str | PathLike[str]) -> Path:
        """Writes the drawing in the format of the file's suffix and returns the path.

        The suffixes are `.svg`, `.dot` or `.gv`, and `.mmd` or `.mermaid`; with any other a
        `ValueError` is raised.
        """
        path = Path(path)
        if path.suffix not in _SUFFIXES:
            known = ", ".join(_SUFFIXES)
            raise ValueError(f"cannot tell a format from {path.name!r}: use one of {known}")
        path.write_text(self._write(_SUFFIXES[path.suffix]), encoding="utf-8")
        return path

    def __str__(self) -> str:
        return self._write(self._format)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        """In a scrolling area, so that a tall graph leaves room for the rest of the page."""
        return f'<div style="overflow: auto; max-height: 80vh">{self.svg()}</div>'

    def _write(self, format: str) -> str:
        if format not in self._written:
            self._written[format] = _WRITERS[format](self._picture)
        return self._written[format]


def draw(
    outputs: Tensor | Sequence[Tensor],
    *,
    names: Mapping[str, Tensor] | Module | None = None,
    values: bool = False,
    view: View = "nodes",
    fold: bool = True,
    format: Format = "svg",
) -> Drawing:
    """Draws how `outputs` were computed, from the leaves at the top down to the outputs.

    Each node shows its operation and, where known, the shape and dtype of its result, the line of
    source that made it and the memory it keeps for the backward pass. Arrows point the way the data
    went; the backward pass goes against them. Drawing changes nothing: no gradient is computed and
    the graph can still be used.

    Arguments:
        outputs: a tensor of any shape and dtype, or a sequence of them.
        names: tensors by name, or a module whose parameters lend their names.
        values: show the first values of leaves, outputs and named tensors, and their gradients.
        view: `"nodes"` for the graph's nodes, `"variables"` for variables and functions in turn.
        fold: draw a leaf together with the node that accumulates its gradient, draw once what
            repeats itself at least three times, and leave out the middle of long stretches.
        format: what `str()` of the drawing gives: `"svg"`, `"dot"` or `"mermaid"`.

    A graph too large to be drawn even so is cut off at a distance from the outputs, and a remark
    says so.

    Raises:
        ValueError: for an unknown view or format, or without any tensor.
        TypeError: if `names` is neither a mapping nor a module.
    """
    if view not in ("nodes", "variables"):
        raise ValueError(f"view must be 'nodes' or 'variables', not {view!r}")
    if format not in _WRITERS:
        raise ValueError(f"format must be one of {', '.join(_WRITERS)}, not {format!r}")
    tensors = list(outputs) if isinstance(outputs, Sequence) else [outputs]
    if not tensors:
        raise ValueError("draw() needs at least one tensor")
    traced = trace(tensors)
    lookup = Names(names)
    if view == "nodes":
        picture = nodes_view(traced, lookup, values=values, merge_leaves=fold)
    else:
        picture = variables_view(traced, lookup, values=values)
    if fold:
        picture = folded(picture)
    return Drawing(truncate(picture, LARGEST_PICTURE), format)
