"""Finds horizontal places: as close to the neighbours as room allows, in the order given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from rgrad.graph.layout.layers import Layered

_ROUNDS = 16


def horizontal_places(
    layered: Layered,
    widths: dict[int, float],
    gap: float,
    weight: Callable[[int, int], float],
) -> dict[int, float]:
    """The middle of each vertex.

    Layer by layer, downwards and upwards in turn, each vertex wishes to be at the weighted mean of
    its neighbours; the nearest places that keep the order and the gap are computed exactly.
    """
    places: dict[int, float] = {}
    for layer in layered.layers:
        x = 0.0
        for key in layer:
            places[key] = x + widths[key] / 2
            x += widths[key] + gap
        middle = (x - gap) / 2
        for key in layer:
            places[key] -= middle
    for round_number in range(_ROUNDS):
        last = round_number == _ROUNDS - 1
        _sweep(layered.layers, places, widths, gap, weight, [layered.upper])
        _sweep(layered.layers[::-1], places, widths, gap, weight, [layered.lower])
        if last:
            both = [layered.upper, layered.lower]
            _sweep(layered.layers, places, widths, gap, weight, both)
    return places


def _sweep(
    layers: Sequence[Sequence[int]],
    places: dict[int, float],
    widths: dict[int, float],
    gap: float,
    weight: Callable[[int, int], float],
    sides: Sequence[dict[int, list[int]]],
) -> None:
    for layer in layers:
        wishes: list[float] = []
        weights: list[float] = []
        for key in layer:
            pulls = [(weight(key, other), places[other]) for side in sides for other in side[key]]
            total = sum(pull for pull, _ in pulls)
            if total:
                wishes.append(sum(pull * x for pull, x in pulls) / total)
                weights.append(total)
            else:
                wishes.append(places[key])
                weights.append(0.1)
        room = [widths[key] for key in layer]
        for key, x in zip(layer, nearest_in_order(wishes, weights, room, gap), strict=True):
            places[key] = x


def nearest_in_order(
    wishes: Sequence[float], weights: Sequence[float], widths: Sequence[float], gap: float
) -> list[float]:
    """The places nearest to the wishes, by weighted squares, that keep order and distance.

    With the least distances taken off this is isotonic regression, which pooling solves: whoever
    would overtake a neighbour shares one place with it.
    """
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + gap)
    pools: list[tuple[float, float, int]] = []
    for wish, weight, offset in zip(wishes, weights, offsets, strict=False):
        mean, total, count = wish - offset, weight, 1
        while pools and pools[-1][0] > mean:
            before, heavier, more = pools.pop()
            mean = (mean * total + before * heavier) / (total + heavier)
            total += heavier
            count += more
        pools.append((mean, total, count))
    flat = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=False)]
