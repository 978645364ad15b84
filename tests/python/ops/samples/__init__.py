"""Arguments for every operation of the registry: by the kinds of its parameters, or by name where kinds do not say.

A module of a family of operations has a dictionary `NAMED` of their samples.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from rgrad import _rgrad

from . import linear_algebra
from .making import PAIRS, SINGLE, TRIPLES, Of, Sample, each

__all__ = ["Of", "Sample", "operations", "samples"]

# Operations whose parameters' kinds do not say what fits together.
NAMED: dict[str, list[Sample]] = {}
for _module in iter_modules(__path__):
    NAMED |= getattr(import_module(f"{__name__}.{_module.name}"), "NAMED", {})

# Note: Where PyTorch is not the measure
# - scatter and scatter_add with an index smaller than the source: PyTorch computes the value, but its gradient has the
#   wrong size and backward() fails. Ours is zero for the unused part of the source.
# - pow of an integer by a float64 tensor: PyTorch takes the logarithm of the base, for the gradient, in float32.
# - var and std over an empty list of dimensions, which stands for all of them: PyTorch's gradient is infinite, because
#   it takes the list for one element. Ours is that over all dimensions.
# - dropout of a part of the elements is random; the tests of the layers compare its distribution.

# Operations of which samples made by kind would be random, and those of matrices, which no such sample would be.
NAMED_ONLY = {"dropout", *linear_algebra.NAMED}

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
