"""Reductions, and functions along a dimension."""

from __future__ import annotations

from .making import PAIRS, SINGLE, Of, along, each, reductions

NAMED = {
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
}
