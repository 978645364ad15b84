"""Settings of the whole program that choose between ways PyTorch has and rgrad has not: kept, and given back."""

from __future__ import annotations

import warnings

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import device

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_storage",
    "is_warn_always_enabled",
    "set_default_device",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "typename",
    "use_deterministic_algorithms",
]

_PRECISIONS = ("highest", "high", "medium")
_DEBUG_MODES = ("default", "warn", "error")

_deterministic = False
_warn_only = False
_precision = "highest"

# The device that tensors are made on, if it is not the CPU.
_default_device: Any = None
_warn_always = False
_interop_threads = 1


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Note whether results have to be the same in every run: here they always are."""
    global _deterministic, _warn_only
    _deterministic, _warn_only = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was given last."""
    return _deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What `use_deterministic_algorithms` was given last as `warn_only`."""
    return _warn_only


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Choose by number or name between `default`, `warn` and `error`, which differ in nothing here.

    Raises:
        TypeError: `debug_mode` is neither an int nor a str.
        RuntimeError: it is none of the three.
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be an int or a str, not {type(debug_mode).__name__}")
    number = _DEBUG_MODES.index(debug_mode) if debug_mode in _DEBUG_MODES else debug_mode
    if number not in (0, 1, 2):
        raise RuntimeError(f"debug_mode must be one of {_DEBUG_MODES} or their numbers, not {debug_mode!r}")
    use_deterministic_algorithms(number != 0, warn_only=number == 1)


def get_deterministic_debug_mode() -> int:
    """The number of the mode that `set_deterministic_debug_mode` chose."""
    return (1 if _warn_only else 2) if _deterministic else 0


def set_float32_matmul_precision(precision: str) -> None:
    """Note a precision of matrix products: those of float32 always have the highest.

    Another precision than `"highest"`, `"high"` or `"medium"` is not noted, with a warning.
    """
    global _precision
    if precision not in _PRECISIONS:
        warnings.warn(f"the precision must be one of {_PRECISIONS}, not {precision!r}", stacklevel=2)
        return
    _precision = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was given last."""
    return _precision


def set_default_device(device: Any) -> None:
    """Have tensors made on `device`: the CPU, or `None` for it; or `"meta"`, where they have no values.

    Raises:
        RuntimeError: it is another device.
    """
    global _default_device
    chosen = rgrad.device("cpu" if device is None else device)
    if chosen.type not in ("cpu", "meta"):
        raise RuntimeError(f"set_default_device(): device '{device}' is not available: rgrad computes on the CPU")
    if _default_device is not None:
        _default_device.__exit__(None, None, None)
    _default_device = chosen.__enter__() if chosen.type == "meta" else None


def get_default_device() -> device:
    """The device that tensors are made on: the CPU unless `set_default_device` has said otherwise."""
    return rgrad.device("cpu") if _default_device is None else _default_device


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype by `FloatTensor` or `DoubleTensor`, or by its name.

    Raises:
        TypeError: `t` stands for no floating-point dtype of tensors on the CPU.
    """
    name = t if isinstance(t, str) else getattr(t, "__name__", repr(t))
    dtypes = {"FloatTensor": rgrad.float32, "DoubleTensor": rgrad.float64}
    dtype = dtypes.get(name.rpartition(".")[2])
    if dtype is None or ".cuda." in name:
        raise TypeError(f"set_default_tensor_type(): FloatTensor or DoubleTensor is expected, got {name}")
    rgrad.set_default_dtype(dtype)


def set_num_interop_threads(count: int) -> None:
    """Note a number of threads between operations: here, operations run one after the other.

    Raises:
        RuntimeError: `count` is not positive.
    """
    global _interop_threads
    if count <= 0:
        raise RuntimeError(f"set_num_interop_threads(): at least one thread is needed, got {count}")
    _interop_threads = int(count)


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` was given last."""
    return _interop_threads


def set_flush_denormal(mode: bool) -> bool:
    """Give `False`: the processor is not told to take the smallest numbers as zero."""
    return False


def set_warn_always(b: bool) -> None:
    """Note whether warnings are to come every time; Python's filters decide about it."""
    global _warn_always
    _warn_always = bool(b)


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` was given last."""
    return _warn_always


def is_storage(obj: object) -> bool:
    """Whether `obj` is the memory below a tensor as an object of its own."""
    from rgrad.storage import TypedStorage, UntypedStorage

    return isinstance(obj, (TypedStorage, UntypedStorage))


def typename(obj: Any) -> str:
    """The name of the type of a tensor, as `"torch.FloatTensor"`; of other objects that of their class."""
    if isinstance(obj, Tensor):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", None) or ""
    return named.__qualname__ if module in ("", "builtins") else f"{module}.{named.__qualname__}"
