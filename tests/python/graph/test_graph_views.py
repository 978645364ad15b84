"""What the items of a picture say, in both views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import rgrad
from made_graphs import MadeNode, MadeTensor, leaf, operation
from rgrad.graph.names import Names
from rgrad.graph.picture import Item, Kind, Picture
from rgrad.graph.trace import trace
from rgrad.graph.views import nodes_view, variables_view


def nodes_of(
    *tensors: Any,
    names: Mapping[str, Any] | None = None,
    values: bool = False,
    merge_leaves: bool = True,
) -> Picture:
    return nodes_view(trace(tensors), Names(names), values=values, merge_leaves=merge_leaves)


def titled(picture: Picture, title: str) -> Item:
    found = [item for item in picture.items.values() if isinstance(item, Item)]
    (item,) = (item for item in found if item.title == title)
    return item


def test_an_operation_shows_all_that_its_node_tells() -> None:
    start, _ = leaf(5, 3)
    node = operation(
        "MmBackward0",
        start,
        outputs=(((1, 3), "float64"),),
        place=("/somewhere/notes.py", 7),
        saved_bytes=2048,
    )
    item = titled(nodes_of(MadeTensor(node)), "MmBackward0")
    assert item.kind is Kind.OPERATION
    assert item.details == ("1 × 3 · float64", "notes.py:7 · keeps 2.0 KiB")
    assert item.tooltip == "MmBackward0\n/somewhere/notes.py, line 7"


def test_leaves_and_outputs_show_name_shape_and_dtype() -> None:
    w = rgrad.ones(5, 3, requires_grad=True)
    loss = w.sum()
    picture = nodes_of(loss, names={"w": w, "loss": loss})
    assert titled(picture, "w").details == ("5 × 3 · float32",)
    assert titled(picture, "w").kind is Kind.LEAF
    assert titled(picture, "loss").details == ("scalar · float32",)
    assert titled(picture, "loss").kind is Kind.OUTPUT


def test_without_names_there_are_still_titles() -> None:
    picture = nodes_of(rgrad.ones(2, requires_grad=True).sum())
    assert [item.title for item in picture.items.values() if isinstance(item, Item)] == [
        "leaf",
        "SumBackward0",
        "output",
    ]


def test_a_named_result_is_named_at_its_node() -> None:
    start, _ = leaf(3)
    node = operation("MulBackward0", start, outputs=(((3,), "float32"),))
    named = MadeTensor(node, (3,))
    picture = nodes_of(MadeTensor(operation("SumBackward0", node)), names={"z": named})
    assert titled(picture, "MulBackward0").details == ("z: 3 · float32",)


def test_parameters_get_the_names_of_their_module() -> None:
    class Layers:
        def named_parameters(self) -> Any:
            yield "layer.weight", w

    w = rgrad.ones(2, requires_grad=True)
    assert Names(Layers()).of(w) == "layer.weight"  # type: ignore[arg-type]


def test_names_of_another_kind_raise() -> None:
    with pytest.raises(TypeError, match="mapping"):
        Names([1, 2])  # type: ignore[arg-type]


def test_values_and_gradients_are_abbreviated() -> None:
    w = rgrad.tensor([1.0, 2.5, -3.0, 4.0], requires_grad=True)
    loss = (w * 2).sum()
    loss.backward(retain_graph=True)
    picture = nodes_of(loss, names={"w": w, "loss": loss}, values=True)
    assert titled(picture, "w").details[1:] == ("data [1, 2.5, -3, …]", "grad [2, 2, 2, …]")
    assert titled(picture, "loss").details[1:] == ("data 9",)


def test_the_accumulating_node_can_be_shown() -> None:
    picture = nodes_of(rgrad.ones(2, requires_grad=True).sum(), merge_leaves=False)
    kinds = [item.kind for item in picture.items.values() if isinstance(item, Item)]
    assert kinds == [Kind.LEAF, Kind.ACCUMULATE, Kind.OPERATION, Kind.OUTPUT]
    assert sum(item.nodes for item in picture.items.values()) == 2


def test_arrows_tell_which_of_several_results_they_carry() -> None:
    start, _ = leaf(4)
    half = ((2,), "float32")
    split = operation("SplitBackward0", start, outputs=(half, half))
    both = MadeNode("AddBackward0", ((split, 0), (split, 1)))
    picture = nodes_of(MadeTensor(both))
    assert [arrow.label for arrow in picture.arrows] == ["", "0", "1", ""]


def test_tensors_without_history_are_drawn_alone() -> None:
    picture = nodes_of(rgrad.ones(2), rgrad.ones(3, requires_grad=True))
    kinds = [item.kind for item in picture.items.values() if isinstance(item, Item)]
    assert kinds == [Kind.OUTPUT, Kind.LEAF]
    assert picture.arrows == []


def test_variables_and_functions_alternate() -> None:
    w = rgrad.ones(3, requires_grad=True)
    z = w.exp()
    loss = z.sum()
    picture = variables_view(trace([loss]), Names({"w": w, "z": z, "loss": loss}), values=False)
    items = [item for item in picture.items.values() if isinstance(item, Item)]
    assert [item.title for item in items] == ["w", "Exp", "z", "Sum", "loss"]
    assert [item.ellipse for item in items] == [True, False, True, False, True]
    assert [(arrow.tail, arrow.head) for arrow in picture.arrows] == [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
    ]


def test_unnamed_variables_show_what_they_are() -> None:
    start, _ = leaf(3)
    node = operation("ExpBackward0", start, outputs=(((3,), "float32"),))
    result = MadeTensor(operation("SumBackward0", node))
    picture = variables_view(trace([result]), Names(None), values=False)  # type: ignore[list-item]
    assert titled(picture, "3 · float32").kind is Kind.VARIABLE


def test_only_results_that_are_used_become_variables() -> None:
    start, _ = leaf(4)
    half = ((2,), "float32")
    split = operation("SplitBackward0", start, outputs=(half, half))
    result = MadeTensor(MadeNode("ExpBackward0", ((split, 1),)))
    picture = variables_view(trace([result]), Names(None), values=False)  # type: ignore[list-item]
    kinds = [item.kind for item in picture.items.values() if isinstance(item, Item)]
    assert kinds.count(Kind.VARIABLE) == 1
