"""CUDA, which is not there: questions are answered so, requests that come to nothing do nothing, others are refused.

`torch.cuda` of a build for the CPU does the same.
"""

from __future__ import annotations

from collections import OrderedDict

import rgrad
from rgrad._absent import (
    current_device,
    device_count,
    empty_cache,
    get_rng_state,
    is_available,
    manual_seed,
    refuse,
    synchronize,
)
from rgrad.cuda import amp, nvtx

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from rgrad._rgrad import Tensor

__all__ = [
    "Event",
    "OutOfMemoryError",
    "Stream",
    "amp",
    "current_device",
    "current_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "nvtx",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_rng_state",
    "set_rng_state_all",
    "stream",
    "synchronize",
]

has_half = False
OutOfMemoryError = rgrad.OutOfMemoryError
default_generators: tuple[Any, ...] = ()

manual_seed_all = manual_seed


def is_initialized() -> bool:
    """Whether CUDA is in use: never."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether a CUDA device computes in bfloat16: there is none."""
    return False


def is_current_stream_capturing() -> bool:
    """Whether a graph of CUDA is being captured: never."""
    return False


def get_arch_list() -> list[str]:
    """The architectures that kernels are there for: none."""
    return []


def ipc_collect() -> None:
    """Do nothing: no memory is shared."""


def reset_peak_memory_stats(device: Any = None) -> None:
    """Do nothing: no memory is counted."""


def memory_allocated(device: Any = None) -> int:
    """The bytes that tensors occupy on a CUDA device: none."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats
memory_cached = max_memory_cached = memory_allocated


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """Counts of memory by what they are about: none."""
    return OrderedDict()


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """A table of memory: an empty one."""
    return ""


def get_rng_state_all() -> list[Tensor]:
    """The states of the generators of all devices: none."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Do nothing for no states.

    Raises:
        RuntimeError: there are some.
    """
    for state in new_states:
        set_rng_state(state)


def set_rng_state(new_state: Tensor, device: Any = None) -> None:
    """Set the state of the generator of a device.

    Raises:
        RuntimeError: always.
    """
    refuse("CUDA")


def seed() -> None:
    """Do nothing: there is no generator to seed."""


seed_all = seed


def init() -> None:
    """Begin to use CUDA.

    Raises:
        RuntimeError: always.
    """
    refuse("CUDA")


def set_device(device: Any) -> None:
    """Make a CUDA device the current one; a negative number means none, as everywhere.

    Raises:
        RuntimeError: one is named.
    """
    if not (isinstance(device, int) and device < 0):
        refuse("CUDA")


def get_device_name(device: Any = None) -> str:
    """The name of a device.

    Raises:
        RuntimeError: always.
    """
    refuse("CUDA")


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The version of what a device can do.

    Raises:
        RuntimeError: always.
    """
    refuse("CUDA")


def get_device_properties(device: Any = None) -> Any:
    """What is known of a device.

    Raises:
        RuntimeError: always.
    """
    refuse("CUDA")


def current_stream(device: Any = None) -> Any:
    """The queue of a device.

    Raises:
        RuntimeError: always.
    """
    refuse("CUDA")


class _NeedsCuda:
    """An object of CUDA, which cannot be made.

    Raises:
        RuntimeError: always.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> NoReturn:
        refuse(f"CUDA, and with it {type(self).__name__},")


class Stream(_NeedsCuda):
    """A queue of work of a device, which cannot be made."""


class Event(_NeedsCuda):
    """A mark in a queue of work, which cannot be made."""


class CUDAGraph(_NeedsCuda):
    """A recorded sequence of work, which cannot be made."""


class _Nowhere:
    """A `with` block that changes nothing, for `None` in the place of a device or a queue."""

    def __init__(self, target: Any = None) -> None:
        if target is not None and not (isinstance(target, int) and target < 0):
            refuse("CUDA")

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None


class device(_Nowhere):
    """Change the current device for a `with` block: only for `None` or a negative number, which change nothing.

    Raises:
        RuntimeError: a device is named.
    """


class stream(_Nowhere):
    """Change the current queue for a `with` block: only for `None`, which changes nothing.

    Raises:
        RuntimeError: a queue is given.
    """


if not TYPE_CHECKING:

    def __getattr__(name):
        from rgrad import _legacy

        if name in _legacy.__all__:
            # `FloatTensor` and its kin on a device that is not there: classes without instances.
            return type(name, (_NeedsCuda,), {"__module__": __name__, "is_cuda": True})
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
