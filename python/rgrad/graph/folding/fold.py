"""Folds a picture: repeated steps become one copy, long plain stretches lose their middle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rgrad.graph.folding.repeats import find_repeats
from rgrad.graph.folding.steps import Step, StepFinder
from rgrad.graph.picture import Arrow, Frame, Item, Kind, Picture
from rgrad.graph.wording import merged_names

_FEWEST_FOLDED = 6
_LONGEST_STRETCH = 16
_KEPT_AT_EACH_END = 4


@dataclass(frozen=True)
class _Fold:
    """Copies of a piece of the picture that follow each other, or one piece to be left out."""

    copies: tuple[tuple[Step, ...], ...]
    left_out: bool = False

    @property
    def entry(self) -> int:
        return self.copies[0][0].entry

    @property
    def end(self) -> int:
        return self.copies[-1][-1].end

    @property
    def size(self) -> int:
        return sum(len(step.members) for copy in self.copies for step in copy)

    def members_of(self, copy: int) -> list[int]:
        return [key for step in self.copies[copy] for key in step.members]

    def members(self) -> list[int]:
        return [key for copy in range(len(self.copies)) for key in self.members_of(copy)]

    def shared(self) -> list[int]:
        leaves = (leaf for copy in self.copies for step in copy for leaf in step.shared)
        return [leaf for leaf in dict.fromkeys(leaves) if leaf != self.entry]


def fold(picture: Picture) -> Picture:
    """A picture in which what repeats is drawn once; `picture` itself stays as it is."""
    candidates = [found for chain in StepFinder(picture).chains() for found in _folds_in(chain)]
    # The largest first: what lies inside of a repeated layer is not folded on its own.
    candidates.sort(key=lambda found: -found.size)
    taken: set[int] = set()
    chosen: list[_Fold] = []
    for found in candidates:
        members = found.members()
        if taken.isdisjoint(members):
            taken.update(members)
            chosen.append(found)
    return _apply(picture, chosen) if chosen else picture


def _folds_in(chain: Sequence[Step]) -> Iterator[_Fold]:
    repeats = find_repeats([step.signature for step in chain], lambda index: chain[index].own_leaves)
    covered: set[int] = set()
    for repeat in repeats:
        starts = range(repeat.start, repeat.stop, repeat.period)
        found = _Fold(tuple(tuple(chain[start : start + repeat.period]) for start in starts))
        if found.size >= _FEWEST_FOLDED:
            covered.update(range(repeat.start, repeat.stop))
            yield found
    stretch: list[Step] = []
    for index, step in enumerate([*chain, None]):
        plain = step is not None and len(step.members) == 1 and not step.shared
        if step is not None and plain and index not in covered:
            stretch.append(step)
            continue
        if len(stretch) > _LONGEST_STRETCH:
            middle = stretch[_KEPT_AT_EACH_END:-_KEPT_AT_EACH_END]
            yield _Fold((tuple(middle),), left_out=True)
        stretch = []


def _apply(picture: Picture, folds: list[_Fold]) -> Picture:
    next_key = picture.next_key()
    arriving: dict[int, list[Arrow]] = {key: [] for key in picture.items}
    for arrow in picture.arrows:
        arriving[arrow.head].append(arrow)
    stands_for: dict[int, int] = {}
    placed: dict[int, Item | Frame] = {}
    entries: dict[tuple[int, int], int | None] = {}
    for found in folds:
        members = found.members()
        kept = found.members_of(0)
        if found.left_out or (len(kept) == 1 and not found.shared()):
            group: Item | Frame = _single(picture, found, next_key)
            ports: dict[int, int] = {}
        else:
            group, ports = _framed(picture, found, next_key, arriving)
        next_key = max(group.key, *ports.values(), getattr(group, "exit", -1), next_key) + 1
        placed[found.end] = group
        stands_for.update(dict.fromkeys(members, group.key))
        entries.update(((group.key, outer), port) for outer, port in ports.items())

    folded = Picture(remarks=list(picture.remarks))
    for key, item in picture.items.items():
        if key in placed:
            folded.items[placed[key].key] = placed[key]
        elif key not in stands_for:
            folded.items[key] = item
    into_groups: set[tuple[int, int]] = set()
    for arrow in picture.arrows:
        tail = stands_for.get(arrow.tail, arrow.tail)
        head = stands_for.get(arrow.head, arrow.head)
        if tail == head:
            continue
        if head != arrow.head:
            if (tail, head) in into_groups:
                continue
            into_groups.add((tail, head))
            entry = entries.get((head, arrow.tail))
            folded.arrows.append(Arrow(tail, head, arrow.label, entry))
        else:
            folded.arrows.append(replace(arrow, tail=tail))
    return folded


def _single(picture: Picture, found: _Fold, key: int) -> Item:
    """One item instead of many."""
    items = [_item(picture, member) for member in found.members()]
    nodes = sum(item.nodes for item in items)
    if found.left_out:
        title = f"… {len(items)} more operations …"
        names = "\n".join(item.title for item in items[:40])
        return Item(key, Kind.REMARK, title, tooltip=names, nodes=nodes)
    return replace(_merged(items, key), nodes=nodes, times=len(items))


def _framed(picture: Picture, found: _Fold, key: int, arriving: dict[int, list[Arrow]]) -> tuple[Frame, dict[int, int]]:
    """The first copy in a frame, and for each item outside that leads in the port it leads to."""
    copies = [found.members_of(copy) for copy in range(len(found.copies))]
    inside = Picture()
    outer = [found.entry, *found.shared()]
    ports = {tail: key + 1 + number for number, tail in enumerate(outer)}
    for tail, port in ports.items():
        title = "" if tail == found.entry else _item(picture, tail).title
        inside.items[port] = Item(port, Kind.PORT, title, nodes=0)
    for parallel in zip(*copies, strict=True):
        first = parallel[0]
        inside.items[first] = _merged([_item(picture, member) for member in parallel], first)
    leave = key + 1 + len(outer)
    inside.items[leave] = Item(leave, Kind.PORT, "", nodes=0)
    for member in copies[0]:
        for arrow in arriving[member]:
            inside.arrows.append(replace(arrow, tail=ports.get(arrow.tail, arrow.tail)))
    inside.arrows.append(Arrow(copies[0][-1], leave))
    return Frame(key, len(copies), inside, tuple(ports.values()), leave), ports


def _merged(items: list[Item], key: int) -> Item:
    """What all the items agree on, with one title for all."""
    first = items[0]
    agreed = set(first.details).intersection(*(item.details for item in items[1:]))
    title = merged_names([item.title for item in items])
    return replace(
        first,
        key=key,
        title=title,
        details=tuple(line for line in first.details if line in agreed),
        tooltip=first.tooltip if title == first.title else title,
    )


def _item(picture: Picture, key: int) -> Item:
    item = picture.items[key]
    assert isinstance(item, Item)
    return item
