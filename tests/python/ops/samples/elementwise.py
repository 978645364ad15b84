"""Elementwise operations."""

from __future__ import annotations

import math

from .making import PAIRS, SQUARE, Of, each, index, mask

EDGES = [-1.0, 0.0, math.nan, 2.0, 2.0]
TIES = [0.0, 0.0, 0.0, 2.0, math.nan]

NAMED = {
    "add": each(*[(Of(a), Of(b), {"alpha": n}) for a, b in PAIRS[:4] for n in (2, -3)]),
    "sub": each(*[(Of(a), Of(b), {"alpha": n}) for a, b in PAIRS[:4] for n in (2, -3)]),
    "div": each(*[(Of(a), Of(b), {"rounding_mode": m}) for a, b in PAIRS for m in (None, "floor", "trunc")]),
    "isclose": each((Of((3,)), Of((3,))), (Of((3,)), Of((3,)), 0.5, 0.5), (Of((3,)), Of((3,)), {"equal_nan": True})),
    "where": each(
        *[(mask(SQUARE), Of(a), Of(b)) for a, b in [((2, 2), (2, 2)), ((2,), (2, 1)), ((), ())]],
        (mask(SQUARE), Of((2, 2)), 1.5),
        (mask(SQUARE), 2, Of((2, 2))),
        (mask([True, False]), 2.0, 3.0),
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
    **{name: each(Of(values=EDGES)) for name in ("relu", "abs", "sign")},
    **{name: each((Of(values=EDGES), Of(values=TIES))) for name in ("maximum", "minimum")},
    **{name: each((Of(values=EDGES), Of(values=TIES)), (Of(values=EDGES), 0)) for name in ("clamp_min", "clamp_max")},
    "lerp": each(
        (Of((2, 3)), Of((2, 3)), 0.3),
        (Of((2, 3)), Of((3,)), 0.7),
        (Of(()), Of((3,)), 1),
        (Of((2, 3)), Of((2, 3)), Of((2, 3))),
        (Of((2, 3)), Of((3,)), Of((2, 1))),
        (Of((2, 3)), Of((2, 3)), Of(())),
        (Of((2, 3)), Of((2, 3)), Of(values=[0.0, 0.5, 1.0])),
        (Of((0,)), Of((1,)), 0.5),
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
