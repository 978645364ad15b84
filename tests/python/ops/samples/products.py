"""Products over dimensions, norms, moments."""

from __future__ import annotations

from .making import SINGLE, Of, each, index, reductions, values_of

MOMENTS = reductions() + each(
    (Of((2, 3)), 1, {"correction": 0}), (Of((2, 3)), False), (Of((2, 3)), {"unbiased": False})
)

NAMED = {
    "baddbmm": each(
        (Of((2, 3, 2)), Of((2, 3, 4)), Of((2, 4, 2))),
        (Of((2, 3, 2)), Of((2, 3, 4)), Of((2, 4, 2)), {"beta": 0}),
        (Of((2, 3, 2)), Of((2, 3, 4)), Of((2, 3, 2))),
    ),
    "addbmm": each(
        (Of((3, 2)), Of((2, 3, 4)), Of((2, 4, 2))),
        (Of((3, 2)), Of((2, 3, 4)), Of((2, 3, 2))),
    ),
    "addmv": each(
        (Of((3,)), Of((3, 2)), Of((2,))),
        (Of(()), Of((3, 2)), Of((2,))),
        (Of((3,)), Of((3, 2)), Of((3,))),
    ),
    "addr": each(
        (Of((3, 2)), Of((3,)), Of((2,))),
        (Of((2,)), Of((3,)), Of((2,)), {"beta": 0.5, "alpha": 2}),
        (Of((3, 2)), Of((3,)), Of((3,))),
    ),
    "chain_matmul": each((Of((2, 3)), Of((3, 4)), Of((4, 2)))),
    "cross": each(
        (Of((3, 2)), Of((3, 2))), (Of((2, 3)), Of((2, 3)), 1), (Of((2, 3)), Of((1, 3)), -1), (Of((2, 2)), Of((2, 2)))
    ),
    "inner": each((Of((3,)), Of((3,))), (Of((2, 3)), Of((4, 3))), (Of((2, 3)), Of(())), (Of((2, 3)), Of((2,)))),
    "kron": each((Of((2, 2)), Of((2, 3))), (Of((2,)), Of((3,))), (Of(()), Of((3,)))),
    "vdot": each((Of((3,)), Of((3,))), (Of((3,)), Of((2,)))),
    "ger": each((Of((3,)), Of((2,)))),
    "einsum": each(
        ("ij,jk->ik", Of((2, 3)), Of((3, 2))),
        ("ij,jk", [Of((2, 3)), Of((3, 2))]),
        ("ii->i", Of((3, 3))),
        ("ii", Of((3, 3))),
        ("ij->ji", Of((2, 3))),
        ("ij->", Of((2, 3))),
        ("...ij,...jk->...ik", Of((2, 2, 3)), Of((3, 2))),
        ("bij,bjk,kl->bil", Of((2, 2, 3)), Of((2, 3, 2)), Of((2, 3))),
        ("i,j->ij", Of((2,)), Of((3,))),
        ("ij,ij->ij", Of((2, 3)), Of((2, 3))),
        ("ij,ij->i", Of((2, 3)), Of((2, 3))),
        ("i,i", Of((3,)), Of((3,))),
        ("ijij->ij", Of((2, 3, 2, 3))),
        (",ij->ij", Of(()), Of((2, 3))),
        ("ij,j", Of((2, 3)), Of((2,))),
        ("ij->iik", Of((2, 3))),
        ("bn,anm,bm->ba", Of((2, 3)), Of((4, 3, 2)), Of((2, 2))),
    ),
    "vander": values_of((Of((3,)),), (Of((3,)), 4), (Of((3,)), 2, True), (Of((3,)), 0), (Of((2, 2)),)),
    "norm": each(
        *[Of(shape) for shape in SINGLE],
        *[(Of((2, 3)), p) for p in (0, 1, 2, 3, 0.5, 1.5, float("inf"), -float("inf"), -1)],
        (Of((2, 3)), 2, 1),
        (Of((2, 3)), "fro", (0, 1), True),
        (Of((2, 3)), float("inf"), 0),
        (Of((2, 3)), {"dim": 1}),
    ),
    "dist": each(
        (Of((2, 3)), Of((2, 3))), (Of((2, 3)), Of((3,)), 1), (Of((3,)), Of((3,)), 3), (Of((3,)), Of((3,)), float("inf"))
    ),
    "renorm": each((Of((3, 2)), 2, 0, 1.0), (Of((2, 3, 2)), 1, 1, 2.0), (Of((3,)), 2, 0, 1.0), (Of((3, 2)), 3, 1, 0.5)),
    "var_mean": MOMENTS,
    "std_mean": MOMENTS,
    "cov": each(
        Of((2, 4)),
        Of((4,)),
        (Of((2, 4)), {"correction": 0}),
        (Of((2, 3)), {"fweights": index([1, 2, 1])}),
        (Of((2, 3)), {"aweights": Of(values=[0.5, 1.0, 2.0])}),
        (Of((2, 3)), {"fweights": index([1, 2, 1]), "aweights": Of(values=[0.5, 1.0, 2.0])}),
    ),
    "corrcoef": each(Of((2, 4)), Of((4,)), Of((3, 3))),
}
