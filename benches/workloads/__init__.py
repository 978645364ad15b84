"""Small programs that run on any library with torch's interface, in groups by what they strain.

A workload is a function that gets the library's module, as `torch`, makes its inputs and returns what is to be timed:
a function without arguments whose result the libraries have to agree about.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

# The libraries are passed as modules, which have no common type.
Library = Any
Step = Callable[[], Any]
Build = Callable[..., Step]

GROUPS = ("overhead", "training", "kernels", "higher_order")


@dataclass(frozen=True)
class Workload:
    """One row of the table."""

    group: str
    name: str
    build: Callable[[Library], Step]


_known: list[Workload] = []


def workload(name: str, **choices: Iterable[Any] | Mapping[str, Any]) -> Callable[[Build], Build]:
    """Enter a function among the workloads, once for each combination of the choices.

    `name` has a field in braces for each keyword; a choice is a list, or a mapping from labels to values.
    """

    def enter(build: Build) -> Build:
        group = build.__module__.split(".")[1]
        for label, values in combinations(name, choices):
            _known.append(Workload(group, label, partial(build, **values)))
        return build

    return enter


def combinations(
    name: str, choices: Mapping[str, Iterable[Any] | Mapping[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each way to choose: the name with its fields filled in, and the values."""
    rows = [choice.items() if isinstance(choice, Mapping) else zip(choice, choice) for choice in choices.values()]
    for row in itertools.product(*rows):
        labels, values = zip(*row) if row else ((), ())
        yield name.format(**dict(zip(choices, labels))), dict(zip(choices, values))


def all_workloads() -> list[Workload]:
    """Every workload, group by group."""
    for group in GROUPS:
        import_module(f"workloads.{group}")
    return list(_known)


def normal(torch: Library, *size: int, seed: int = 0) -> Any:
    """A float32 tensor of standard normal numbers, the same in every library."""
    return torch.tensor(np.random.default_rng(seed).standard_normal(size, dtype=np.float32))


def classes(torch: Library, count: int, kinds: int) -> Any:
    """An int64 tensor of `count` numbers below `kinds`, the same in every library."""
    return torch.tensor(np.random.default_rng(1).integers(0, kinds, count))


def with_gradients(torch: Library, function: Callable[..., Any], *operands: Any) -> Step:
    """The value of a function of tensors together with its gradients in those of floating dtype."""
    wanted = [x.requires_grad_() for x in operands if x.is_floating_point()]
    value = function(*operands)
    seed = normal(torch, *value.shape, seed=9)

    def step() -> object:
        value = function(*operands)
        return value, torch.autograd.grad(value, wanted, seed)

    return step
