"""The ways to compute attention, of which there is only one here."""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(IntEnum):
    """What a program may name as ways to compute attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[None]:
    """A block in which attention is computed as everywhere else.

    Args:
        backends: a `SDPBackend` or a list of them.
        set_priority: whether their order would count.

    Raises:
        AssertionError: `backends` are neither.
    """
    named = backends if isinstance(backends, list) else [backends]
    if not all(isinstance(backend, SDPBackend) for backend in named):
        raise AssertionError(f"sdpa_kernel: a SDPBackend or a list of them is needed, got {backends!r}")
    yield
