"""The base class of exponential families."""

from __future__ import annotations

from rgrad.distributions.distribution import ExponentialFamily

__all__ = ["ExponentialFamily"]
