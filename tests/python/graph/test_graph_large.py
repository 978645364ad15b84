"""Graphs far deeper than Python's recursion: all is folded, or cut with a remark."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

import rgrad
from made_graphs import MadeNode, MadeTensor, chain, leaf, operation
from rgrad.graph import draw

DEPTH = 100_000


@pytest.fixture(scope="module")
def deep_chain() -> Any:
    return MadeTensor(chain(leaf(2, 3)[0], DEPTH, "MulBackward0"))


def test_a_deep_chain_folds_into_one_item(deep_chain: Any) -> None:
    svg = draw(deep_chain).svg()
    ElementTree.fromstring(svg)
    assert "×100,000" in svg
    assert len(svg) < 5000


def test_a_deep_chain_that_must_not_fold_is_cut(deep_chain: Any) -> None:
    svg = draw(deep_chain, fold=False).svg()
    ElementTree.fromstring(svg)
    assert "Too large to draw in full" in svg


def test_a_deep_chain_of_the_library_itself() -> None:
    value = rgrad.ones(2, requires_grad=True)
    for _ in range(DEPTH):
        value = value * 1.0
    assert "×100,000" in draw(value).svg()


def test_a_deep_graph_without_repetition_is_cut() -> None:
    choose = random.Random(0)
    node: MadeNode = leaf(2, 3)[0]
    for _ in range(DEPTH // 4):
        if choose.random() < 0.5:
            sides = operation("SinBackward0", node), operation("CosBackward0", node)
            node = operation("AddBackward0", operation("MulBackward0", *sides), node)
        else:
            node = operation(f"Op{choose.randrange(50)}Backward0", node)
    drawing = draw(MadeTensor(node))  # type: ignore[arg-type]
    ElementTree.fromstring(drawing.svg())
    assert "are not." in drawing.dot()
