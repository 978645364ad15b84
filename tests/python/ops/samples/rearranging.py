"""Elements in another order, several times, on diagonals, in parts."""

from __future__ import annotations

from .making import SINGLE, Of, each, index, values_of

CUBE = Of((3, 3, 3))

NAMED = {
    "flip": each(
        (Of((3,)), (0,)),
        (Of((2, 3)), (0, 1)),
        (Of((2, 3, 2)), (1,)),
        (Of((2, 3)), 1),
        (Of(()), ()),
        (Of((2, 3)), -1, 0),
    ),
    "fliplr": each(Of((2, 3)), Of((2, 3, 2)), Of((3,))),
    "flipud": each(Of((3,)), Of((2, 3)), Of(())),
    "roll": each(
        (Of((5,)), 2),
        (Of((2, 3)), 1),
        (Of((2, 3)), -1, 1),
        (Of((2, 3)), (1, -2), (0, 1)),
        (Of((0,)), 1, 0),
        (Of(()), 1),
        (Of((2, 3)), (1, 2), 0),
    ),
    "rot90": each(
        *[(Of((2, 3)), k) for k in (0, 1, 2, 3, -1, 5)],
        (Of((2, 3, 2)), 1, (1, 2)),
        (Of((3,)),),
        (Of((2, 2)), 1, (0, 0)),
    ),
    "repeat": each(
        (Of((2,)), 3), (Of((2, 3)), 2, 1), (Of((2, 3)), (2, 1, 3)), (Of(()), 2), (Of((2,)), 0), (Of((2, 3)), 2)
    ),
    "tile": each((Of((2,)), (3,)), (Of((2, 3)), (2,)), (Of((2, 3)), (2, 1, 3)), (Of(()), (2,)), (Of((2,)), ())),
    "repeat_interleave": each(
        (Of((3,)), 2),
        (Of((2, 3)), 2, 1),
        (Of((2, 3)), 2, {"dim": 0, "output_size": 4}),
        (Of((2, 3)), index([1, 2]), 0),
        (Of((2, 3)), index([2]), 0),
        (Of((2, 3)), index(2), 1),
        (Of((2,)), -1),
    ),
    "tril": each((Of((3, 4)),), (Of((3, 4)), 1), (Of((2, 3, 3)), -1), (Of((0, 3)),), (Of((3,)),)),
    "triu": each((Of((3, 4)),), (Of((3, 4)), 1), (Of((2, 3, 3)), -1), (Of((0, 3)),), (Of((3,)),)),
    "diagonal": each(
        (Of((3, 4)),),
        (Of((3, 4)), 1),
        (Of((3, 4)), -2),
        (CUBE, 0, 0, 2),
        (CUBE, 1, -1, -2),
        (Of((2, 2)), 3),
        (Of((3,)),),
        (Of((2, 2)), 0, 0, 0),
    ),
    "diagonal_copy": each((Of((3, 4)),), (CUBE, 1, -1, -2)),
    "diag_embed": each((Of((3,)),), (Of((2, 3)), 1), (Of((2, 3)), -1, 0, 2), (Of(()),)),
    "diag": each((Of((3,)),), (Of((3,)), 1), (Of((2, 3)),), (Of((2, 3)), -1), (Of((2, 2, 2)),)),
    "diagflat": each((Of((3,)),), (Of((2, 2)), 1), (Of(()),)),
    "diagonal_scatter": each(
        (Of((3, 3)), Of((3,))), (Of((3, 4)), Of((3,)), 1), (CUBE, Of((3, 3)), 0, 0, 2), (Of((3, 3)), Of((2,)))
    ),
    "fill_diagonal": values_of((Of((3, 3)), 2.0), (Of((7, 3)), 1.0), (CUBE, 1), (Of((3,)), 1)),
    "trace": each(Of((3, 3)), Of((2, 4)), Of((3,))),
    "block_diag": each((Of((2, 3)), Of((2,)), Of(())), (Of((2, 2)),)),
    "select_scatter": each((Of((3, 2)), Of((2,)), 0, 1), (Of((3, 2)), Of((3,)), -1, -1), (Of((3, 2)), Of((3,)), 0, 1)),
    "slice_scatter": each(
        (Of((4, 2)), Of((2, 2)), 0, 1, 3),
        (Of((4,)), Of((2,)), 0, None, None, 2),
        (Of((4,)), Of((4,))),
        (Of((4,)), Of((1,))),
    ),
    "as_strided_scatter": values_of((Of((3, 3)), Of((2, 2)), (2, 2), (3, 1)), (Of((6,)), Of((3,)), (3,), (2,), 1)),
    "unfold": each(
        (Of((5,)), 0, 2, 1), (Of((2, 5)), 1, 3, 2), (Of((6, 2)), 0, 2, 3), (Of(()), 0, 1, 1), (Of((3,)), 0, 4, 1)
    ),
    "unflatten": each((Of((6,)), 0, (2, 3)), (Of((2, 6)), -1, (-1, 2)), (Of((6,)), 0, (4, 2))),
    "ravel": each(*[Of(shape) for shape in SINGLE]),
    "moveaxis": each((Of((2, 3, 4)), 0, 2), (Of((2, 3, 4)), (0, 1), (2, 0))),
    "swapaxes": each((Of((2, 3)), 0, 1), (Of((2, 3, 4)), -1, 0)),
    "swapdims": each((Of((2, 3)), 0, 1), (Of((2, 3, 4)), -1, 0)),
    "adjoint": each(Of((2, 3)), Of((2, 3, 2)), Of((3,))),
    "view_as": each((Of((2, 3)), Of((3, 2)))),
    "reshape_as": each((Of((2, 3)), Of((3, 2)))),
    "tensor_split": each(
        (Of((5, 2)), 2),
        (Of((5,)), (1, 3)),
        (Of((2, 5)), 3, 1),
        (Of((5,)), index([1, 2])),
        (Of((5,)), index(2)),
        (Of(()), 2),
    ),
    "hsplit": each((Of((4,)), 2), (Of((2, 4)), 2), (Of((2, 4)), (1, 3)), (Of((5,)), 2), (Of(()), 1)),
    "vsplit": each((Of((4, 2)), 2), (Of((4, 2)), (1, 3)), (Of((4,)), 2)),
    "dsplit": each((Of((2, 2, 4)), 2), (Of((2, 2, 4)), (1, 3)), (Of((4, 2)), 2)),
    "unsafe_split": each((Of((5, 2)), 2), (Of((2, 5)), 2, 1)),
    "unsafe_split_with_sizes": each((Of((5, 2)), (1, 4)), (Of((2, 5)), (2, 3), 1)),
    "unsafe_chunk": each((Of((5, 2)), 2), (Of((2, 5)), 3, 1)),
    "narrow_copy": each((Of((4, 3)), 0, 1, 2), (Of((4, 3)), 1, -2, 1)),
    **{
        name: each(([Of((2, 3)), Of((2, 3))],), ([Of((3,)), Of((3,))],), ([Of(()), Of(())],), ([],))
        for name in ("hstack", "vstack", "row_stack", "dstack", "column_stack")
    },
    "concat": each(([Of((2, 3)), Of((1, 3))],), ([Of((2, 3)), Of((2, 2))], 1)),
    "concatenate": each(([Of((2, 3)), Of((1, 3))],), ([Of((2, 3)), Of((2, 2))], 1)),
    **{
        name: each(*[Of(shape) for shape in SINGLE], (Of(()), Of((3,))), ([Of((2, 3)), Of((2,))],))
        for name in ("atleast_1d", "atleast_2d", "atleast_3d")
    },
    "broadcast_tensors": each((Of((2, 1)), Of((3,))), (Of(()), Of((2,))), (Of((2,)), Of((3,)))),
    "meshgrid": each(
        (Of((2,)), Of((3,)), {"indexing": "ij"}),
        ([Of((2,)), Of((3,)), Of(())], {"indexing": "xy"}),
        (Of((2,)), {"indexing": "xy"}),
    ),
    "cartesian_prod": each((Of((2,)), Of((3,))), (Of((2,)),), (Of((2,)), Of((2,)), Of((1,)))),
    "combinations": each((Of((4,)),), (Of((4,)), 3), (Of((3,)), 2, True), (Of((2,)), 3), (Of((2, 2)),), (Of((3,)), 0)),
}
