"""Comparing tensors in tests, and making some."""

from __future__ import annotations

from rgrad.testing.comparison import assert_close
from rgrad.testing.creation import make_tensor

__all__ = ["assert_close", "make_tensor"]
