"""Writes a picture as a Mermaid flowchart, which Markdown viewers draw."""

from __future__ import annotations

from collections.abc import Iterator

from rgrad.graph.formats.letters import writable
from rgrad.graph.formats.palette import COLOURS
from rgrad.graph.picture import Frame, Item, Kind, Picture, without_frames


def to_mermaid(picture: Picture) -> str:
    """The picture as the text of a flowchart; frames become subgraphs."""
    lines = ["flowchart TD"]
    lines += [f"  %% {remark}" for remark in picture.remarks]
    for item in picture.items.values():
        if isinstance(item, Frame):
            lines.extend(_subgraph(item))
        else:
            lines.append(f"  {_node(item)}")
    flat = without_frames(picture)
    for arrow in flat.arrows:
        label = f"|{_quoted(arrow.label)}|" if arrow.label else ""
        lines.append(f"  n{arrow.tail} -->{label} n{arrow.head}")
    used = {item.kind for item in flat.items.values() if isinstance(item, Item)}
    for kind in Kind:
        if kind in used:
            colours = COLOURS[kind]
            lines.append(f"  classDef {kind.value} fill:{colours.fill},stroke:{colours.border},color:{colours.text}")
    return "\n".join(lines) + "\n"


def _subgraph(frame: Frame) -> Iterator[str]:
    yield f"  subgraph s{frame.key} [{_quoted(f'×{frame.times}')}]"
    for item in frame.inside.items.values():
        if isinstance(item, Item) and item.kind is not Kind.PORT:
            yield f"    {_node(item)}"
    yield "  end"


def _node(item: Item) -> str:
    title = f"{item.title} ×{item.times}" if item.times > 1 else item.title
    text = _quoted(title, *item.details)
    shape = f"([{text}])" if item.ellipse else f"[{text}]"
    return f"n{item.key}{shape}:::{item.kind.value}"


def _quoted(*lines: str) -> str:
    escapes = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "}
    escaped = ("".join(escapes.get(letter, letter) for letter in writable(line)) for line in lines)
    return f'"{"<br>".join(escaped)}"'
