"""Activation functions, distances, dropout of channels."""

from __future__ import annotations

import math

from .making import SINGLE, Of, each, in_any_layout, index, once, values_of

# Where the pieces of a function meet, and beyond.
KINKS = [-7.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, 30.0]
PIECEWISE = (
    "celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu6 rrelu selu silu softplus "
    "softshrink softsign tanhshrink"
).split()
VECTORS = [(Of((2, 3)), Of((2, 3))), (Of((2, 3)), Of((1, 3))), (Of((4, 2, 3)), Of((2, 3)))]

NAMED = {
    **{name: [*each(Of(values=KINKS)), *values_of(Of(values=[math.nan]))] for name in PIECEWISE},
    "hardsigmoid": once(Of(values=KINKS), Of((2, 3)), Of(())),
    "celu": each(Of(values=KINKS), (Of(values=KINKS), 0.5), (Of((3,)), 0.0)),
    "elu": each(Of(values=KINKS), (Of(values=KINKS), 0.7)),
    "gelu": each(Of(values=KINKS), *[(Of(values=KINKS), {"approximate": a}) for a in ("none", "tanh", "cubic")]),
    "glu": each(Of((2, 4)), (Of((4, 3)), 0), (Of((2, 2, 3)), 1), Of((3,)), Of(()), Of((0,))),
    "hardshrink": each(Of(values=KINKS), (Of(values=KINKS), 0.2), (Of(values=KINKS), -1.0)),
    "hardtanh": each(Of(values=KINKS), (Of(values=KINKS), -0.3, 0.3), (Of((3,)), 1.0, -1.0), (Of((3,)), -2, 2)),
    "leaky_relu": each(Of(values=KINKS), (Of(values=KINKS), 0.2)),
    "prelu": each(
        (Of((2, 3)), Of((3,))),
        (Of((2, 3)), Of((1,))),
        (Of((2, 3)), Of(())),
        (Of((2, 3, 2)), Of((3,))),
        (Of((3,)), Of((1,))),
        (Of(()), Of((1,))),
        (Of((2, 3)), Of((2,))),
        (Of((2, 3)), Of((3, 1))),
        (Of((2, 3)), index([1])),
    ),
    "hardswish": in_any_layout(each(Of(values=KINKS), Of((2, 3)), Of(()))),
    "rrelu": in_any_layout(each(Of(values=KINKS), (Of((2, 3)), 0.2, 0.4), (Of((3,)), 0.4, 0.2))),
    "softplus": each(Of(values=KINKS), (Of(values=KINKS), 2.0), (Of(values=KINKS), 2.0, 3.0)),
    "softshrink": each(Of(values=KINKS), (Of(values=KINKS), 0.2), (Of((3,)), -1.0)),
    "threshold": each(*[(Of(shape), 0.1, 20) for shape in SINGLE], (Of(values=KINKS), 0.5, -2.5), (Of((3,)), 1, 2)),
    "dist": [
        *each(*[(a, b, p) for a, b in VECTORS for p in (1, 2, 3, math.inf)], (Of((2, 3)), Of((2, 3)))),
        *in_any_layout(each(*[(a, b, 1.5) for a, b in VECTORS])),
    ],
    "pairwise_distance": each(*VECTORS[:2], *[(*VECTORS[0], p) for p in (1, 3)], (*VECTORS[0], {"keepdim": True})),
    "cosine_similarity": each(
        *[(a, b, -1) for a, b in VECTORS], (Of((3,)), Of((3,)), 0), (Of((2, 3)), Of((2, 3)), 0, 0.5)
    ),
    "cdist": [
        *once(*[(Of((2, 3)), Of((4, 3)), p) for p in (0.0, 1.0, 2.0, 3.0)], (Of((2, 2, 3)), Of((4, 3)))),
        *each((Of((2, 3)), Of((4, 2))), (Of((3,)), Of((3,))), (Of((2, 3)), Of((2, 3)), -1.0)),
    ],
    "pdist": once(*[(Of((4, 3)), p) for p in (0.0, 1.0, 2.0, 3.0)], Of((1, 3)), Of((3,))),
    "normalize": each(
        Of((2, 3)), (Of((2, 3)), 1.0), (Of((2, 3)), 2.0, 0), (Of((2, 3)), 2.0, 1, 5.0), (Of((3,)), 2.0, 0)
    ),
    "one_hot": each(
        index([0, 2, 1]), (index([[0, 1]]), 3), index(1), (index([0, 5]), 3), index([-1]), Of((3,)), (index([]), 2)
    ),
    **{
        name: each(*[(Of((2, 3, 2)), p, train) for p, train in ((0.0, True), (0.5, False), (1.0, True))])
        for name in ("alpha_dropout", "feature_dropout", "feature_alpha_dropout")
    },
}
