"""Gives every item a place and every arrow a way, frames included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rgrad.graph.layout.coordinates import horizontal_places
from rgrad.graph.layout.crossings import reduce_crossings
from rgrad.graph.layout.layers import Layered, in_layers
from rgrad.graph.layout.straighten import straighten
from rgrad.graph.layout.typography import item_size
from rgrad.graph.picture import Arrow, Frame, Item, Kind, Picture

GAP_BETWEEN_ITEMS = 26.0
GAP_BETWEEN_LAYERS = 38.0
_GAP_BESIDE_PORTS = 28.0
_FRAME_PADDING = 20.0
_PORT_DISTANCE = 22.0
_PASSING_WIDTH = 4.0


@dataclass(frozen=True)
class Placed:
    """An item or frame with its upper left corner and size."""

    item: Item | Frame
    x: float
    y: float
    width: float
    height: float
    inside: Arrangement | None = None

    @property
    def middle(self) -> float:
        """The horizontal middle."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Route:
    """The way of an arrow: vertical pieces `(x, top, bottom)`, which curves are to join."""

    arrow: Arrow
    pieces: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Arrangement:
    """All that has a place, in a rectangle from (0, 0) to (width, height)."""

    placed: dict[int, Placed]
    routes: list[Route]
    width: float
    height: float


def arrange(picture: Picture, first: Sequence[int] = (), last: Sequence[int] = ()) -> Arrangement:
    """Lays a picture out from top to bottom.

    `first` and `last` are the ports of a frame, which touch its upper and lower edge.
    """
    inner = {frame.key: arrange(frame.inside, frame.entries, (frame.exit,)) for frame in picture.frames()}
    sizes = {
        key: (inner[key].width + 2 * _FRAME_PADDING, inner[key].height) if isinstance(item, Frame) else item_size(item)
        for key, item in picture.items.items()
    }
    layered = in_layers(list(picture.items), [(arrow.tail, arrow.head) for arrow in picture.arrows], first, last)
    reduce_crossings(layered)
    widths = {key: width for key, (width, _) in sizes.items()}
    widths.update(dict.fromkeys(layered.passing, _PASSING_WIDTH))
    pull = _Pull(picture, layered)
    middles = horizontal_places(layered, widths, GAP_BETWEEN_ITEMS, pull)
    straighten(layered, middles, widths, GAP_BETWEEN_ITEMS, pull.aside)
    left = min((middles[key] - widths[key] / 2 for key in widths), default=0.0)
    right = max((middles[key] + widths[key] / 2 for key in widths), default=0.0)
    middles = {key: middle - left for key, middle in middles.items()}

    placed: dict[int, Placed] = {}
    bands: dict[int, tuple[float, float]] = {}
    top = bottom = 0.0
    for number, layer in enumerate(layered.layers):
        if number:
            beside_ports = layer[0] in last or layered.layers[number - 1][0] in first
            top = bottom + (_GAP_BESIDE_PORTS if beside_ports else GAP_BETWEEN_LAYERS)
        bottom = top + max((sizes[key][1] for key in layer if key in sizes), default=0.0)
        # Beside a tall frame items stay low, near to what uses them.
        share = 1.0 if inner.keys() & set(layer) else 0.5
        for key in layer:
            bands[key] = (top, bottom)
            if key in sizes:
                width, height = sizes[key]
                x, y = middles[key] - width / 2, top + (bottom - top - height) * share
                placed[key] = Placed(picture.items[key], x, y, width, height, inner.get(key))
    _lower_leaves(layered, placed)
    routes = _routes(picture, layered, placed, middles, bands)
    return Arrangement(placed, routes, right - left, bottom)


class _Pull:
    """How strongly an edge wants to be straight: long ones most, those of parameters least."""

    def __init__(self, picture: Picture, layered: Layered) -> None:
        self._passing = layered.passing
        self.aside = {
            key
            for key, item in picture.items.items()
            if isinstance(item, Item) and item.kind in (Kind.LEAF, Kind.ACCUMULATE)
        }

    def __call__(self, one: int, other: int) -> float:
        if one in self._passing and other in self._passing:
            return 24.0
        if one in self.aside or other in self.aside:
            return 1.0
        return 3.0


def _lower_leaves(layered: Layered, placed: dict[int, Placed]) -> None:
    """A leaf comes close to its only user where that one stays low beside a frame."""
    for key, leaf in placed.items():
        users = layered.lower[key]
        if len(users) != 1 or layered.upper[key] or users[0] not in placed:
            continue
        user = placed[users[0]]
        room = (user.width + GAP_BETWEEN_ITEMS - leaf.width) / 2
        lower = user.y - GAP_BETWEEN_LAYERS - leaf.height
        if user.inside is None and lower > leaf.y and abs(leaf.middle - user.middle) <= room:
            placed[key] = replace(leaf, y=lower)


def _routes(
    picture: Picture,
    layered: Layered,
    placed: dict[int, Placed],
    middles: dict[int, float],
    bands: dict[int, tuple[float, float]],
) -> list[Route]:
    leaving: dict[int, list[int]] = {}
    arriving: dict[int, list[int]] = {}
    for number, path in enumerate(layered.paths):
        leaving.setdefault(path[0], []).append(number)
        arriving.setdefault(path[-1], []).append(number)
    starts: dict[int, float] = {}
    stops: dict[int, float] = {}
    for key, numbers in leaving.items():
        numbers.sort(key=lambda number: middles[layered.paths[number][1]])
        starts.update(zip(numbers, _spread(placed[key], len(numbers)), strict=True))
    for key, numbers in arriving.items():
        numbers.sort(key=lambda number: middles[layered.paths[number][-2]])
        stops.update(zip(numbers, _spread(placed[key], len(numbers)), strict=True))
    routes = []
    for number, (arrow, path) in enumerate(zip(picture.arrows, layered.paths, strict=True)):
        tail, head = placed[path[0]], placed[path[-1]]
        start = starts[number]
        stop = stops[number]
        if tail.inside is not None and isinstance(tail.item, Frame):
            start = tail.x + _FRAME_PADDING + tail.inside.placed[tail.item.exit].middle
        if head.inside is not None and arrow.entry is not None:
            stop = head.x + _FRAME_PADDING + head.inside.placed[arrow.entry].middle
        leave = tail.y + _depth(tail, start)
        reach = head.y + head.height - _depth(head, stop)
        bend = bands[path[-1]][0]
        pieces = [(start, leave, max(leave, bands[path[0]][1]))]
        pieces += [(middles[key], *bands[key]) for key in path[1:-1]]
        pieces += [(stop, bend if bend > pieces[-1][2] else reach, reach)]
        routes.append(Route(arrow, tuple(pieces)))
    return routes


def _depth(placed: Placed, x: float) -> float:
    """How far below its upper edge an item ends at `x`: less than its height for ellipses."""
    if not (isinstance(placed.item, Item) and placed.item.ellipse):
        return placed.height
    share = min(abs(x - placed.middle) / (placed.width / 2), 1.0)
    return placed.height / 2 * (1 + math.sqrt(1 - share * share))


def _spread(placed: Placed, count: int) -> list[float]:
    """Where arrows touch an item: side by side around its middle."""
    distance = min(_PORT_DISTANCE, placed.width * 0.7 / count)
    return [placed.middle + (index - (count - 1) / 2) * distance for index in range(count)]
