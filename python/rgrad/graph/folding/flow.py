"""How data flows through a picture: inputs, users, and which inputs are side matters.

A layer's parameters reach it through small trees that nothing else uses. Called feeders here, they
belong to the item they feed; what is left is the trunk, in which layers follow each other.
"""

from __future__ import annotations

from rgrad.graph.picture import Kind, Picture

_LARGEST_FEEDER = 8


class Flow:
    """Inputs and users of each item of a picture that has no frames yet.

    The items must be in an order in which inputs come first.
    """

    def __init__(self, picture: Picture) -> None:
        self.order = list(picture.items)
        self.inputs: dict[int, list[int]] = {key: [] for key in self.order}
        self.users: dict[int, list[int]] = {key: [] for key in self.order}
        for arrow in picture.arrows:
            self.inputs[arrow.head].append(arrow.tail)
            self.users[arrow.tail].append(arrow.head)
        self.leaves = {key for key, item in picture.items.items() if getattr(item, "kind", None) is Kind.LEAF}
        self.main: dict[int, int] = {}
        self.feeders: set[int] = set()
        self._find_main_inputs()
        self._find_feeders()

    def trunk_users(self, key: int) -> set[int]:
        """Who uses the item, each named once."""
        return set(self.users[key])

    def joins(self) -> dict[int, int | None]:
        """For each trunk item the nearest one that everything flowing out of it passes through."""
        joins: dict[int, int | None] = {}
        depths: dict[int | None, int] = {None: 0}
        for key in reversed(self.order):
            if key in self.feeders:
                continue
            meeting: int | None = None
            for number, user in enumerate(self.trunk_users(key)):
                meeting = user if number == 0 else _meet(meeting, user, joins, depths)
            joins[key] = meeting
            depths[key] = depths[meeting] + 1
        return joins

    def _find_main_inputs(self) -> None:
        """The main input is the one with the longest way behind it."""
        depths: dict[int, int] = {}
        for key in self.order:
            inputs = self.inputs[key]
            depths[key] = 1 + max((depths[tail] for tail in inputs), default=-1)
            if inputs:
                self.main[key] = max(inputs, key=depths.__getitem__)

    def _find_feeders(self) -> None:
        sizes: dict[int, int] = {}
        for key in self.order:
            inputs, users = self.inputs[key], self.users[key]
            sizes[key] = 1 + sum(sizes[tail] for tail in inputs)
            if key in self.leaves or (
                len(users) == 1
                and sizes[key] <= _LARGEST_FEEDER
                and self.main[users[0]] != key
                and all(tail in self.feeders for tail in inputs)
            ):
                self.feeders.add(key)


def _meet(
    left: int | None,
    right: int | None,
    joins: dict[int, int | None],
    depths: dict[int | None, int],
) -> int | None:
    while left != right:
        if depths[left] >= depths[right]:
            assert left is not None
            left = joins[left]
        else:
            assert right is not None
            right = joins[right]
    return left
