"""What folds, what does not, and that nothing gets lost."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_graphs import MadeNode, MadeTensor, chain, layer, leaf, operation
from rgrad.graph.folding import fold, truncate
from rgrad.graph.folding.repeats import Repeat, find_repeats
from rgrad.graph.names import Names
from rgrad.graph.picture import Frame, Item, Kind, Picture, without_frames
from rgrad.graph.trace import trace
from rgrad.graph.views import nodes_view, variables_view
from rgrad.graph.wording import merged_names


def picture_of(node: MadeNode, names: dict[str, Any] | None = None) -> Picture:
    traced = trace([MadeTensor(node)])  # type: ignore[list-item]
    return nodes_view(traced, Names(names), values=False, merge_leaves=True)


def nodes_in(picture: Picture) -> int:
    return sum(item.nodes for item in picture.items.values())


def only_frame(picture: Picture) -> Frame:
    (frame,) = picture.frames()
    return frame


def titles(picture: Picture) -> list[str]:
    return [item.title for item in picture.items.values() if isinstance(item, Item) and item.title]


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("", []),
        ("abcabd", []),
        ("abab", []),
        ("aaaa", [Repeat(0, 1, 4)]),
        ("xabababy", [Repeat(1, 2, 3)]),
        ("aaabbb", [Repeat(0, 1, 3), Repeat(3, 1, 3)]),
        ("abcabcabcab", [Repeat(0, 3, 3)]),
    ],
)
def test_repeats_are_found(sequence: str, expected: list[Repeat]) -> None:
    assert find_repeats([ord(letter) for letter in sequence]) == expected


def test_repeats_begin_where_it_suits() -> None:
    sequence = [ord(letter) for letter in "bababababx"]
    assert find_repeats(sequence, lambda index: sequence[index] == ord("a")) == [Repeat(1, 2, 4)]


def test_a_chain_of_equals_becomes_one_item() -> None:
    folded = fold(picture_of(chain(leaf(2, 3)[0], 1000, "MulBackward0")))
    assert titles(folded) == ["leaf", "MulBackward0", "output"]
    (item,) = (item for item in folded.items.values() if item.nodes == 1000)
    assert isinstance(item, Item)
    assert item.times == 1000


def test_a_chain_of_pairs_becomes_a_frame() -> None:
    folded = fold(picture_of(chain(leaf(2, 3)[0], 24, "MulBackward0", "SinBackward0")))
    frame = only_frame(folded)
    assert frame.times == 12
    assert titles(frame.inside) == ["MulBackward0", "SinBackward0"]


def test_a_short_chain_stays() -> None:
    picture = picture_of(chain(leaf(2, 3)[0], 5, "MulBackward0"))
    assert fold(picture) is picture


def test_shapes_tell_operations_apart() -> None:
    node = leaf(1)[0]
    for size in range(1, 13):
        node = operation("PadBackward0", node, outputs=(((size,), "float32"),))
    picture = picture_of(node)
    assert fold(picture) is picture


def test_layers_fold_with_their_parameters() -> None:
    node, start = leaf(2, 3)
    names = {"start": start}
    node = operation("ExpBackward0", node)
    for index in range(12):
        (weight, names[f"{index}.weight"]), (bias, names[f"{index}.bias"]) = leaf(3, 3), leaf(3)
        node = layer(node, weight, bias)
    picture = picture_of(node, names)
    folded = fold(picture)
    frame = only_frame(folded)
    assert frame.times == 12
    assert sorted(titles(frame.inside)) == [
        "0…11.bias",
        "0…11.weight",
        "AddmmBackward0",
        "ReluBackward0",
        "TBackward0",
    ]
    assert titles(folded) == ["start", "ExpBackward0", "output"]
    assert nodes_in(folded) == nodes_in(picture)


def test_residual_layers_fold() -> None:
    node = operation("ExpBackward0", leaf(2, 3)[0])
    for _ in range(5):
        inner = layer(operation("NormBackward0", node, leaf(3)[0]), leaf(3, 3)[0], leaf(3)[0])
        node = operation("AddBackward0", node, inner)
    folded = fold(picture_of(node))
    assert only_frame(folded).times == 5
    assert titles(folded) == ["leaf", "ExpBackward0", "output"]


def test_steps_that_share_parameters_fold_around_them() -> None:
    weight, variable = leaf(3, 3)
    node = operation("ExpBackward0", leaf(2, 3)[0])
    for _ in range(10):
        node = operation("TanhBackward0", operation("MmBackward0", node, weight))
    folded = fold(picture_of(node, {"weight": variable}))
    frame = only_frame(folded)
    assert frame.times == 10
    assert titles(folded).count("weight") == 1
    entries = [arrow for arrow in folded.arrows if arrow.head == frame.key]
    assert len(entries) == len(frame.entries) == 2
    assert {arrow.entry for arrow in entries} == set(frame.entries)


def test_what_leads_out_of_the_middle_is_not_folded() -> None:
    node = leaf(2, 3)[0]
    steps = []
    for _ in range(8):
        node = operation("SinBackward0", node)
        steps.append(node)
    picture = picture_of(operation("CatBackward0", *steps))
    assert fold(picture) is picture


def test_a_long_mixed_chain_loses_its_middle() -> None:
    names = [f"Op{index}Backward0" for index in range(40)]
    picture = picture_of(chain(leaf(2, 3)[0], 40, *names))
    folded = fold(picture)
    (remark,) = (item for item in folded.items.values() if isinstance(item, Item) and item.kind is Kind.REMARK)
    assert remark.title == f"… {remark.nodes} more operations …"
    assert nodes_in(folded) == nodes_in(picture)
    assert len(folded.items) < 12


def test_variables_fold_too() -> None:
    traced = trace([MadeTensor(chain(leaf(2, 3)[0], 30, "SinBackward0"))])  # type: ignore[list-item]
    folded = fold(variables_view(traced, Names(None), values=False))
    assert only_frame(folded).times == 29


def test_copies_keep_what_they_agree_on() -> None:
    node = leaf(2, 3)[0]
    for line in range(10):
        node = operation("SinBackward0", node, place=("notes.py", line))
    folded = fold(picture_of(node))
    (item,) = (item for item in folded.items.values() if item.nodes == 10)
    assert isinstance(item, Item)
    assert item.details == ("2 × 3 · float32",)


@pytest.mark.parametrize(
    ("names", "merged"),
    [
        (["a", "a"], "a"),
        (["l.0.w", "l.1.w", "l.10.w"], "l.0…10.w"),
        (["a.w", "b.w"], "….w"),
        (["a", "a.b"], "…"),
    ],
)
def test_names_are_merged(names: list[str], merged: str) -> None:
    assert merged_names(names) == merged


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_folding_loses_nothing(seed: int, size: int) -> None:
    choose = random.Random(seed)
    pool = [leaf(2, 3)[0] for _ in range(2)]
    for _ in range(size):
        name = choose.choice(["SinBackward0", "AddBackward0"])
        inputs = choose.sample(pool[-3:], 1 if name.startswith("Sin") else 2)
        pool.append(operation(name, *inputs))
    picture = picture_of(pool[-1])
    folded = fold(picture)
    assert nodes_in(folded) == nodes_in(picture)
    for arrow in folded.arrows:
        assert arrow.tail in folded.items
        assert isinstance(folded.items[arrow.head], Frame) == (arrow.entry is not None)
    flat = without_frames(folded)
    assert all(arrow.tail in flat.items and arrow.head in flat.items for arrow in flat.arrows)


def test_too_large_a_picture_is_cut_with_a_remark() -> None:
    picture = picture_of(chain(leaf(2, 3)[0], 500, "SinBackward0"))
    smaller = truncate(picture, 100)
    assert len(smaller.items) == 101
    assert nodes_in(smaller) == nodes_in(picture)
    assert "output" in titles(smaller)
    (remark,) = smaller.remarks
    assert "402 are not" in remark


def test_a_small_picture_is_not_cut() -> None:
    picture = picture_of(chain(leaf(2, 3)[0], 5, "SinBackward0"))
    assert truncate(picture, 100) is picture
