"""The device beside the CPU, whichever there is: none."""

from __future__ import annotations

from rgrad._absent import device_count, is_available, refuse, synchronize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from rgrad._rgrad import device

__all__ = [
    "current_accelerator",
    "current_device_index",
    "device_count",
    "device_index",
    "empty_cache",
    "is_available",
    "memory_allocated",
    "set_device_index",
    "synchronize",
]


def current_accelerator(check_available: bool = False) -> device | None:
    """The device: none."""
    return None


def current_device_index() -> int:
    """The number of the current device.

    Raises:
        RuntimeError: always.
    """
    refuse("a device beside the CPU")


current_device_idx = current_device_index


def set_device_index(device: Any) -> NoReturn:
    """Refused.

    Raises:
        RuntimeError: always.
    """
    refuse("a device beside the CPU")


set_device_idx = set_device_index


class device_index:
    """A `with` block in which the device of a number would be the current one; `None` changes nothing."""

    def __init__(self, device: int | None) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            refuse("a device beside the CPU")

    def __exit__(self, *error: object) -> None:
        return None


def empty_cache() -> None:
    """Do nothing: no memory is held on such a device."""


def memory_allocated(device_index: Any = None) -> int:
    """The bytes that tensors occupy on such a device: none."""
    return 0
