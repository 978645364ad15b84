"""The processor."""

from __future__ import annotations

__all__ = ["get_cpu_capability"]


def get_cpu_capability() -> str:
    """A name for the instructions in use; kernels choose theirs at run time, and this name is always the same."""
    return "DEFAULT"
