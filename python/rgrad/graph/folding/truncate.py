"""Keeps the part of a picture nearest to its outputs when the whole is too much to look at."""

from __future__ import annotations

from collections import deque

from rgrad.graph.picture import Arrow, Item, Kind, Picture


def truncate(picture: Picture, limit: int) -> Picture:
    """At most about `limit` items, nearest to the outputs first, and a remark about the others."""
    if len(picture.items) <= limit:
        return picture
    inputs: dict[int, list[int]] = {key: [] for key in picture.items}
    used: set[int] = set()
    for arrow in picture.arrows:
        inputs[arrow.head].append(arrow.tail)
        used.add(arrow.tail)
    waiting = deque(key for key in picture.items if key not in used)
    kept: set[int] = set()
    while waiting and len(kept) < limit:
        key = waiting.popleft()
        if key not in kept:
            kept.add(key)
            waiting.extend(inputs[key])
    hidden = sum(item.nodes for key, item in picture.items.items() if key not in kept)
    shown = sum(item.nodes for key, item in picture.items.items() if key in kept)
    rest = picture.next_key()
    smaller = Picture(remarks=list(picture.remarks))
    smaller.items[rest] = Item(rest, Kind.REMARK, f"… {hidden:,} more nodes", nodes=hidden)
    smaller.items.update((key, item) for key, item in picture.items.items() if key in kept)
    cut: set[int] = set()
    for arrow in picture.arrows:
        if arrow.head in kept and arrow.tail in kept:
            smaller.arrows.append(arrow)
        elif arrow.head in kept and arrow.head not in cut:
            cut.add(arrow.head)
            smaller.arrows.append(Arrow(rest, arrow.head, entry=arrow.entry))
    smaller.remarks.append(
        f"Too large to draw in full: the {shown:,} nodes nearest to the output are shown, {hidden:,} are not."
    )
    return smaller
