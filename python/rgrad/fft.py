"""Discrete Fourier transforms, under the names that PyTorch has in `torch.fft`."""

from __future__ import annotations

import rgrad

from ._rgrad import _fft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._rgrad import Tensor

__all__ = ["fftfreq", "rfftfreq"]

# Every operation of the registry whose name begins with `fft_`.
for _name in dir(_fft):
    if _name.startswith("fft_"):
        globals()[_name.removeprefix("fft_")] = getattr(_fft, _name)
        __all__.append(_name.removeprefix("fft_"))
del _name


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The frequencies of the elements that `fft` gives for `n` samples at distance `d`, the negative ones last."""
    numbers = [k if k < (n + 1) // 2 else k - n for k in range(n)]
    return _frequencies(numbers, n, d, dtype, device, requires_grad)


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The frequencies of the elements that `rfft` gives for `n` samples at distance `d`."""
    return _frequencies(list(range(n // 2 + 1)), n, d, dtype, device, requires_grad)


def _frequencies(numbers: list[int], n: int, d: float, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    dtype = rgrad.get_default_dtype() if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"frequencies are floating point or complex numbers, not {dtype}")
    values = [number / (n * d) for number in numbers]
    return rgrad.tensor(values, dtype=dtype, device=device, requires_grad=requires_grad)
