"""Makes runs of vertices exactly straight where there is room for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

from rgrad.graph.layout.layers import Layered

_ROUNDS = 3


def straighten(
    layered: Layered,
    places: dict[int, float],
    widths: dict[int, float],
    gap: float,
    aside: Collection[int],
) -> None:
    """Moves each run to one place between the neighbours that its vertices have.

    A run is a long edge on its way, or a sequence of vertices with no other edges than to each
    other and to vertices `aside`. Where no place suits all of a run, it is cut there.
    """
    left: dict[int, int] = {}
    right: dict[int, int] = {}
    for layer in layered.layers:
        for one, other in pairwise(layer):
            left[other], right[one] = one, other

    def room(key: int) -> tuple[float, float]:
        lowest, highest = float("-inf"), float("inf")
        if key in left:
            lowest = places[left[key]] + (widths[left[key]] + widths[key]) / 2 + gap
        if key in right:
            highest = places[right[key]] - (widths[right[key]] + widths[key]) / 2 - gap
        return lowest, highest

    runs = list(_runs(layered, aside))
    for _ in range(_ROUNDS):
        for run in runs:
            piece: list[int] = []
            lowest, highest = float("-inf"), float("inf")
            for key in run:
                least, most = room(key)
                if max(lowest, least) > min(highest, most):
                    _settle(piece, lowest, highest, places)
                    piece, lowest, highest = [], float("-inf"), float("inf")
                piece.append(key)
                lowest, highest = max(lowest, least), min(highest, most)
            _settle(piece, lowest, highest, places)


def _settle(piece: list[int], lowest: float, highest: float, places: dict[int, float]) -> None:
    if len(piece) > 1 and lowest <= highest:
        mean = sum(places[key] for key in piece) / len(piece)
        places.update(dict.fromkeys(piece, min(max(mean, lowest), highest)))


def _runs(layered: Layered, aside: Collection[int]) -> Iterator[list[int]]:
    below: dict[int, int] = {}
    for layer in layered.layers:
        for key in layer:
            lower = layered.lower[key]
            if len(lower) != 1 or key in aside or lower[0] in aside:
                continue
            if (key in layered.passing) != (lower[0] in layered.passing):
                continue
            if [upper for upper in layered.upper[lower[0]] if upper not in aside] == [key]:
                below[key] = lower[0]
    continued = set(below.values())
    for key in below:
        if key not in continued:
            run = [key]
            while run[-1] in below:
                run.append(below[run[-1]])
            yield run
