"""How arguments of operations are written down: tensors to be made, calls, rows of calls."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

# Shapes for an operation on one tensor, and for operands that broadcast against each other.
SINGLE = [(), (3,), (2, 3), (0,), (2, 0, 3), (2, 1, 3)]
PAIRS = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((), (3,)),
    ((3,), ()),
    ((), ()),
    ((2, 1), (1, 3)),
    ((0,), (1,)),
    ((2, 0), (0,)),
]
TRIPLES = [((2, 3), (3,), ()), ((3,), (3,), (3,)), ((), (), ()), ((2, 1), (1, 3), (2, 3)), ((0,), (1,), ())]


@dataclass
class Of:
    """A tensor to be made: random numbers of a shape, or given values."""

    shape: tuple = ()
    values: object = None
    # A tensor argument that takes part in differentiation, in a type that the test chooses.
    differentiable: bool = True

    def array(self, random: np.random.Generator, dtype: str) -> np.ndarray:
        if self.values is not None:
            array = np.asarray(self.values)
            return array.astype(dtype) if self.differentiable else array
        if dtype == "bool":
            return random.random(self.shape) < 0.5
        if np.dtype(dtype).kind == "c":
            return self.array(random, "float64").astype(dtype) + 1j * self.array(random, "float64")
        if np.dtype(dtype).kind == "f":
            # Away from zero and from each other: kinks and poles have tests of their own.
            return np.asarray(random.uniform(0.3, 2.0, self.shape) * random.choice([-1, 1], self.shape)).astype(dtype)
        low = 0 if dtype == "uint8" else -5
        return np.asarray(random.integers(low, 6, self.shape)).astype(dtype)


@dataclass
class Sample:
    arguments: tuple
    keywords: dict = field(default_factory=dict)
    # Whether gradients are compared too; see Note: Where PyTorch is not the measure.
    differentiated: bool = True
    # How many orders of gradients are compared.
    orders: int = 2
    # Whether floats alone are compared.
    floating: bool = False
    # Whether the layout of the gradients is torch's too.
    strides: bool = True


def values_of(*rows) -> list[Sample]:
    """Samples whose gradients are not compared."""
    return [Sample(sample.arguments, sample.keywords, differentiated=False) for sample in each(*rows)]


def once(*rows) -> list[Sample]:
    """Samples whose second gradients torch has not."""
    return [Sample(sample.arguments, sample.keywords, orders=1) for sample in each(*rows)]


def in_any_layout(samples: list[Sample]) -> list[Sample]:
    """Samples whose gradients have another layout in torch."""
    return [replace(sample, strides=False) for sample in samples]


def index(values) -> Of:
    return Of(values=np.array(values, dtype=np.int64), differentiable=False)


def mask(values) -> Of:
    return Of(values=np.array(values, dtype=bool), differentiable=False)


def each(*rows) -> list[Sample]:
    """Samples from rows of arguments, the last of which may be keywords."""
    samples = []
    for row in rows:
        row = row if isinstance(row, tuple) else (row,)
        keywords = row[-1] if row and isinstance(row[-1], dict) else {}
        samples.append(Sample(row[: len(row) - 1] if keywords else row, keywords))
    return samples


def along(*extra: dict) -> list[Sample]:
    """A tensor and one dimension."""
    rows = [
        (Of(()), 0),
        (Of((3,)), 0),
        (Of((2, 3)), 0),
        (Of((2, 3)), 1),
        (Of((2, 3)), -1),
        (Of((2, 3, 2)), 1),
        (Of((2, 0)), 0),
    ]
    return each(*rows, *[(*row, keywords) for row in rows[:5] for keywords in extra])


def reductions() -> list[Sample]:
    """A tensor; one or several dimensions; kept or not."""
    whole = [Of(shape) for shape in SINGLE]
    dims = [(Of((2, 3, 2)), d) for d in (0, 1, -1, (0, 2), (1,), [0, 1, 2], ())]
    kept = [(Of((2, 3)), 1, {"keepdim": True}), (Of((2, 3)), {"dim": 0}), (Of((2, 3)), 1, True)]
    return each(*whole, *dims, *kept, (Of(()), 0), (Of(()), -1), (Of((2, 0)), 1), (Of((2, 0)), 0))


SQUARE = np.array([[0, 1], [1, 0]])
