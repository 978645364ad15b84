"""Signal processing, under the names that PyTorch has in `torch.signal`."""

from __future__ import annotations

from . import windows

__all__ = ["windows"]
