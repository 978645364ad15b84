"""Graphs made by hand, whose nodes tell all that a native node can tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import rgrad


@dataclass(eq=False)
class MadeNode:
    """A node with a given name, inputs, and results."""

    operation: str
    next_functions: tuple[tuple[Any, int], ...] = ()
    outputs: tuple[tuple[tuple[int, ...], str], ...] = (((2, 3), "float32"),)
    place: tuple[str, int] | None = None
    saved_bytes: int = 0
    variable: Any = None

    def name(self) -> str:
        return self.operation


@dataclass(eq=False)
class MadeTensor:
    """The result of a made node, as far as drawing looks at it."""

    grad_fn: MadeNode | None
    shape: tuple[int, ...] = (2, 3)
    dtype: Any = field(default_factory=lambda: rgrad.float32)
    requires_grad: bool = True
    output_nr: int = 0


def leaf(*shape: int) -> tuple[MadeNode, Any]:
    """A node that accumulates into a leaf, and the leaf."""
    variable = rgrad.ones(*shape, requires_grad=True)
    return MadeNode("AccumulateGrad", variable=variable), variable


def operation(name: str, *inputs: MadeNode | None, **more: Any) -> MadeNode:
    """A node fed by the first results of others; None stands for an input without gradient."""
    return MadeNode(name, tuple((node, 0) for node in inputs), **more)


def chain(start: MadeNode, length: int, *names: str) -> MadeNode:
    """One operation after the other, taking the names in turn."""
    for index in range(length):
        start = operation(names[index % len(names)], start)
    return start


def layer(start: MadeNode, weight: MadeNode, bias: MadeNode) -> MadeNode:
    """A linear layer with what comes after it."""
    turned = operation("TBackward0", weight)
    return operation("ReluBackward0", operation("AddmmBackward0", bias, start, turned))
