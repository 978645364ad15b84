"""Elements taken from and joined to places."""

from __future__ import annotations

from .making import SINGLE, SQUARE, Of, each, index, mask, values_of

PLACES = index([[0, 2], [1, 1]])

NAMED = {
    "index_copy": each(
        (Of((3, 2)), 0, index([0, 2]), Of((2, 2))),
        (Of((3, 2)), 1, index([1]), Of((3, 1))),
        (Of((3,)), 0, index(1), Of(())),
        (Of(()), 0, index([0]), Of((1,))),
        (Of((3, 2)), 0, index([0, 2]), Of((3, 2))),
    ),
    "index_fill": each(
        (Of((3, 2)), 0, index([0, 2]), 2.0),
        (Of((3, 2)), 1, index([1]), Of(())),
        (Of((3, 2)), 1, index([-1]), 2),
        (Of((3,)), 0, index([0, 0]), Of(())),
        (Of((3,)), 0, index(1), 1),
        (Of(()), 0, index([0]), 1),
        (Of((3,)), 0, index([4]), 1),
        (Of((3,)), 0, index([1]), Of((1,))),
    ),
    "index_reduce": each(
        *[
            (Of((3, 2)), 0, index([0, 2, 0]), Of((3, 2)), way, {"include_self": include})
            for way, include in (("prod", True), ("prod", False), ("mean", True), ("amax", True), ("amin", True))
        ],
        (Of((2, 3)), 1, index([0, 2]), Of((2, 2)), "mean"),
        (Of((3,)), 0, index([0]), Of((1,)), "sum"),
    ),
    "scatter_reduce": each(
        *[
            (Of((3, 2)), 0, PLACES, Of((2, 2)), way, {"include_self": include})
            for way in ("sum", "prod", "mean", "amax", "amin")
            for include in ((True,) if way == "mean" else (True, False))
        ],
        (Of((3, 2)), 1, index([[0], [1], [0]]), Of((3, 1)), "prod"),
        (Of(()), 0, index(0), Of(()), "sum"),
        (Of((3,)), 0, index([0]), Of((1,)), "other"),
    )
    + values_of((Of((3,), values=[1.0, 0.0, 2.0]), 0, index([1, 1, 2]), Of((3,), values=[0.0, 3.0, 0.0]), "prod")),
    "masked_scatter": each(
        (Of((2, 2)), mask(SQUARE), Of((2,))),
        (Of((2, 2)), mask(SQUARE), Of((2, 2))),
        (Of((3, 2)), mask([True, False]), Of((5,))),
    ),
    "argwhere": each(*[Of(shape) for shape in SINGLE], Of((2, 2), values=SQUARE)),
    "nonzero_static": each(*[(Of(shape), {"size": 3}) for shape in SINGLE], (Of((3,)), {"size": 1, "fill_value": 7})),
    "put": each(
        (Of((3, 2)), index([0, 5, -2]), Of((3,))),
        (Of((3, 2)), index([[0, 0]]), Of((2,)), True),
        (Of((3,)), index([0]), Of((2,))),
        (Of((3,)), index([4]), Of((1,))),
    ),
    "take": each(
        (Of((3, 2)), index([0, 5, -2])), (Of((3, 2)), index([[0, 0]])), (Of(()), index(0)), (Of((3,)), index([4]))
    ),
    "take_along_dim": each(
        (Of((3, 2)), index([[0, 1]]), 0),
        (Of((3, 2)), index([[0], [1], [0]]), 1),
        (Of((6,)), index([0, 5])),
        (Of((1, 3)), index([[0], [2]]), 1),
        (Of((3,)), index([[0]]), 0),
    ),
    "unravel_index": each((index([0, 5, 3]), (2, 3)), (index(4), (2, 3))),
    "where": each(
        (mask(SQUARE),),
        (mask(SQUARE), Of((2, 2)), Of((2,))),
    ),
    "count_nonzero": each(*[Of(shape) for shape in SINGLE], (Of((2, 3)), 1), (Of((2, 3)), (0, 1))),
    "bincount": values_of(
        (index([0, 3, 1, 3]),), (index([0, 3]), Of((2,))), (index([1]), {"minlength": 4}), (index([-1]),)
    ),
    "histc": each((Of((6,)),), (Of((6,)), 4), (Of((2, 3)), 5, 0, 1), (Of((3,)), 0)),
    "aminmax": each(
        *[Of(shape) for shape in SINGLE],
        (Of((2, 3)), {"dim": 1}),
        (Of((2, 3)), {"dim": 0, "keepdim": True}),
        (Of((2, 3)), {"keepdim": True}),
    ),
}
