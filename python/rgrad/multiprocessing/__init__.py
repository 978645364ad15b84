"""Python's `multiprocessing`. Tensors travel between processes as copies: memory is not shared."""

from __future__ import annotations

import multiprocessing as _multiprocessing
from multiprocessing import *  # noqa: F403

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [  # noqa: PLE0604
    *_multiprocessing.__all__,
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
]

_STRATEGIES = {"file_descriptor", "file_system"}
_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """The names that `set_sharing_strategy` takes."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """What `set_sharing_strategy` was given last."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Note a way of sharing memory: tensors are copied, whatever it is."""
    global _strategy
    if new_strategy not in _STRATEGIES:
        raise ValueError(f"a sharing strategy is one of {sorted(_STRATEGIES)}, not {new_strategy!r}")
    _strategy = new_strategy


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> list[Any] | None:
    """Run `fn(i, *args)` in `nprocs` processes, and wait for their ends; without `join`, give the processes.

    Raises:
        RuntimeError: one of them fails, after the others were ended.
    """
    context = _multiprocessing.get_context(start_method)
    processes: list[Any] = [
        context.Process(target=fn, args=(i, *args), daemon=daemon)  # type: ignore[attr-defined]
        for i in range(nprocs)
    ]
    for process in processes:
        process.start()
    if not join:
        return processes
    for i, process in enumerate(processes):
        process.join()
        if process.exitcode:
            for other in processes[i + 1 :]:
                other.terminate()
            raise RuntimeError(f"spawn(): process {i} ended with code {process.exitcode}")
    return None
