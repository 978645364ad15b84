"""Mixed precision: a lower precision chosen for some operations, and losses scaled to suit it."""

from __future__ import annotations

from rgrad.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from rgrad.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
