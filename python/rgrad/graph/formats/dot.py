"""Writes a picture in Graphviz's DOT language."""

from __future__ import annotations

from collections.abc import Iterator

from rgrad.graph.formats.letters import writable
from rgrad.graph.formats.palette import COLOURS, LINE
from rgrad.graph.picture import Frame, Item, Kind, Picture, without_frames


def to_dot(picture: Picture) -> str:
    """The picture as the text of a DOT file; frames become clusters."""
    lines = [
        "digraph autograd {",
        '  graph [rankdir=TB, bgcolor=transparent, fontname="sans-serif", fontsize=11]',
        '  node [fontname="sans-serif", fontsize=11, style="filled,rounded", shape=box]',
        f'  edge [color="{LINE}", fontname="sans-serif", fontsize=9, arrowsize=0.7]',
    ]
    if picture.remarks:
        lines.append(f"  label={_quoted(*picture.remarks)}")
    for item in picture.items.values():
        if isinstance(item, Frame):
            lines.extend(_cluster(item))
        else:
            lines.append(f"  {_node(item)}")
    for arrow in without_frames(picture).arrows:
        label = f" [label={_quoted(arrow.label)}]" if arrow.label else ""
        lines.append(f"  n{arrow.tail} -> n{arrow.head}{label}")
    return "\n".join([*lines, "}", ""])


def _cluster(frame: Frame) -> Iterator[str]:
    yield f"  subgraph cluster_{frame.key} {{"
    badge = _quoted(f"×{frame.times}")
    yield f'    label={badge} labeljust=r style="rounded,dashed" color="{LINE}"'
    for item in frame.inside.items.values():
        if isinstance(item, Item) and item.kind is not Kind.PORT:
            yield f"    {_node(item)}"
    yield "  }"


def _node(item: Item) -> str:
    colours = COLOURS[item.kind]
    title = f"{item.title} ×{item.times}" if item.times > 1 else item.title
    attributes = [
        f"label={_quoted(title, *item.details)}",
        f'fillcolor="{colours.fill}"',
        f'color="{colours.border}"',
        f'fontcolor="{colours.text}"',
        f"tooltip={_quoted(item.tooltip)}",
    ]
    if item.ellipse:
        attributes.append('shape=ellipse style="filled"')
    return f"n{item.key} [{' '.join(attributes)}]"


def _quoted(*lines: str) -> str:
    # Entities: older versions of Graphviz do not agree on what follows a backslash.
    escaped = (line.replace("&", "&amp;").replace("\\", "&#92;").replace('"', "&quot;") for line in lines)
    text = "\\n".join(escaped).replace("\n", "\\n")
    return f'"{writable(text)}"'
