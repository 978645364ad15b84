"""OpenMP, which is not used: rgrad has threads of its own, see `set_num_threads`."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether OpenMP is used: no."""
    return False
