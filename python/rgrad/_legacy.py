"""`FloatTensor` and its kin: the classes that stood for element types before there were dtypes.

They make tensors of the class `Tensor`, and count those of their dtype as their instances.
"""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import dtype

__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class tensortype(type):
    """The class of these classes: what has to be asked of a tensor instead of its class."""

    dtype: dtype
    is_cuda = False

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype

    def __call__(cls, *data: Any, device: Any = None) -> Tensor:
        """A tensor of the dtype with the values of a sequence, or of the sizes given.

        Raises:
            TypeError: `data` is a number, or a tensor of another dtype.
        """
        if len(data) == 1 and isinstance(data[0], Tensor):
            if data[0].dtype != cls.dtype:
                raise TypeError(f"{cls.__name__}(): a tensor of dtype {cls.dtype} is expected, got {data[0].dtype}")
            return data[0].detach()
        if len(data) == 1 and not isinstance(data[0], (rgrad.Size, int)):
            if isinstance(data[0], (float, str)) or data[0] is None:
                raise TypeError(f"{cls.__name__}(): sizes or a sequence are expected, got {data[0]!r}")
            return rgrad.tensor(data[0], dtype=cls.dtype, device=device)
        if any(isinstance(size, bool) for size in data):
            raise TypeError(f"{cls.__name__}(): sizes or a sequence are expected, got {data}")
        return rgrad.empty(*(data or (0,)), dtype=cls.dtype, device=device)


def _made(name: str, kind: dtype) -> Any:
    return tensortype(name, (), {"dtype": kind, "__module__": "rgrad"})


BFloat16Tensor = _made("BFloat16Tensor", rgrad.bfloat16)
BoolTensor = _made("BoolTensor", rgrad.bool)
ByteTensor = _made("ByteTensor", rgrad.uint8)
CharTensor = _made("CharTensor", rgrad.int8)
DoubleTensor = _made("DoubleTensor", rgrad.float64)
FloatTensor = _made("FloatTensor", rgrad.float32)
HalfTensor = _made("HalfTensor", rgrad.float16)
IntTensor = _made("IntTensor", rgrad.int32)
LongTensor = _made("LongTensor", rgrad.int64)
ShortTensor = _made("ShortTensor", rgrad.int16)
