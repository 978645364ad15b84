"""Operations of complex numbers and their parts."""

from __future__ import annotations

from .making import Of, each

TWO = [((2, 3), (2, 3)), ((3,), (2, 1)), ((), (3,)), ((), ()), ((0,), (1,))]

NAMED = {
    "view_as_complex": each(Of((2,)), Of((3, 2)), Of((2, 0, 2)), Of((3,)), Of(())),
    "view_as_real": each(Of(()), Of((3,)), Of((2, 3)), Of((0,))),
    **{name: each(*[(Of(a), Of(b)) for a, b in TWO]) for name in ("complex", "polar")},
    "vdot": each((Of((3,)), Of((3,))), (Of((0,)), Of((0,))), (Of((3,)), Of((2,))), (Of((2, 2)), Of((2, 2)))),
}
