"""Running results, differences and integrals."""

from __future__ import annotations

from .making import SINGLE, Of, along, each

RUNNING = each((Of(()), 0), (Of((3,)), 0), (Of((2, 3)), 0), (Of((2, 3)), -1), (Of((2, 3, 2)), 1), (Of((2,)), 1))

NAMED = {
    "cumsum": along({"dtype": "float64"}),
    "cumprod": along({"dtype": "float64"})
    + each(
        (Of((4,), values=[2.0, 0.0, 3.0, 4.0]), 0),
        (Of((2, 3), values=[[1.0, 0.0, 2.0], [0.0, 5.0, 0.0]]), 1),
    ),
    "cummax": RUNNING + each((Of((5,), values=[1.0, 3.0, 2.0, 3.0, 4.0]), 0)),
    "cummin": RUNNING + each((Of((5,), values=[4.0, 3.0, 3.0, 5.0, 1.0]), 0)),
    "logcumsumexp": RUNNING,
    "diff": each(
        Of((5,)),
        (Of((2, 4)), 2),
        (Of((3, 2)), 1, 0),
        (Of((2, 3)), 1, 1, Of((2, 1)), Of((2, 2))),
        (Of((2, 3)), {"append": Of((2, 1))}),
        (Of((3,)), 0),
        (Of((3,)), 5),
        (Of((0,)),),
    ),
    "trapezoid": each(
        Of((4,)),
        (Of((2, 3)), {"dx": 0.5}),
        (Of((2, 3)), {"dim": 0}),
        (Of((2, 3)), Of((3,))),
        (Of((2, 3)), Of((2, 3)), {"dim": 0}),
        Of((2, 0)),
    ),
    "trapz": each(Of((4,)), (Of((2, 3)), {"dx": 0.5}), (Of((2, 3)), Of((3,)))),
    "cumulative_trapezoid": each(
        Of((4,)), (Of((2, 3)), {"dx": 0.5}), (Of((2, 3)), {"dim": 0}), (Of((2, 3)), Of((3,))), (Of((2, 3)), Of((2, 3)))
    ),
    "nansum": each(*[Of(shape) for shape in SINGLE], (Of((2, 3)), 1), (Of((2, 3)), (0, 1), True)),
    "nanmean": each(*[Of(shape) for shape in SINGLE], (Of((2, 3)), 1), (Of((2, 3)), (0, 1), True)),
}
