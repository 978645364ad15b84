"""What the modules of devices that are not there have in common."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from rgrad._rgrad import Tensor

__all__ = ["current_device", "device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]


def is_available() -> bool:
    """Whether there is such a device: no, rgrad has the CPU only."""
    return False


def device_count() -> int:
    """The number of such devices: none."""
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing: there is no generator to seed."""
    int(seed)


def synchronize(device: Any = None) -> None:
    """Do nothing: every operation has finished when it returns."""


def empty_cache() -> None:
    """Do nothing: no memory is held on such a device."""


def refuse(what: str) -> NoReturn:
    """Raise the error of a function that needs the device.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"{what} is not available: rgrad has the CPU only")


def current_device() -> int:
    """The number of the current device.

    Raises:
        RuntimeError: always.
    """
    refuse("a device beside the CPU")


def get_rng_state(device: Any = None) -> Tensor:
    """The state of the generator of a device.

    Raises:
        RuntimeError: always.
    """
    refuse("a generator beside that of the CPU")
