"""Training in several processes, which is not there: there is one process, and it belongs to no group."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

__all__ = [
    "ProcessGroup",
    "ReduceOp",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "get_backend",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "irecv",
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "isend",
    "new_group",
    "recv",
    "reduce",
    "reduce_scatter",
    "scatter",
    "send",
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


class ReduceOp:
    """Names of reductions over processes."""

    SUM, PRODUCT, MIN, MAX, BAND, BOR, BXOR, AVG = "SUM", "PRODUCT", "MIN", "MAX", "BAND", "BOR", "BXOR", "AVG"


class group:
    """The group of all processes, and what is given to processes that do not belong to one."""

    WORLD = None
    NON_GROUP_MEMBER = object()


class ProcessGroup:
    """Processes that train together, which cannot be made.

    Raises:
        RuntimeError: always.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> NoReturn:
        raise RuntimeError("ProcessGroup(): rgrad trains in one process")


def is_nccl_available() -> bool:
    """Whether a library that processes exchange tensors by is there: no."""
    return False


is_gloo_available = is_mpi_available = is_nccl_available


def _refused(name: str) -> Callable[..., Any]:
    def refuse(*arguments: Any, **keywords: Any) -> NoReturn:
        _no_group(name)

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "Exchange with other processes.\n\nRaises:\n    ValueError: always, as there is no group.\n"
    return refuse


all_gather = _refused("all_gather")
all_gather_into_tensor = _refused("all_gather_into_tensor")
all_gather_object = _refused("all_gather_object")
all_reduce = _refused("all_reduce")
all_to_all = _refused("all_to_all")
broadcast = _refused("broadcast")
broadcast_object_list = _refused("broadcast_object_list")
gather = _refused("gather")
get_backend = _refused("get_backend")
irecv = _refused("irecv")
isend = _refused("isend")
new_group = _refused("new_group")
recv = _refused("recv")
reduce = _refused("reduce")
reduce_scatter = _refused("reduce_scatter")
scatter = _refused("scatter")
send = _refused("send")


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
