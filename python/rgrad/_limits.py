"""`finfo` and `iinfo`: what numbers of an element type are like."""

from __future__ import annotations

import math

from ._rgrad import bfloat16, dtype, float16, float32, float64, get_default_dtype

# Bits of the mantissa with its leading one, and the exponents of the smallest and of the largest normal numbers.
_FORMATS = {
    float16: (11, -14, 15),
    bfloat16: (8, -126, 127),
    float32: (24, -126, 127),
    float64: (53, -1022, 1023),
}


class finfo:
    """The limits of a float dtype, of a complex one those of its parts; by default those of the default dtype.

    Attributes:
        bits: Bits of a number.
        eps: The distance from 1 to the next number.
        max, min: The largest and the smallest finite number.
        tiny, smallest_normal: The smallest positive number of full precision.
        resolution: The power of ten that decimals are exact to.
        dtype: The name of the dtype.

    Raises:
        TypeError: `type` is no float or complex dtype.
    """

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: dtype | None = None) -> None:
        kind = get_default_dtype() if type is None else type
        if not isinstance(kind, dtype) or not (kind.is_floating_point or kind.is_complex):
            raise TypeError(f"finfo(): a float dtype is expected, got {kind}; integers have rgrad.iinfo")
        kind = kind.to_real()
        digits, lowest, highest = _FORMATS[kind]
        self.bits = 8 * kind.itemsize
        self.eps = 2.0 ** (1 - digits)
        self.max = (2 - self.eps) * 2.0**highest
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0**lowest
        self.resolution = float(f"1e-{math.floor((digits - 1) * math.log10(2))}")
        self.dtype = str(kind).partition(".")[2]

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        values = ", ".join(f"{name}={getattr(self, name):g}" for name in names)
        return f"finfo({values}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return self.dtype == other.dtype if isinstance(other, finfo) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.dtype)


class iinfo:
    """The limits of an integer dtype.

    Attributes:
        bits: Bits of a number.
        max, min: The largest and the smallest number.
        dtype: The name of the dtype.

    Raises:
        TypeError: `type` is no integer dtype.
    """

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type: dtype) -> None:
        name = str(type).partition(".")[2]
        if not isinstance(type, dtype) or "int" not in name:
            raise TypeError(f"iinfo(): an integer dtype is expected, got {type}; floats have rgrad.finfo")
        self.bits = 8 * type.itemsize
        self.max = 2 ** (self.bits - type.is_signed) - 1
        self.min = -self.max - 1 if type.is_signed else 0
        self.dtype = name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return self.dtype == other.dtype if isinstance(other, iinfo) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.dtype)
