"""cuDNN, which is not used; its switches are kept and change nothing."""

from __future__ import annotations

from rgrad.backends._flag import flags_of

__all__ = ["flags", "is_available", "version"]

enabled = True
benchmark = False
benchmark_limit: int | None = 10
deterministic = False
allow_tf32 = True
fp32_precision = "none"

flags = flags_of(__name__, "enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32", "fp32_precision")


def is_available() -> bool:
    """Whether cuDNN is there: no."""
    return False


def version() -> int | None:
    """The version of cuDNN: there is none."""
    return None


def is_acceptable(tensor: object) -> bool:
    """Whether cuDNN would compute with `tensor`: no."""
    return False
