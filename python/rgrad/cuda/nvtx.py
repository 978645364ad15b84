"""Marks for the profiler of CUDA, which nothing reads here: they do nothing."""

from __future__ import annotations

from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]


def range_push(msg: str) -> int:
    """Do nothing: no stretch of the program is marked."""
    return 0


def range_pop() -> int:
    """Do nothing: no stretch of the program is marked."""
    return 0


def range_start(msg: str) -> int:
    """Do nothing: no stretch of the program is marked."""
    return 0


def range_end(range_id: int) -> None:
    """Do nothing: no stretch of the program is marked."""


def mark(msg: str) -> None:
    """Do nothing: no moment is marked."""


@contextmanager
def range(msg: str, *arguments: Any, **keywords: Any) -> Iterator[None]:  # noqa: A001
    """A `with` block that is marked nowhere."""
    yield
