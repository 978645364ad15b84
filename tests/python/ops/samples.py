"""Arguments for every operation of the registry: by the kinds of its parameters, or by name where kinds do not say."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from rgrad import _rgrad

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


# Note: Where PyTorch is not the measure
# - scatter and scatter_add with an index smaller than the source: PyTorch computes the value, but its gradient has the
#   wrong size and backward() fails. Ours is zero for the unused part of the source.
# - pow of an integer by a float64 tensor: PyTorch takes the logarithm of the base, for the gradient, in float32.
# - var and std over an empty list of dimensions, which stands for all of them: PyTorch's gradient is infinite, because
#   it takes the list for one element. Ours is that over all dimensions.
# - dropout of a part of the elements is random; the tests of the layers compare its distribution.
def values_of(*rows) -> list[Sample]:
    """Samples whose gradients are not compared."""
    return [Sample(sample.arguments, sample.keywords, differentiated=False) for sample in each(*rows)]


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

EDGES = [-1.0, 0.0, math.nan, 2.0, 2.0]
TIES = [0.0, 0.0, 0.0, 2.0, math.nan]

PAIRED_LOSS = [
    *[(Of((2, 3)), Of((2, 3)), {"reduction": r}) for r in ("mean", "sum", "none", "most")],
    (Of((3,)), Of((3,))),
    (Of((2, 3)), Of((3,))),
    (Of((2, 1)), Of((1, 3)), {"reduction": "none"}),
    (Of(()), Of(())),
    (Of((0,)), Of((0,))),
    *[(Of((3,)), Of((3,)), {"reduction": r, "weight": Of((3,))}) for r in ("mean", "sum", "none")],
]

# Operations whose parameters' kinds do not say what fits together.
NAMED: dict[str, list[Sample]] = {
    "add": each(*[(Of(a), Of(b), {"alpha": n}) for a, b in PAIRS[:4] for n in (2, -3)]),
    "sub": each(*[(Of(a), Of(b), {"alpha": n}) for a, b in PAIRS[:4] for n in (2, -3)]),
    "div": each(*[(Of(a), Of(b), {"rounding_mode": m}) for a, b in PAIRS for m in (None, "floor", "trunc")]),
    "isclose": each((Of((3,)), Of((3,))), (Of((3,)), Of((3,)), 0.5, 0.5), (Of((3,)), Of((3,)), {"equal_nan": True})),
    "gather": each(
        (Of((3, 2)), 0, index([[0, 2], [1, 1]])),
        (Of((3, 2)), 1, index([[0], [1], [0]])),
        (Of((3, 2)), -1, index([[0, 1, 1], [1, 0, 0]])),
        (Of(()), 0, index(0)),
        (Of((3,)), 0, index([0, 0, 2, 2])),
        (Of((3,)), 0, index([])),
    ),
    "scatter_add": each(
        (Of((3, 2)), 0, index([[0, 2], [0, 1]]), Of((2, 2))),
        (Of((3,)), 0, index([0, 0, 2]), Of((3,))),
        (Of(()), 0, index(0), Of(())),
    )
    + values_of(
        (Of((3, 2)), 1, index([[0], [1], [0]]), Of((3, 2))),
        (Of((3,)), 0, index([0, 0, 2]), Of((4,))),
    ),
    "scatter": each(
        (Of((3, 2)), 0, index([[0, 2], [1, 1]]), Of((2, 2))),
        (Of((3, 2)), 1, index([[0], [1], [0]]), 2.5),
        (Of((3,)), 0, index([0, 2]), {"value": 1.5}),
        (Of((3,)), {"dim": 0, "index": index([0, 2]), "src": Of((2,))}),
    )
    + values_of((Of((3, 2)), 1, index([[0], [1], [0]]), Of((3, 2)))),
    "index_select": each(
        (Of((3, 2)), 0, index([0, 2, 2])),
        (Of((3, 2)), 1, index([1])),
        (Of((3, 2)), -1, index([1, 0])),
        (Of((3,)), 0, index([])),
        (Of((3,)), 0, index(2)),
        (Of(()), 0, index([0])),
    ),
    "index_add": each(
        (Of((3, 2)), 0, index([0, 2, 2]), Of((3, 2))),
        (Of((3, 2)), 1, index([1]), Of((3, 1))),
        (Of((3,)), 0, index([1, 1]), Of((2,))),
        (Of((3,)), 0, index([1, 1]), Of((2,)), {"alpha": 2}),
    ),
    "index_put": each(
        (Of((3,)), (index([0, 2]),), Of((2,))),
        (Of((3,)), (index([0, 0]),), Of((2,)), True),
        (Of((3, 2)), (index([0, 2]), index([1, 1])), Of(())),
        (Of((2, 2)), (mask(SQUARE),), Of((2,))),
    ),
    "masked_select": each(
        (Of((2, 2)), mask(SQUARE)),
        (Of((3, 2)), mask([True, False])),
        (Of(()), mask(True)),
        (Of((2,)), mask([False, False])),
    ),
    "masked_fill": each(
        (Of((2, 2)), mask(SQUARE), 2.0),
        (Of((2, 2)), mask([True, False]), 3),
        (Of((2, 2)), mask(SQUARE), Of(())),
        (Of(()), mask(True), 1),
    ),
    "nonzero": each(*[Of(shape) for shape in SINGLE], Of((2, 2), values=SQUARE)),
    "cat": each(
        ([Of((2, 3)), Of((1, 3))],),
        ([Of((2, 3)), Of((2, 2))], 1),
        ([Of((2, 3)), Of((2, 3)), Of((2, 3))], -1),
        ([Of((0,)), Of((3,))],),
        ([Of((0,)), Of((2, 3))], 1),
        ([Of((3,))],),
        ((Of((2, 1)), Of((2, 1))), {"dim": 1}),
    ),
    "stack": each(
        ([Of((2, 3)), Of((2, 3))],), ([Of((2, 3)), Of((2, 3))], 1), ([Of(()), Of(())], 0), ([Of((2,)), Of((2,))], -1)
    ),
    "where": each(
        *[(mask(SQUARE), Of(a), Of(b)) for a, b in [((2, 2), (2, 2)), ((2,), (2, 1)), ((), ())]],
        (mask(SQUARE), Of((2, 2)), 1.5),
        (mask(SQUARE), 2, Of((2, 2))),
        (mask([True, False]), 2.0, 3.0),
    ),
    "mm": each((Of((2, 3)), Of((3, 4))), (Of((2, 0)), Of((0, 3))), (Of((0, 3)), Of((3, 2))), (Of((1, 1)), Of((1, 1)))),
    "addmm": each(
        (Of((2, 4)), Of((2, 3)), Of((3, 4))),
        (Of((4,)), Of((2, 3)), Of((3, 4))),
        (Of(()), Of((2, 3)), Of((3, 4))),
        (Of((2, 4)), Of((2, 3)), Of((3, 4)), {"beta": 2, "alpha": 3}),
        (Of((2, 4)), Of((2, 0)), Of((0, 4))),
    ),
    "bmm": each((Of((2, 2, 3)), Of((2, 3, 4))), (Of((0, 2, 3)), Of((0, 3, 4))), (Of((2, 2, 0)), Of((2, 0, 4)))),
    "mv": each((Of((2, 3)), Of((3,))), (Of((2, 0)), Of((0,)))),
    "dot": each((Of((3,)), Of((3,))), (Of((0,)), Of((0,)))),
    "outer": each((Of((3,)), Of((2,))), (Of((0,)), Of((2,)))),
    "matmul": each(
        *[
            (Of(a), Of(b))
            for a, b in [
                ((3,), (3,)),
                ((2, 3), (3,)),
                ((3,), (3, 2)),
                ((2, 3), (3, 4)),
                ((2, 2, 3), (3, 4)),
                ((2, 2, 3), (3,)),
                ((3,), (2, 3, 4)),
                ((2, 2, 3), (2, 3, 2)),
                ((2, 1, 2, 3), (3, 3, 2)),
                ((2, 3), (2, 3, 2)),
                ((0, 3), (3, 2)),
                ((2, 0), (0, 2)),
            ]
        ]
    ),
    "linear": each(
        (Of((2, 3)), Of((4, 3))),
        (Of((2, 3)), Of((4, 3)), Of((4,))),
        (Of((3,)), Of((4, 3)), Of((4,))),
        (Of((2, 2, 3)), Of((4, 3)), Of((4,))),
        (Of((2, 2, 3)), Of((4, 3))),
        (Of((2, 3)), Of((3,))),
        (Of((0, 3)), Of((4, 3)), Of((4,))),
    ),
    "softmax": along({"dtype": "float64"}),
    "log_softmax": along({"dtype": "float64"}),
    "logsumexp": along({"keepdim": True}) + each((Of((2, 3, 2)), (0, 2)), (Of((2, 3)), [0, 1])),
    "sum": reductions() + each((Of((2, 3)), {"dtype": "float64"}), (Of((2, 3)), 0, {"dtype": "int64"})),
    "mean": reductions() + each((Of((2, 3)), {"dtype": "float64"})),
    "prod": each(*[Of(shape) for shape in SINGLE]) + along({"keepdim": True}) + each((Of((3,)), {"dtype": "float64"})),
    "var": reductions()
    + each(
        (Of((2, 3)), 1, {"correction": 0}),
        (Of((2, 3)), False),
        (Of((2, 3)), 1, False),
        (Of((2, 3)), {"unbiased": False}),
    ),
    "std": reductions()
    + each(
        (Of((2, 3)), 1, {"correction": 0}),
        (Of((2, 3)), False),
        (Of((2, 3)), 1, False),
        (Of((2, 3)), {"unbiased": False}),
    ),
    "max": each(*[Of(shape) for shape in SINGLE])
    + along({"keepdim": True})
    + each(*[(Of(a), Of(b)) for a, b in PAIRS]),
    "min": each(*[Of(shape) for shape in SINGLE])
    + along({"keepdim": True})
    + each(*[(Of(a), Of(b)) for a, b in PAIRS]),
    "amax": reductions(),
    "amin": reductions(),
    "argmax": each(*[Of(shape) for shape in SINGLE]) + along({"keepdim": True}),
    "argmin": each(*[Of(shape) for shape in SINGLE]) + along({"keepdim": True}),
    "any": reductions(),
    "all": reductions(),
    "sum_to_size": each(
        (Of((2, 3)), (1, 3)), (Of((2, 3)), 3), (Of((2, 3)), 2, 1), (Of((2, 3)), (2, 3)), (Of((2, 3)), ())
    ),
    "clamp": each(
        (Of((2, 3)), -0.5, 0.5),
        (Of((2, 3)), {"min": 0.1}),
        (Of((2, 3)), {"max": 0.1}),
        (Of((2, 3)), Of((3,)), Of((2, 1))),
        (Of((2, 3)), Of((3,))),
        (Of((2, 3)), 1, 0),
        (Of(()), None, 2),
        (Of((3,)), Of(()), Of(())),
    ),
    "clamp_min": each((Of((2, 3)), 0.1), (Of((2, 3)), Of((3,))), (Of(()), 1)),
    "clamp_max": each((Of((2, 3)), 0.1), (Of((2, 3)), Of((3,))), (Of(()), 1)),
    "as_strided": each(
        (Of((2, 3)), (2, 2), (1, 2)),
        (Of((6,)), (2, 3), (1, 1), 1),
        (Of((6,)), (3, 3), (0, 1)),
        (Of((6,)), (), (), 2),
    ),
    "view": each(
        (Of((2, 3)), 6),
        (Of((2, 3)), (3, 2)),
        (Of((2, 3)), 3, 2),
        (Of((2, 3)), -1),
        (Of((2, 3)), 2, -1),
        (Of(()), 1),
        (Of((1,)), ()),
        (Of((0,)), (0, 3)),
        (Of((2, 3)), [6]),
    ),
    "reshape": each(
        (Of((2, 3)), 6), (Of((2, 3)), (3, 2)), (Of((2, 3)), (-1,)), (Of(()), (1,)), (Of((1,)), ()), (Of((2, 0)), (0, 5))
    ),
    "flatten": each(
        *[Of(shape) for shape in SINGLE], (Of((2, 3, 2)), 1), (Of((2, 3, 2)), 0, 1), (Of((2, 3, 2)), -2, -1)
    ),
    "expand": each(
        (Of((3,)), 2, 3), (Of((3,)), (2, 3)), (Of((2, 1)), -1, 4), (Of(()), 2, 2), (Of((1,)), 0), (Of((2, 3)), (2, 3))
    ),
    "expand_as": each((Of((3,)), Of((2, 3))), (Of((2, 1)), Of((2, 4))), (Of(()), Of((2,)))),
    "broadcast_to": each((Of((3,)), (2, 3)), (Of((2, 1)), (2, 4)), (Of(()), (2,))),
    "permute": each((Of((2, 3, 4)), (2, 0, 1)), (Of((2, 3, 4)), 2, 0, 1), (Of((2, 3)), (-1, 0)), (Of(()), ())),
    "transpose": each((Of((2, 3)), 0, 1), (Of((2, 3, 4)), -1, 0), (Of(()), 0, -1), (Of((3,)), 0, 0)),
    "t": each(Of((2, 3)), Of((3,)), Of(())),
    "movedim": each((Of((2, 3, 4)), 0, 2), (Of((2, 3, 4)), (0, 1), (2, 0)), (Of((2, 3, 4)), -1, 0), (Of(()), 0, 0)),
    "unsqueeze": each(*[(Of((2, 3)), d) for d in (0, 1, 2, -1, -3)], (Of(()), 0)),
    "squeeze": each(
        *[Of(shape) for shape in SINGLE],
        (Of((2, 1, 1)), 1),
        (Of((2, 1, 1)), 0),
        (Of((2, 1, 1)), (1, 2)),
        (Of((1, 1)), (0,)),
        (Of(()), 0),
    ),
    "select": each((Of((2, 3)), 0, 1), (Of((2, 3)), -1, -1), (Of((3,)), 0, 2)),
    "narrow": each((Of((4, 3)), 0, 1, 2), (Of((4, 3)), 1, -2, 1), (Of((4,)), 0, 4, 0)),
    "unbind": each(Of((2, 3)), (Of((2, 3)), 1), (Of((2, 3)), -1), Of((0, 3))),
    "split": each(
        (Of((5, 2)), 2),
        (Of((5, 2)), [1, 4]),
        (Of((2, 5)), 2, 1),
        (Of((2, 5)), (2, 3), {"dim": 1}),
        (Of((4,)), 4),
        (Of((0, 2)), 1),
    ),
    "split_with_sizes": each((Of((5, 2)), [1, 4]), (Of((2, 5)), [2, 3], 1), (Of((5,)), [5, 0])),
    "chunk": each((Of((5, 2)), 2), (Of((2, 5)), 3, 1), (Of((2,)), 5), (Of((0, 2)), 2)),
    # Ties, and NaN, which is neither above nor below.
    **{name: each(Of(values=EDGES)) for name in ("relu", "abs", "sign")},
    **{name: each((Of(values=EDGES), Of(values=TIES))) for name in ("maximum", "minimum")},
    **{name: each((Of(values=EDGES), Of(values=TIES)), (Of(values=EDGES), 0)) for name in ("clamp_min", "clamp_max")},
    "mse_loss": each(*PAIRED_LOSS),
    "l1_loss": each(*PAIRED_LOSS),
    "binary_cross_entropy": each(
        *[(Of(values=[0.2, 0.9, 0.5]), Of(values=[0.0, 1.0, 0.5]), {"reduction": r}) for r in ("mean", "sum", "none")],
        (Of(values=[0.2, 0.9]), Of(values=[0.0, 1.0]), {"weight": Of(values=[0.5, 2.0])}),
        (Of(values=[0.0, 1.0]), Of(values=[1.0, 0.0])),
    ),
    "binary_cross_entropy_with_logits": each(
        *[(Of((2, 3)), Of(values=[[0.0, 1.0, 0.5]] * 2), {"reduction": r}) for r in ("mean", "sum", "none")],
        (Of((2,)), Of(values=[0.0, 1.0]), {"weight": Of(values=[0.5, 2.0])}),
        (Of((3, 2)), Of(values=[[0.0, 1.0]] * 3), {"pos_weight": Of(values=[0.5, 2.0])}),
        (
            Of((3, 2)),
            Of(values=[[0.0, 1.0]] * 3),
            {"weight": Of(values=[0.5, 2.0]), "pos_weight": Of(values=[0.5, 2.0])},
        ),
    ),
    "nll_loss": each(
        *[(Of((3, 4)), index([0, 3, 1]), {"reduction": r}) for r in ("mean", "sum", "none")],
        (Of((3, 2)), index([0, 1, 1]), {"weight": Of(values=[0.5, 2.0])}),
        (Of((3, 2)), index([0, -100, 1])),
        (Of((3, 2)), index([0, 1, 1]), {"ignore_index": 1}),
        (Of((4,)), index(2)),
        (Of((2, 3, 2)), index([[0, 1], [2, 2]])),
    ),
    "cross_entropy": each(
        *[(Of((3, 4)), index([0, 3, 1]), {"reduction": r}) for r in ("mean", "sum", "none")],
        (Of((3, 2)), index([0, 1, 1]), {"weight": Of(values=[0.5, 2.0])}),
        (Of((3, 2)), index([0, 1, -100])),
        (Of((3, 4)), index([0, 3, 1]), {"label_smoothing": 0.1}),
        (Of((4,)), index(2)),
        (Of((2, 3, 2)), index([[0, 1], [2, 2]])),
        (Of((2, 3)), Of(values=[[0.1, 0.4, 0.5], [0.0, 1.0, 0.0]])),
        (Of((2, 3)), Of(values=[[0.1, 0.4, 0.5], [0.0, 1.0, 0.0]]), {"label_smoothing": 0.2}),
    ),
    "dropout": each(
        (Of((2, 3)), 0.0),
        (Of((2, 3)), 1.0),
        (Of(()), 1.0),
        (Of((2, 3)), 0.5, False),
        (Of((0,)), 0.5),
        (Of((2, 3)), 1.5),
        (Of((2, 3)), 1.0, True, True),
    ),
    "copy": each(
        (Of((2, 3)), Of((2, 3))),
        (Of((2, 3)), Of((3,))),
        (Of((2, 3)), Of(())),
        (Of((3,)), Of((2, 3))),
        (Of((2, 3)), Of((2,))),
        (Of((0,)), Of((1,))),
        (Of((2, 3)), index([1, 2, 3])),
        (Of((3,)), mask([True, False, True])),
    ),
}

# Operations of which samples made by kind would be random.
NAMED_ONLY = {"dropout"}

OPERANDS = {"Tensor", "Operand"}


def operations() -> dict[str, list[dict]]:
    """The public operations of the registry: all overloads of each name."""
    rows: dict[str, list[dict]] = {}
    for row in _rgrad._operations():
        if row["function"] or row["method"] or row["in_place"] or row["functional"]:
            rows.setdefault(row["name"], []).append(row)
    return rows


def samples(name: str) -> list[Sample]:
    """Calls of an operation that make sense."""
    found = list(NAMED.get(name, []))
    if name not in NAMED_ONLY:
        for row in operations()[name]:
            found += by_kind(row["parameters"])
    for sample in found:
        if name == "pow" and isinstance(sample.arguments[0], int):
            sample.differentiated = False
        if name in ("var", "std") and sample.arguments[1:] == ((),):
            sample.differentiated = False
    assert found, f"{name}: the kinds of its parameters say nothing; name its samples"
    return found


def by_kind(parameters: list[dict]) -> list[Sample]:
    """Samples for a signature in which all that has no default is an operand."""
    needed = [p for p in parameters if p["default"] is None and not p["optional"]]
    if not needed or any(p["kind"] not in OPERANDS for p in needed) or any(p["keyword_only"] for p in needed):
        return []
    if any(p["name"] in ("mask", "index", "condition", "target", "mat2", "vec", "tensor", "src") for p in needed):
        return []
    if len(needed) == 1:
        return each(*[Of(shape) for shape in SINGLE])
    shapes = PAIRS if len(needed) == 2 else TRIPLES
    rows = [tuple(Of(shape) for shape in row) for row in shapes]
    if len(needed) == 2 and needed[1]["kind"] == "Operand":
        rows += [(Of((2, 3)), number) for number in (2, 1.5, True, -3, 0)]
    if len(needed) == 2 and needed[0]["kind"] == "Operand":
        rows += [(number, Of((2, 3))) for number in (2, 1.5, -3)]
    return each(*rows)
