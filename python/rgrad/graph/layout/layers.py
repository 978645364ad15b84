"""Assigns items to layers and cuts long arrows into pieces from one layer to the next."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass
class Layered:
    """Vertices in layers from top to bottom; `paths` lists the vertices each edge runs through.

    Vertices beyond those given stand for the places where a long edge passes a layer.
    """

    layers: list[list[int]]
    paths: list[list[int]]
    upper: dict[int, list[int]]
    lower: dict[int, list[int]]
    passing: set[int]


def in_layers(
    vertices: Sequence[int],
    edges: Sequence[tuple[int, int]],
    first: Collection[int] = (),
    last: Collection[int] = (),
) -> Layered:
    """Longest-path layering from below, so that parameters stay near to where they are used.

    `first` are alone in the uppermost layer, `last` in the lowest. The edges must not form a cycle.
    """
    heights = _heights(vertices, edges)
    if last:
        heights = {key: height + (key not in last) for key, height in heights.items()}
        heights.update(dict.fromkeys(last, 0))
    if first:
        others = (height for key, height in heights.items() if key not in first)
        heights.update(dict.fromkeys(first, max(others, default=0) + 1))
    count = max(heights.values(), default=-1) + 1
    layered = Layered(
        layers=[[] for _ in range(count)],
        paths=[],
        upper={key: [] for key in vertices},
        lower={key: [] for key in vertices},
        passing=set(),
    )
    where = {key: count - 1 - heights[key] for key in vertices}
    next_key = max(vertices, default=0) + 1
    for tail, head in edges:
        path = [tail]
        for layer in range(where[tail] + 1, where[head]):
            where[next_key] = layer
            layered.passing.add(next_key)
            layered.upper[next_key], layered.lower[next_key] = [], []
            path.append(next_key)
            next_key += 1
        path.append(head)
        for above, below in pairwise(path):
            layered.lower[above].append(below)
            layered.upper[below].append(above)
        layered.paths.append(path)
    _fill_layers(layered, vertices, where)
    return layered


def _heights(vertices: Sequence[int], edges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The number of edges on the longest way down from each vertex."""
    inputs: dict[int, list[int]] = {key: [] for key in vertices}
    waiting_for: dict[Hashable, int] = dict.fromkeys(vertices, 0)
    for tail, head in edges:
        inputs[head].append(tail)
        waiting_for[tail] += 1
    heights = dict.fromkeys(vertices, 0)
    ready = [key for key in vertices if not waiting_for[key]]
    while ready:
        key = ready.pop()
        for tail in inputs[key]:
            heights[tail] = max(heights[tail], heights[key] + 1)
            waiting_for[tail] -= 1
            if not waiting_for[tail]:
                ready.append(tail)
    return heights


def _fill_layers(layered: Layered, vertices: Sequence[int], where: dict[int, int]) -> None:
    """A first order within the layers: depth first from below keeps what belongs together near."""
    sinks = [key for key in vertices if not layered.lower[key]]
    seen: set[int] = set()
    stack = sinks[::-1]
    while stack:
        key = stack.pop()
        if key not in seen:
            seen.add(key)
            layered.layers[where[key]].append(key)
            stack.extend(reversed(layered.upper[key]))
