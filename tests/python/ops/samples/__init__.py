"""Arguments for every operation of the registry: by the kinds of its parameters, or by name where kinds do not say.

A module of a family of operations has a dictionary `NAMED` of their samples.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from rgrad import _rgrad

from . import layers, linear_algebra
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
# - isin of tensors that are not row-major: PyTorch refuses them.
# - airy_ai between -2.1 and -6 and the Bessel functions of the first kind beyond 5 have an error of 1e-8 in PyTorch.
# - acosh_, asinh_ and atanh_ have no derivative in PyTorch, hardsigmoid, pdist, cdist and the losses of classes with a
#   margin no second one, and dist none that is defined for p = 0.
# - as_strided_scatter: PyTorch's gradient of the tensor is that of the part that is replaced, which has none, instead
#   of that of the rest.
# - index_fill with a tensor at places that count from the end, vander, scatter_reduce of a product with several zeros:
#   PyTorch's backward() fails, for the last one the second one.
# - which of several equal elements topk and kthvalue choose, PyTorch leaves open; median of a tensor whose elements
#   share a place reads there what it has written.
# - dropout of a part of the elements is random; the tests of the layers compare its distribution.
# - Layers: the strides of PyTorch's second gradients, and the integers that it takes, are those of the library or loop
#   that it happens to call. Compared are first gradients and floats; the second are in nn/test_layer_functions.py.

# Operations of which samples made by kind would be random, whose tensors fit together in a way that kinds do not say,
# or for which torch is not the measure.
NAMED_ONLY = {
    *layers.NAMED,
    *linear_algebra.NAMED,
    "addbmm",
    "baddbmm",
    "bucketize",
    "cdist",
    "cross",
    "cumulative_trapezoid",
    "dropout",
    "hardsigmoid",
    "hardswish",
    "igamma",
    "igammac",
    "isin",
    "log_ndtr",
    "pairwise_distance",
    "pdist",
    "repeat_interleave",
    "rrelu",
    "searchsorted",
    "take_along_dim",
    "trapezoid",
    "trapz",
    "vander",
}

OPERANDS = {"Tensor", "Operand"}


def operations() -> dict[str, list[dict]]:
    """The public operations of the registry: all overloads of each name but aliases."""
    rows: dict[str, list[dict]] = {}
    for row in _rgrad._operations():
        public = any(row[where] for where in ("function", "method", "in_place", "functional", "special"))
        if public and row["alias_of"] is None:
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
        if name in ("var", "std", "var_mean", "std_mean") and sample.arguments[1:] == ((),):
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
