"""The CPU by the names that the modules of other devices have."""

from __future__ import annotations

from contextlib import nullcontext

from rgrad import amp
from rgrad._absent import synchronize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

__all__ = [
    "amp",
    "current_device",
    "current_stream",
    "device_count",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]


def is_available() -> bool:
    """Whether there is a CPU."""
    return True


is_initialized = is_available


def device_count() -> int:
    """The number of CPUs as devices: one."""
    return 1


def current_device() -> str:
    """The name of the current device."""
    return "cpu"


def set_device(device: Any) -> None:
    """Do nothing: there is one."""


def current_stream(device: Any = None) -> None:
    """The current stream: operations run one after the other, without one."""


def stream(stream: Any) -> AbstractContextManager[None]:
    """A `with` block in which a stream would be the current one."""
    return nullcontext()
