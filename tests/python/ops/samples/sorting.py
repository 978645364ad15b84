"""Order along a dimension, ranks, places in sorted sequences."""

from __future__ import annotations

from .making import SINGLE, Of, along, each, index, values_of

BOUNDS = Of(values=[-1.0, 0.0, 0.5, 1.0])
FRACTIONS = Of(values=[0.0, 0.3, 0.5, 1.0])

DIFFERENT = Of(values=[3, 1, 4, 0, 5])
TABLE = Of(values=[[3, 1, 4, 0], [2, 6, 5, 7]])

NAMED = {
    "sort": along({"descending": True}, {"stable": True}, {"stable": True, "descending": True}),
    "argsort": each((Of((4,)),), (Of((2, 3)), 0), (Of((2, 3)), 1, True), (Of((2, 3)), {"stable": True, "dim": 0})),
    "topk": each((DIFFERENT, 2), (TABLE, 3, 1), (TABLE, 1, 0, False), (Of(()), 1), (Of((3,)), 0), (Of((2, 3)), 4)),
    "kthvalue": each((DIFFERENT, 2), (TABLE, 3, 1), (TABLE, 1, 0, True), (Of((1,)), 1), (Of((3,)), 0)),
    "median": each(*[Of(shape) for shape in SINGLE]) + along({"keepdim": True}),
    "nanmedian": each(*[Of(shape) for shape in SINGLE]) + along({"keepdim": True}),
    "mode": along({"keepdim": True}) + each((Of((6,), values=[1.0, 3.0, 2.0, 3.0, 1.0, 2.0]),)),
    "quantile": each(
        (Of((5,)), 0.3),
        (Of((2, 4)), 0.5, 1),
        (Of((2, 4)), 0.25, 0, True),
        (Of((4, 2)), FRACTIONS, 0),
        (Of((2, 3)), FRACTIONS),
        (Of((2, 3)), FRACTIONS, {"keepdim": True}),
        *[(Of((5,)), 0.3, {"interpolation": way}) for way in ("lower", "higher", "nearest", "midpoint")],
        (Of(()), 0.3),
    ),
    "nanquantile": each((Of((5,)), 0.3), (Of((2, 4)), 0.5, 1), (Of((4, 2)), FRACTIONS, 0), (Of((2, 3)), FRACTIONS)),
    "searchsorted": each(
        (BOUNDS, Of((2, 3))),
        (BOUNDS, 0.5),
        (BOUNDS, 0.5, {"right": True}),
        (BOUNDS, Of((3,)), {"side": "right", "out_int32": True}),
        (Of(values=[[0.0, 1.0], [1.0, 2.0]]), Of((2, 2))),
        (Of(values=[2.0, 0.0, 1.0]), Of((4,)), {"sorter": index([1, 2, 0])}),
    ),
    "bucketize": each((Of((2, 3)), BOUNDS), (0.5, BOUNDS), (Of((3,)), BOUNDS, {"right": True})),
    "isin": each(
        (Of((2, 3), values=[[1, 2, 3], [4, 5, 6]]), Of(values=[2, 5, 9])),
        (Of(values=[1, 2, 3]), 2),
        (2, Of(values=[1, 2, 3])),
        (Of(values=[1, 2, 3]), Of(values=[3]), {"invert": True}),
    ),
    "unique_dim": values_of(
        (Of((3, 2), values=[[1, 2], [0, 5], [1, 2]]), 0, True, True, True), (Of((2, 3), values=[[1, 2, 1]] * 2), 1)
    ),
}
