"""Windows: factors for the samples of a piece of a signal.

Each function gives `M` of them, symmetric (`sym=True`) for the design of filters, else one period of a periodic
window for spectra. All raise ValueError for a negative `M`, and for a `dtype` other than float32 and float64.
F. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform" (1978).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, exp, pi, sin, sqrt

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._rgrad import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _made(
    name: str,
    M: int,
    value: Callable[[int], float],
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The window with the value of each sample's number."""
    dtype = rgrad.get_default_dtype() if dtype is None else dtype
    if M < 0:
        raise ValueError(f"{name}: a window has at least 0 samples, not {M}")
    if layout is not None and str(layout) != "torch.strided":
        raise ValueError(f"{name}: the layout of a window is strided, not {layout}")
    if dtype not in (rgrad.float32, rgrad.float64):
        raise ValueError(f"{name}: a window is float32 or float64, not {dtype}")
    values = [value(n) for n in range(M)]
    return rgrad.tensor(values, dtype=dtype, device=device, requires_grad=requires_grad)


def _steps(M: int, sym: bool) -> int:
    """From the first sample to the last, or to the first of the next period; there is none of one sample."""
    return max(M - 1, 0) if sym or M == 1 else M


def exponential(M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """`exp(-|n - center| / tau)`; by default the center is the middle, and only without `sym` may it be another."""
    if tau <= 0:
        raise ValueError(f"exponential: tau has to be positive, it is {tau}")
    if sym and center is not None:
        raise ValueError("exponential: a symmetric window has its center in the middle: center has to be None")
    middle = _steps(M, sym) / 2 if center is None else center
    return _made("exponential", M, lambda n: exp(-abs(n - middle) / tau), **options)


def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Half a period of the sine, at the middles of the samples."""
    scale = pi / (_steps(M, sym) + 1)
    return _made("cosine", M, lambda n: sin((n + 0.5) * scale), **options)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """`exp(-(n - middle)**2 / (2 * std**2))`."""
    if std <= 0:
        raise ValueError(f"gaussian: std has to be positive, it is {std}")
    middle = _steps(M, sym) / 2
    return _made("gaussian", M, lambda n: exp(-(((n - middle) / std) ** 2) / 2), **options)


def _bessel(x: float) -> float:
    """The modified Bessel function of the first kind of order 0, by its power series, whose terms are positive."""
    term, total, k = 1.0, 1.0, 0
    while term > 1e-17 * total:
        k += 1
        term *= (x / (2 * k)) ** 2
        total += term
    return total


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """`i0(beta * sqrt(1 - x**2)) / i0(beta)` for `x` from -1 to 1: narrower in time the larger `beta` is."""
    if beta < 0:
        raise ValueError(f"kaiser: beta must not be negative, it is {beta}")
    steps, most = _steps(M, sym), _bessel(beta)

    def value(n: int) -> float:
        return _bessel(beta * sqrt(max(0.0, 1 - (2 * n / steps - 1) ** 2))) / most if steps else 1.0

    return _made("kaiser", M, value, **options)


def general_cosine(M: int, *, a: Iterable[float], sym: bool = True, **options: Any) -> Tensor:
    """A sum of cosines of multiples of one period, with the weights `a` and alternating signs."""
    if not isinstance(a, Iterable):
        raise TypeError(f"general_cosine: a is a list of weights, not {type(a).__name__}")
    weights = list(a)
    if not weights:
        raise ValueError("general_cosine: at least one weight is needed")
    steps = _steps(M, sym)
    signed = [-weight if i % 2 else weight for i, weight in enumerate(weights)]

    def value(n: int) -> float:
        return sum(weight * cos(2 * pi * i * n / steps) for i, weight in enumerate(signed)) if steps else 1.0

    return _made("general_cosine", M, value, **options)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Tensor:
    """`alpha - (1 - alpha) * cos`."""
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **options)


def hamming(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Hamming's window, `0.54 - 0.46 * cos`."""
    return general_hamming(M, sym=sym, **options)


def hann(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Hann's window, a raised cosine: `0.5 - 0.5 * cos`."""
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def blackman(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Blackman's window, a sum of three cosines."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


def nuttall(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Nuttall's window, a sum of four cosines with low side lobes."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **options)


def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Bartlett's window, a triangle from 0 to 1 and back."""
    steps = _steps(M, sym)
    return _made("bartlett", M, lambda n: 1 - abs(2 * n / steps - 1) if steps else 1.0, **options)
