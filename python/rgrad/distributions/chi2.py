"""The chi-squared distribution."""

from __future__ import annotations

from rgrad.distributions.gamma import Chi2

__all__ = ["Chi2"]
