"""Orders the vertices within their layers so that few edges cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise

from rgrad.graph.layout.layers import Layered

_SWEEPS = 24
_SWEEPS_WITHOUT_GAIN = 6


def reduce_crossings(layered: Layered) -> None:
    """Sorts each layer by the mean place of its neighbours, down and up; the best order stays."""
    best = [list(layer) for layer in layered.layers]
    fewest = count_crossings(layered)
    stale = 0
    for sweep in range(_SWEEPS):
        if not fewest or stale >= _SWEEPS_WITHOUT_GAIN:
            break
        downwards = sweep % 2 == 0
        neighbours = layered.upper if downwards else layered.lower
        layers = layered.layers if downwards else layered.layers[::-1]
        for fixed, layer in pairwise(layers):
            _sort_by_neighbours(layer, fixed, neighbours)
        crossings = count_crossings(layered)
        stale += 1
        if crossings < fewest:
            best, fewest, stale = [list(layer) for layer in layered.layers], crossings, 0
    layered.layers[:] = best


def count_crossings(layered: Layered) -> int:
    """How many pairs of edges cross between neighbouring layers."""
    total = 0
    for above, below in pairwise(layered.layers):
        places = {key: place for place, key in enumerate(below)}
        passed: list[int] = []
        for key in above:
            ends = sorted(places[end] for end in layered.lower[key])
            total += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return total


def _sort_by_neighbours(layer: list[int], fixed: list[int], neighbours: dict[int, list[int]]) -> None:
    places = {key: place for place, key in enumerate(fixed)}
    scale = len(fixed) / max(len(layer), 1)
    wishes: dict[int, float] = {}
    for place, key in enumerate(layer):
        near = [places[other] for other in neighbours[key]]
        # Without neighbours a vertex keeps its relative place.
        wishes[key] = sum(near) / len(near) if near else place * scale
    layer.sort(key=wishes.__getitem__)
