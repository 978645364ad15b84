"""What programs use of ``torch._C``: the switches of `__torch_function__`, questions that have one answer here."""

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
