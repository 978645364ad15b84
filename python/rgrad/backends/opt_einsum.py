"""The library opt_einsum, which is not used: `einsum` multiplies from left to right."""

from __future__ import annotations

__all__ = ["enabled", "is_available", "strategy"]

enabled = False
strategy: str | None = None


def is_available() -> bool:
    """Whether opt_einsum is used: no."""
    return False
