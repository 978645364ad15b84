"""Special functions, under the names that PyTorch has in `torch.special`."""

from __future__ import annotations

from . import _rgrad
from ._rgrad import _special, digamma, erf, erfc, erfinv, exp2, expm1, log1p, logsumexp, xlogy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._rgrad import Tensor

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammainc",
    "gammaincc",
    "gammaln",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "sinc",
    "softmax",
    "spherical_bessel_j0",
    "xlog1py",
    "xlogy",
    "zeta",
]

expit = _rgrad.sigmoid
gammainc = _rgrad.igamma
gammaincc = _rgrad.igammac
gammaln = _rgrad.lgamma
multigammaln = _rgrad.mvlgamma
psi = digamma

airy_ai = _special.airy_ai
bessel_j0 = _special.bessel_j0
bessel_j1 = _special.bessel_j1
bessel_y0 = _special.bessel_y0
bessel_y1 = _special.bessel_y1
chebyshev_polynomial_t = _special.chebyshev_polynomial_t
chebyshev_polynomial_u = _special.chebyshev_polynomial_u
chebyshev_polynomial_v = _special.chebyshev_polynomial_v
chebyshev_polynomial_w = _special.chebyshev_polynomial_w
entr = _special.entr
erfcx = _special.erfcx
hermite_polynomial_h = _special.hermite_polynomial_h
hermite_polynomial_he = _special.hermite_polynomial_he
i0 = _special.i0
i0e = _special.i0e
i1 = _special.i1
i1e = _special.i1e
laguerre_polynomial_l = _special.laguerre_polynomial_l
legendre_polynomial_p = _special.legendre_polynomial_p
log_ndtr = _special.log_ndtr
logit = _special.logit
modified_bessel_i0 = _special.modified_bessel_i0
modified_bessel_i1 = _special.modified_bessel_i1
modified_bessel_k0 = _special.modified_bessel_k0
modified_bessel_k1 = _special.modified_bessel_k1
ndtr = _special.ndtr
ndtri = _special.ndtri
polygamma = _special.polygamma
scaled_modified_bessel_k0 = _special.scaled_modified_bessel_k0
scaled_modified_bessel_k1 = _special.scaled_modified_bessel_k1
shifted_chebyshev_polynomial_t = _special.shifted_chebyshev_polynomial_t
shifted_chebyshev_polynomial_u = _special.shifted_chebyshev_polynomial_u
shifted_chebyshev_polynomial_v = _special.shifted_chebyshev_polynomial_v
shifted_chebyshev_polynomial_w = _special.shifted_chebyshev_polynomial_w
sinc = _special.sinc
spherical_bessel_j0 = _special.spherical_bessel_j0
xlog1py = _special.xlog1py
zeta = _special.zeta


def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """`input` rounded to `decimals` places; halves go to the even digit."""
    return _rgrad._store("round", _rgrad.round(input, decimals=decimals) if decimals else _rgrad.round(input), out)


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Exponentials of `input` divided by their sum along `dim`, in `dtype` if one is given."""
    return _rgrad.softmax(input, dim, dtype)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, computed without overflow."""
    return _rgrad.log_softmax(input, dim, dtype)
