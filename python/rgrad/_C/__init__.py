"""What programs use of ``torch._C``: the switches of `__torch_function__`, `_nn`, questions that have one answer."""

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
    "_get_tracing_state",
    "_has_torch_function",
    "_has_torch_function_unary",
    "_has_torch_function_variadic",
    "_log_api_usage_once",
]


def _get_tracing_state() -> None:
    """The trace that is being recorded: never one."""


def _log_api_usage_once(event: str) -> None:
    """Do nothing: nobody counts which functions are used."""


if not TYPE_CHECKING:  # Programs name `torch._C._nn` after `import torch` alone.

    def __getattr__(name):
        if name == "_nn":
            from importlib import import_module

            return import_module("rgrad._C._nn")
        raise AttributeError(f"module 'rgrad._C' has no attribute '{name}'")
