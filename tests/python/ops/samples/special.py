"""Special functions, and others that are not defined everywhere."""

from __future__ import annotations

import math

from .making import Of, each, in_any_layout, values_of

UNIT = [-0.95, -0.5, -1e-3, 0.0, 0.3, 0.999]
PROBABILITIES = [1e-9, 0.01, 0.3, 0.5, 0.8, 0.999]
EVERYWHERE = [-30.0, -7.5, -1.2, -0.3, 1e-5, 0.7, 1.0, 2.5, 9.0, 40.0]
POSITIVE = [1e-4, 0.2, 0.9, 1.4616, 2.0, 3.7, 11.0, 130.0]
EDGES = [math.inf, -math.inf, math.nan, 0.0, -0.0]
NEAR_ZERO = [-2.5, -1.2, -0.3, 0.0, 0.7, 2.5]

ANYWHERE = (
    "asinh atan sinh cosh erf erfc exp2 digamma lgamma i0 erfcx i0e ndtr "
    "modified_bessel_i0 modified_bessel_i1 spherical_bessel_j0"
).split()
ABOVE_ZERO = (
    "log2 log10 entr bessel_y0 bessel_y1 modified_bessel_k0 modified_bessel_k1 scaled_modified_bessel_k0 "
    "scaled_modified_bessel_k1 digamma lgamma"
).split()
POLYNOMIALS = [
    *[f"{shifted}chebyshev_polynomial_{kind}" for shifted in ("", "shifted_") for kind in "tuvw"],
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
]

NAMED = {
    **{name: [*each(Of(values=EVERYWHERE)), *values_of(Of(values=EDGES))] for name in ANYWHERE},
    **{name: [*each(Of(values=POSITIVE)), *values_of(Of(values=[*EDGES, -1.0]))] for name in ABOVE_ZERO},
    **{
        name: [*each(Of(values=UNIT)), *values_of(Of(values=[*EDGES, 2.0]))]
        for name in ("acos", "asin", "atanh", "erfinv")
    },
    # Second derivatives lose all digits just beside 0.
    **{name: each(Of(values=NEAR_ZERO)) for name in ("sinc", "i1", "i1e", "bessel_j0", "bessel_j1")},
    "log_ndtr": in_any_layout(each(Of(values=EVERYWHERE[:-1]), Of((2, 3)), Of(()))),
    "acosh": [*each(Of(values=[1.0001, 1.5, 7.0, 1e6])), *values_of(Of(values=[*EDGES, 1.0]))],
    "ndtri": [*each(Of(values=PROBABILITIES)), *values_of(Of(values=[*EDGES, 1.0, 1e-300]))],
    "logit": [*each(Of(values=PROBABILITIES), (Of(values=PROBABILITIES), 0.1)), *values_of((Of(values=UNIT), 0.2))],
    "airy_ai": each(Of(values=[-25.0, -2.0, -1.0, 0.0, 0.5, 1.9, 2.0, 5.0, 30.0])),
    "polygamma": each(*[(n, Of(values=[0.3, 1.0, 2.5, 30.0])) for n in (0, 1, 2, 5, -1)], (1, Of(values=[-0.3, -0.7]))),
    "mvlgamma": each(*[(Of(values=[1.7, 2.5, 30.0]), p) for p in (1, 2, 3, 0)]),
    "zeta": values_of(
        (Of(values=[1.1, 2.0, 5.0, 1.0]), Of(values=[0.5, 3.0, 30.0, 2.0])), (2.0, Of(values=[0.5, 7.0]))
    ),
    **{
        name: values_of(
            (Of(values=[0.1, 0.1, 1.0, 3.5, 3.5, 100.0]), Of(values=[0.0, 1e-3, 0.9, 3.5, 20.0, 99.0])),
            (Of(values=[0.0, 1.0, math.inf]), Of(values=[1.0, math.inf, 2.0])),
        )
        for name in ("igamma", "igammac")
    },
    **{
        name: each(
            (Of(values=[-1.0, -0.9, -0.2, 0.0, 0.6, 1.0]), Of(values=[[0.0], [1.0], [2.0], [5.0], [11.0]])),
            (Of(values=[0.4, 0.9]), 3),
            (0.5, Of(values=[1.0, 4.0])),
        )
        for name in POLYNOMIALS
    },
    **{
        name: [
            *each((Of(values=[0.5, 2.0, -1.0]), Of(values=[0.7, 3.0, 0.1]))),
            *values_of(
                (Of(values=[0.0, 0.0, 0.0, 1.0]), Of(values=[0.0, math.nan, -1.0, 0.0])), (0.0, Of(values=[0.0]))
            ),
        ]
        for name in ("xlogy", "xlog1py")
    },
    "round": each(*[(Of(values=[1.25, -2.345, 123.456]), {"decimals": n}) for n in (0, 1, 2, -1)]),
    "nan_to_num": each(
        Of(values=[*EDGES, 1.5]), (Of(values=EDGES), 1.0, 2.0, -3.0), (Of(values=EDGES), {"posinf": 7.0})
    ),
    **{name: values_of(Of(values=EDGES)) for name in ("isposinf", "isneginf", "isreal", "sgn", "angle", "frexp")},
    # The sign of NaN is whatever the conversion to a narrow type makes of it.
    "signbit": values_of(Of(values=[math.inf, -math.inf, 0.0, -0.0])),
    "copysign": each((Of(values=[1.0, -2.0, 0.0]), Of(values=[-0.0, 1.0, -1.0])), (Of((2, 3)), -0.0)),
    **{
        name: each((Of(values=[math.nan, 1.0, math.nan, 2.0]), Of(values=[1.0, math.nan, math.nan, 2.0])))
        for name in ("fmax", "fmin")
    },
    "heaviside": values_of((Of(values=[-1.0, 0.0, 2.0, math.nan]), Of(values=[0.5, 0.5, 0.5, 0.5]))),
    "nextafter": each((Of(values=[0.0, 1.0, math.nan, 1.0]), Of(values=[1.0, -1.0, 1.0, 1.0]))),
    **{
        name: values_of(
            (Of(values=[math.inf, -math.inf, 800.0, 0.0]), Of(values=[math.inf, -math.inf, 1.0, -math.inf]))
        )
        for name in ("logaddexp", "logaddexp2")
    },
    **{
        f"bitwise_{side}_shift": values_of(
            (Of(values=[1, 5, 100]), Of(values=[1, 3, 70])), (Of(values=[5, 7]), 2), (2, Of(values=[1, 2]))
        )
        for side in ("left", "right")
    },
    "isin": each(
        (Of(values=[1.0, 2.0, math.nan]), Of(values=[2.0, math.nan])),
        (Of(values=[[1.0, 2.0]]), 1.0),
        (1.0, Of(values=[1.0, 2.0])),
        (Of(values=[1.0, 2.0]), Of(values=[2.0]), {"invert": True, "assume_unique": True}),
    ),
    "float_power": each((Of(values=[0.5, 2.0]), 3), (Of(values=[0.5, 2.0]), Of(values=[1.5, -1.0]))),
}
