"""What a picture consists of: items, frames around repeated items, and arrows between them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum


class Kind(Enum):
    """What an item stands for; decides its colour."""

    LEAF = "leaf"
    ACCUMULATE = "accumulate"
    OPERATION = "operation"
    VARIABLE = "variable"
    OUTPUT = "output"
    REMARK = "remark"
    PORT = "port"


@dataclass(frozen=True)
class Item:
    """One box or ellipse with its text.

    `nodes` is the number of autograd nodes that the item stands for, `times` how often the same
    thing follows itself. Items with equal `signature` look alike apart from names and values, which
    is what folding asks.
    """

    key: int
    kind: Kind
    title: str
    details: tuple[str, ...] = ()
    tooltip: str = ""
    ellipse: bool = False
    nodes: int = 1
    times: int = 1
    signature: Hashable = None


@dataclass(frozen=True)
class Frame:
    """Several items that follow themselves `times` times, drawn once.

    The items in `inside` are joined to the rest of the picture through ports: arrows of the outer
    picture arrive at one of the `entries` and leave from `exit`.
    """

    key: int
    times: int
    inside: Picture
    entries: tuple[int, ...]
    exit: int

    @property
    def nodes(self) -> int:
        """The number of autograd nodes that the frame stands for."""
        return self.times * sum(item.nodes for item in self.inside.items.values())


@dataclass(frozen=True)
class Arrow:
    """Data flowing from `tail` to `head`; `entry` is the port used when the head is a frame."""

    tail: int
    head: int
    label: str = ""
    entry: int | None = None


@dataclass
class Picture:
    """Items by their key, the arrows between them, and remarks written below the picture."""

    items: dict[int, Item | Frame] = field(default_factory=dict)
    arrows: list[Arrow] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def next_key(self) -> int:
        """A key greater than all in use here and inside of the frames."""
        inner = (frame.inside.next_key() for frame in self.frames())
        return max([max(self.items, default=-1) + 1, *inner])

    def frames(self) -> Iterator[Frame]:
        """The frames among the items."""
        return (item for item in self.items.values() if isinstance(item, Frame))


def without_frames(picture: Picture) -> Picture:
    """The same items on one level: arrows lead through the ports, which are dropped themselves."""
    flat = Picture(remarks=picture.remarks)
    into: dict[int, list[int]] = {}
    out_of: dict[int, list[int]] = {}
    for key, item in picture.items.items():
        if isinstance(item, Item):
            flat.items[key] = item
            continue
        inside = item.inside
        flat.items.update(
            (inner, part)
            for inner, part in inside.items.items()
            if isinstance(part, Item) and part.kind is not Kind.PORT
        )
        for arrow in inside.arrows:
            if arrow.tail in item.entries:
                into.setdefault(arrow.tail, []).append(arrow.head)
            elif arrow.head == item.exit:
                out_of.setdefault(key, []).append(arrow.tail)
            else:
                flat.arrows.append(arrow)
    for arrow in picture.arrows:
        for tail in out_of.get(arrow.tail, [arrow.tail]):
            heads = [arrow.head] if arrow.entry is None else into.get(arrow.entry, [])
            for head in heads:
                flat.arrows.append(replace(arrow, tail=tail, head=head, entry=None))
    return flat
