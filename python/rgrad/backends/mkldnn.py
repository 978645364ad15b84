"""Intel's oneDNN, which is not used; its switches are kept and change nothing."""

from __future__ import annotations

from rgrad.backends._flag import flags_of
from rgrad.backends.mkl import VERBOSE_OFF, VERBOSE_ON, verbose

__all__ = ["VERBOSE_OFF", "VERBOSE_ON", "flags", "is_available", "verbose"]

enabled = True
deterministic = False
allow_tf32 = True
fp32_precision = "none"

flags = flags_of(__name__, "enabled", "deterministic", "allow_tf32", "fp32_precision")


def is_available() -> bool:
    """Whether oneDNN is used: no."""
    return False
