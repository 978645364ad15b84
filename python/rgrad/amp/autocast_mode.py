"""Autocast: some operations compute in a lower precision, as a `with` block chooses.

Which ones is said in the native part: what multiplies matrices computes in the lower precision, losses and whatever
else would lose too much by it in float32, and all others in the type of their operands.
"""

from __future__ import annotations

import warnings
from functools import wraps

import rgrad
from rgrad._rgrad import _autocast, _set_autocast, clear_autocast_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rgrad._rgrad import dtype as _dtype

__all__ = [
    "autocast",
    "custom_bwd",
    "custom_fwd",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_available",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
]

_LOWER = (rgrad.bfloat16, rgrad.float16)
# The type that autocast chooses where none is named.
_defaults = {"cpu": rgrad.bfloat16, "cuda": rgrad.float16, "mps": rgrad.float16, "xpu": rgrad.float16}
_depth = 0


def is_autocast_available(device_type: str) -> bool:
    """Whether a lower precision can be chosen on a device: on the CPU, and nothing else is here.

    Raises:
        TypeError: `device_type` is not a str.
    """
    if not isinstance(device_type, str):
        raise TypeError(f"is_autocast_available(): the type of a device is a str, not {device_type!r}")
    return device_type == "cpu"


class autocast:
    """A `with` block or decorator under which some operations compute in a lower precision.

    For another device than the CPU, and for float32, it is disabled with a warning, as in PyTorch. Backward passes
    compute in the types of the forward pass, and belong behind the block.

    Args:
        device_type: the device whose operations are meant.
        dtype: bfloat16, the default, or float16.
        enabled: whether to choose it at all; `False` makes an inner block compute as usual.
        cache_enabled: whether parameters are converted once in the outermost block, not for each use.

    Raises:
        ValueError: `device_type` is not a str.
    """

    def __init__(
        self,
        device_type: str,
        dtype: _dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"autocast(): the type of a device is a str, not {device_type!r}")
        self.device = device_type
        self.fast_dtype = _defaults.get(device_type, rgrad.bfloat16) if dtype is None else dtype
        if enabled and device_type != "cpu":
            warnings.warn(f"autocast() is disabled: device {device_type!r} is not available", stacklevel=2)
            enabled = False
        elif enabled and self.fast_dtype not in _LOWER:
            warnings.warn(f"autocast() is disabled: {self.fast_dtype} is not a lower precision", stacklevel=2)
            enabled = False
        self._enabled = enabled
        self._cached = cache_enabled
        self._before: list[tuple[Any, bool]] = []

    def __enter__(self) -> autocast:
        global _depth
        dtype, cached = _autocast()
        if self.device == "cpu":
            dtype = self.fast_dtype if self._enabled else None
        self._before.append(_set_autocast(dtype, cached if self._cached is None else self._cached))
        _depth += 1
        return self

    def __exit__(self, *error: object) -> None:
        global _depth
        _depth -= 1
        if _depth == 0:
            clear_autocast_cache()
        _set_autocast(*self._before.pop())

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(func)
        def under_autocast(*arguments: Any, **keywords: Any) -> Any:
            with self:
                return func(*arguments, **keywords)

        return under_autocast


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str = "cuda", cast_inputs: _dtype | None = None
) -> Any:
    """Prepare the forward method of a `Function` for autocast on a device.

    With `cast_inputs`, floating-point arguments are converted to it and autocast is off within; the backward method,
    marked by `custom_bwd`, computes as the forward method did.
    """
    if fwd is None:
        return lambda method: custom_fwd(method, device_type=device_type, cast_inputs=cast_inputs)

    @wraps(fwd)
    def forward(ctx: Any, *arguments: Any, **keywords: Any) -> Any:
        ctx._autocast = _autocast()[0] if device_type == "cpu" else None
        if ctx._autocast is None or cast_inputs is None:
            return fwd(ctx, *arguments, **keywords)
        ctx._autocast = None
        with autocast(device_type, enabled=False):
            return fwd(ctx, *_cast(arguments, cast_inputs), **_cast(keywords, cast_inputs))

    return forward


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str = "cuda") -> Any:
    """Have the backward method of a `Function` compute under the autocast that its forward method had."""
    if bwd is None:
        return lambda method: custom_bwd(method, device_type=device_type)

    @wraps(bwd)
    def backward(ctx: Any, *arguments: Any) -> Any:
        dtype = getattr(ctx, "_autocast", None)
        with autocast("cpu", dtype=dtype, enabled=dtype is not None):
            return bwd(ctx, *arguments)

    return backward


def _cast(value: Any, dtype: _dtype) -> Any:
    if isinstance(value, rgrad.Tensor):
        converts = value.is_floating_point() and value.dtype != rgrad.float64
        return value.to(dtype) if converts else value
    if isinstance(value, dict):
        return {key: _cast(item, dtype) for key, item in value.items()}
    return type(value)(_cast(item, dtype) for item in value) if isinstance(value, (list, tuple)) else value


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for a device."""
    return device_type == "cpu" and _autocast()[0] is not None


def is_autocast_cpu_enabled() -> bool:
    """Whether autocast is on for the CPU."""
    return is_autocast_enabled("cpu")


def get_autocast_dtype(device_type: str) -> _dtype:
    """The lower precision that autocast chooses, or would choose, on a device."""
    chosen = _autocast()[0] if device_type == "cpu" else None
    return chosen or _defaults.get(device_type, rgrad.bfloat16)


def get_autocast_cpu_dtype() -> _dtype:
    """The lower precision that autocast chooses, or would choose, on the CPU."""
    return get_autocast_dtype("cpu")


def get_autocast_gpu_dtype() -> _dtype:
    """The lower precision that autocast would choose with CUDA."""
    return get_autocast_dtype("cuda")


def set_autocast_dtype(device_type: str, dtype: _dtype) -> None:
    """Set the lower precision that autocast chooses on a device."""
    _defaults[device_type] = dtype
    if device_type == "cpu" and is_autocast_enabled("cpu"):
        _set_autocast(dtype, is_autocast_cache_enabled())


def set_autocast_cpu_dtype(dtype: _dtype) -> None:
    """Set the lower precision that autocast chooses on the CPU."""
    set_autocast_dtype("cpu", dtype)


def set_autocast_enabled(device_type: str, enabled: bool) -> None:
    """Switch autocast on or off for a device; of the CPU alone anything comes of it."""
    if device_type == "cpu":
        _set_autocast(_defaults["cpu"] if enabled else None, is_autocast_cache_enabled())


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """Switch autocast on or off for the CPU."""
    set_autocast_enabled("cpu", enabled)


def is_autocast_cache_enabled() -> bool:
    """Whether autocast keeps the parameters that it has converted."""
    return bool(_autocast()[1])


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Set whether autocast keeps the parameters that it has converted."""
    _set_autocast(_autocast()[0], enabled)
