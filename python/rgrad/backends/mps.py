"""Apple's GPU, which is not used."""

from __future__ import annotations

__all__ = ["is_available", "is_built"]


def is_available() -> bool:
    """Whether there is such a device: no, rgrad has the CPU only."""
    return False


def is_built() -> bool:
    """Whether there are kernels for it: no."""
    return False
