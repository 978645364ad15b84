"""What programs use of ``torch._C``: the switches of `__torch_function__`, and `_nn`."""

from .._rgrad import Tensor as TensorBase
from .._rgrad import _disabled_torch_function_impl
from ..overrides import DisableTorchFunction, DisableTorchFunctionSubclass
from ..overrides import has_torch_function as _has_torch_function
from ..overrides import has_torch_function_unary as _has_torch_function_unary
from ..overrides import has_torch_function_variadic as _has_torch_function_variadic

TYPE_CHECKING = False

__all__ = [
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "TensorBase",
    "_disabled_torch_function_impl",
    "_has_torch_function",
    "_has_torch_function_unary",
    "_has_torch_function_variadic",
]


if not TYPE_CHECKING:  # Programs name `torch._C._nn` after `import torch` alone.

    def __getattr__(name):
        if name == "_nn":
            from importlib import import_module

            return import_module("rgrad._C._nn")
        raise AttributeError(f"module 'rgrad._C' has no attribute '{name}'")
