"""Steps of the trunk: what lies between one item and the next that everything passes through."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from rgrad.graph.folding.flow import Flow
from rgrad.graph.picture import Picture

_LARGEST_STEP = 256


@dataclass(frozen=True)
class Step:
    """The way from `entry` to the last of `members`, which are in an order fixed by structure.

    `shared` are leaves that others use too. Steps with equal `signature` look alike, and their
    members correspond one by one.
    """

    entry: int
    members: tuple[int, ...]
    shared: tuple[int, ...]
    own_leaves: bool
    signature: int

    @property
    def end(self) -> int:
        """The item that the next step begins after."""
        return self.members[-1]


class StepFinder:
    """Cuts the trunk of a picture into chains of steps."""

    def __init__(self, picture: Picture) -> None:
        self.flow = Flow(picture)
        self._place = {key: place for place, key in enumerate(self.flow.order)}
        self._looks: dict[Hashable, int] = {}
        self._labels = {
            key: self._number(("item", getattr(item, "signature", None))) for key, item in picture.items.items()
        }

    def chains(self) -> Iterator[list[Step]]:
        """Sequences of steps in which each begins where the one before ends."""
        steps: dict[int, Step] = {}
        ends: set[int] = set()
        joins = self.flow.joins()
        for key in self.flow.order:
            candidates: list[tuple[int, int]] = []
            if key in joins:
                join = joins[key]
                if join is not None:
                    candidates.append((key, join))
                trunk_inputs = [t for t in self.flow.inputs[key] if t not in self.flow.feeders]
                if not trunk_inputs and key in self.flow.main:
                    candidates.append((self.flow.main[key], key))
            for entry, end in candidates:
                step = self._step(entry, end)
                if step is not None and entry not in steps:
                    steps[entry] = step
                    ends.add(end)
        for entry in list(steps):
            if entry not in ends:
                chain = []
                while entry in steps:
                    chain.append(steps[entry])
                    entry = chain[-1].end
                yield chain

    def _step(self, entry: int, end: int) -> Step | None:
        """The step between two items, or None if something else leads in or out."""
        flow = self.flow
        members: list[int] = []
        seen: set[int] = set()
        used_leaves: list[int] = []
        stack = [(end, False)]
        while stack:
            key, finished = stack.pop()
            if finished:
                members.append(key)
            elif key == entry or key in seen:
                continue
            elif key in flow.leaves:
                seen.add(key)
                used_leaves.append(key)
                members.append(key)
            else:
                seen.add(key)
                if len(seen) > _LARGEST_STEP:
                    return None
                # An item before the entry is reached by a way around it.
                if key not in flow.feeders and self._place[key] < self._place[entry]:
                    return None
                stack.append((key, True))
                stack.extend((tail, False) for tail in reversed(flow.inputs[key]))
        shared = {leaf for leaf in used_leaves if not seen.issuperset(flow.users[leaf])}
        for key in seen - shared - {end}:
            if not seen.issuperset(flow.users[key]):
                return None
        if entry not in flow.leaves and not seen.issuperset(flow.users[entry]):
            return None
        own = tuple(key for key in members if key not in shared)
        return Step(
            entry=entry,
            members=own,
            shared=tuple(leaf for leaf in used_leaves if leaf in shared),
            own_leaves=len(shared) < len(used_leaves),
            signature=self._signature(entry, own),
        )

    def _signature(self, entry: int, members: tuple[int, ...]) -> int:
        """Equal for steps with the same items joined in the same way, whatever their keys."""
        places: dict[int, Hashable] = {key: place for place, key in enumerate(members)}
        places[entry] = "entry"
        look = tuple(
            (
                self._labels[key],
                tuple(places.get(tail, ("shared", tail)) for tail in self.flow.inputs[key]),
            )
            for key in members
        )
        return self._number(("step", look))

    def _number(self, look: Hashable) -> int:
        return self._looks.setdefault(look, len(self._looks))
