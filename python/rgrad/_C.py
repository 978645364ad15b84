"""What programs use of ``torch._C``: the switches of `__torch_function__`."""

from ._rgrad import Tensor as TensorBase
from ._rgrad import _disabled_torch_function_impl
from .overrides import DisableTorchFunction, DisableTorchFunctionSubclass
from .overrides import has_torch_function as _has_torch_function
from .overrides import has_torch_function_unary as _has_torch_function_unary
from .overrides import has_torch_function_variadic as _has_torch_function_variadic

__all__ = [
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "TensorBase",
    "_disabled_torch_function_impl",
    "_has_torch_function",
    "_has_torch_function_unary",
    "_has_torch_function_variadic",
]
