"""The version of the package, and of what it does not use."""

from __future__ import annotations

import rgrad

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "xpu"]

__version__ = rgrad.__version__
debug = False
cuda: str | None = None
git_version: str | None = None
hip: str | None = None
xpu: str | None = None
