"""Intel's MKL, which is not used."""

from __future__ import annotations

__all__ = ["is_available", "verbose"]

VERBOSE_OFF, VERBOSE_ON = 0, 1


def is_available() -> bool:
    """Whether MKL is used: no."""
    return False


class verbose:
    """A `with` block in which MKL would report its calls: there are none."""

    def __init__(self, enable: int) -> None:
        self.enable = enable

    def __enter__(self) -> verbose:
        return self

    def __exit__(self, *error: object) -> None:
        return None
