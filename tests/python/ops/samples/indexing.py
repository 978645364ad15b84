"""Picking and placing elements."""

from __future__ import annotations

from .making import SINGLE, SQUARE, Of, each, in_any_layout, index, mask, values_of

NAMED = {
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
    "masked_select": in_any_layout(
        each(
            (Of((2, 2)), mask(SQUARE)),
            (Of((3, 2)), mask([True, False])),
            (Of(()), mask(True)),
            (Of((2,)), mask([False, False])),
        )
    ),
    "masked_fill": each(
        (Of((2, 2)), mask(SQUARE), 2.0),
        (Of((2, 2)), mask([True, False]), 3),
        (Of((2, 2)), mask(SQUARE), Of(())),
        (Of(()), mask(True), 1),
    ),
    "nonzero": each(*[Of(shape) for shape in SINGLE], Of((2, 2), values=SQUARE)),
}
