"""Choosing a lower precision for some operations: not there yet, so that what is asked for in float32 stays float32."""

from __future__ import annotations

import warnings
from functools import wraps

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rgrad._rgrad import dtype as _dtype

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]


def is_autocast_available(device_type: str) -> bool:
    """Whether a lower precision could be chosen on a device: PyTorch knows how to on the CPU, and nothing else is here.

    Raises:
        TypeError: `device_type` is not a str.
    """
    if not isinstance(device_type, str):
        raise TypeError(f"is_autocast_available(): the type of a device is a str, not {device_type!r}")
    return device_type == "cpu"


class autocast:
    """A `with` block or decorator under which some operations would compute in a lower precision.

    For another device than the CPU, and for float32, it is disabled with a warning, as in PyTorch.

    Args:
        device_type: the device whose operations are meant.
        dtype: the lower precision; on the CPU bfloat16 by default.
        enabled: whether to choose it at all.
        cache_enabled: accepted; there is nothing to cache.

    Raises:
        ValueError: `device_type` is not a str.
        NotImplementedError: a lower precision is asked for on the CPU.
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
        if enabled and device_type != "cpu":
            warnings.warn(f"autocast() is disabled: device {device_type!r} is not available", stacklevel=2)
            enabled = False
        elif enabled and dtype in (rgrad.float32, rgrad.float64):
            warnings.warn(f"autocast() is disabled: {dtype} is not a lower precision", stacklevel=2)
            enabled = False
        if enabled:
            raise NotImplementedError(
                f"autocast(): computing in {dtype or 'bfloat16'} on the CPU is not there yet; pass enabled=False"
            )
        self.device = device_type
        self.fast_dtype = dtype
        self._enabled = enabled

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(func)
        def under_autocast(*arguments: Any, **keywords: Any) -> Any:
            with self:
                return func(*arguments, **keywords)

        return under_autocast


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str = "cuda", cast_inputs: _dtype | None = None
) -> Any:
    """Give the forward method of a `Function` back as it is: no precision is chosen around it."""
    return (lambda method: method) if fwd is None else fwd


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str = "cuda") -> Any:
    """Give the backward method of a `Function` back as it is: no precision is chosen around it."""
    return (lambda method: method) if bwd is None else bwd
