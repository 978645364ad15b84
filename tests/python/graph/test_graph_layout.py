"""Places and ways: nothing overlaps, everything flows down."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_graphs import MadeTensor, layer, leaf, operation
from rgrad.graph.folding import fold
from rgrad.graph.layout import Arrangement, arrange
from rgrad.graph.layout.coordinates import nearest_in_order
from rgrad.graph.layout.crossings import count_crossings, reduce_crossings
from rgrad.graph.layout.layers import in_layers
from rgrad.graph.names import Names
from rgrad.graph.picture import Arrow, Item, Kind, Picture
from rgrad.graph.trace import trace
from rgrad.graph.views import nodes_view


def random_picture(seed: int, size: int) -> Picture:
    choose = random.Random(seed)
    picture = Picture()
    for key in range(size):
        details = ("a line of text",) * choose.randrange(4)
        picture.items[key] = Item(key, Kind.OPERATION, "Operation", details)
        for tail in choose.sample(range(key), min(key, choose.randrange(3))):
            picture.arrows.append(Arrow(tail, key))
    return picture


def check(arrangement: Arrangement) -> None:
    boxes = list(arrangement.placed.values())
    for number, one in enumerate(boxes):
        assert -0.01 <= one.x <= one.x + one.width <= arrangement.width + 0.01
        assert -0.01 <= one.y <= one.y + one.height <= arrangement.height + 0.01
        for other in boxes[:number]:
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            above = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert beside or above
        if one.inside is not None:
            check(one.inside)
    for route in arrangement.routes:
        heights = [height for _, top, bottom in route.pieces for height in (top, bottom)]
        assert heights == sorted(heights)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_overlaps_and_arrows_lead_down(seed: int) -> None:
    check(arrange(random_picture(seed, 40)))


def test_frames_have_room_for_what_is_inside() -> None:
    node = leaf(2, 3)[0]
    for _ in range(6):
        node = layer(operation("ExpBackward0", node), leaf(3, 3)[0], leaf(3)[0])
    traced = trace([MadeTensor(layer(node, leaf(3, 4)[0], leaf(4)[0]))])  # type: ignore[list-item]
    arrangement = arrange(fold(nodes_view(traced, Names(None), values=False, merge_leaves=True)))
    framed = [placed for placed in arrangement.placed.values() if placed.inside is not None]
    assert len(framed) == 1
    assert framed[0].inside is not None
    assert framed[0].width > framed[0].inside.width
    check(arrangement)


def test_parameters_stay_near_to_where_they_are_used() -> None:
    layered = in_layers([0, 1, 2, 3, 4], [(0, 1), (1, 2), (2, 3), (4, 3)])
    assert layered.layers == [[0], [1], [2, 4], [3]]


def test_long_edges_pass_every_layer() -> None:
    layered = in_layers([0, 1, 2], [(0, 1), (1, 2), (0, 2)])
    assert [len(path) for path in layered.paths] == [2, 2, 3]
    assert len(layered.passing) == 1


def test_ports_are_first_and_last() -> None:
    layered = in_layers([0, 1, 2, 3], [(0, 1), (2, 1), (1, 3)], first=[0], last=[3])
    assert layered.layers[0] == [0]
    assert layered.layers[-1] == [3]


def test_crossings_are_counted_and_taken_out() -> None:
    layered = in_layers([0, 1, 2, 3], [(0, 3), (1, 2)])
    layered.layers[:] = [[0, 1], [2, 3]]
    assert count_crossings(layered) == 1
    reduce_crossings(layered)
    assert count_crossings(layered) == 0


def test_edges_with_a_common_end_do_not_cross() -> None:
    assert count_crossings(in_layers([0, 1, 2], [(0, 2), (0, 2), (1, 2)])) == 0


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=12), st.floats(0, 50))
def test_places_keep_order_and_distance(wishes: list[float], gap: float) -> None:
    widths = [10.0 + index for index in range(len(wishes))]
    places = nearest_in_order(wishes, [1.0] * len(wishes), widths, gap)
    for index in range(len(places) - 1):
        least = (widths[index] + widths[index + 1]) / 2 + gap
        assert places[index + 1] - places[index] >= least - 1e-6


def test_wishes_that_fit_are_granted() -> None:
    assert nearest_in_order([0.0, 100.0], [1.0, 5.0], [10.0, 10.0], 5.0) == [0.0, 100.0]


def test_a_heavier_wish_moves_less() -> None:
    left, right = nearest_in_order([0.0, 0.0], [3.0, 1.0], [10.0, 10.0], 0.0)
    assert (left, right) == (-2.5, 7.5)
