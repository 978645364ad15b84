"""Parts of tensors on several devices, of which there are none: batches stay whole."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["gather", "scatter"]


def scatter(inputs: Any, target_gpus: Any, dim: int = 0) -> Any:
    """The parts of tensors, each for one of some devices.

    Raises:
        RuntimeError: always: there are no such devices.
    """
    raise RuntimeError(f"scatter(): there are no devices {target_gpus}: rgrad has the CPU only")


def gather(outputs: Any, target_device: Any, dim: int = 0) -> Any:
    """The parts of tensors from several devices together on one.

    Raises:
        RuntimeError: always: there are no such devices.
    """
    raise RuntimeError(f"gather(): there are no parts on other devices for {target_device}: rgrad has the CPU only")
