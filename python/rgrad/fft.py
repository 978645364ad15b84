"""Discrete Fourier transforms, under the names that PyTorch has in `torch.fft`."""

from __future__ import annotations

import rgrad

from ._rgrad import _fft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._rgrad import Tensor

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

fft = _fft.fft_fft
fft2 = _fft.fft_fft2
fftn = _fft.fft_fftn
fftshift = _fft.fft_fftshift
hfft = _fft.fft_hfft
hfft2 = _fft.fft_hfft2
hfftn = _fft.fft_hfftn
ifft = _fft.fft_ifft
ifft2 = _fft.fft_ifft2
ifftn = _fft.fft_ifftn
ifftshift = _fft.fft_ifftshift
ihfft = _fft.fft_ihfft
ihfft2 = _fft.fft_ihfft2
ihfftn = _fft.fft_ihfftn
irfft = _fft.fft_irfft
irfft2 = _fft.fft_irfft2
irfftn = _fft.fft_irfftn
rfft = _fft.fft_rfft
rfft2 = _fft.fft_rfft2
rfftn = _fft.fft_rfftn


def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the elements that `fft` gives for `n` samples at distance `d`, the negative ones last."""
    numbers = [k if k < (n + 1) // 2 else k - n for k in range(n)]
    return _frequencies(numbers, n, d, out, dtype, device, requires_grad)


def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the elements that `rfft` gives for `n` samples at distance `d`."""
    return _frequencies(list(range(n // 2 + 1)), n, d, out, dtype, device, requires_grad)


def _frequencies(
    numbers: list[int], n: int, d: float, out: Tensor | None, dtype: Any, device: Any, requires_grad: bool
) -> Tensor:
    if out is not None and dtype is None:
        dtype = out.dtype
    dtype = rgrad.get_default_dtype() if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"frequencies are floating point or complex numbers, not {dtype}")
    values = [number / (n * d) for number in numbers]
    made = rgrad.tensor(values, dtype=dtype, device=device, requires_grad=requires_grad)
    return rgrad._rgrad._store("fftfreq", made, out)
