"""Training in several processes, which is not there: there is one process, and it belongs to no group."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = [
    "barrier",
    "destroy_process_group",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_initialized",
    "is_torchelastic_launched",
]


def is_available() -> bool:
    """Whether processes can train together: no."""
    return False


def is_initialized() -> bool:
    """Whether this process belongs to a group: no."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether a launcher started this process as one of several: no."""
    return False


def init_process_group(*arguments: Any, **keywords: Any) -> NoReturn:
    """Refused.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("init_process_group(): rgrad trains in one process")


def _no_group(name: str) -> NoReturn:
    raise ValueError(f"{name}(): this process belongs to no group: rgrad trains in one process")


def get_rank(group: Any = None) -> int:
    """The number of this process in its group.

    Raises:
        ValueError: always, as it belongs to none.
    """
    _no_group("get_rank")


def get_world_size(group: Any = None) -> int:
    """The number of processes in the group.

    Raises:
        ValueError: always, as there is none.
    """
    _no_group("get_world_size")


def barrier(*arguments: Any, **keywords: Any) -> None:
    """Wait for the other processes.

    Raises:
        ValueError: always, as there is no group.
    """
    _no_group("barrier")


def destroy_process_group(group: Any = None) -> None:
    """Leave the group.

    Raises:
        ValueError: always, as there is none.
    """
    _no_group("destroy_process_group")
