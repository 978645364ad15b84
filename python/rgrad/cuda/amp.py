"""The older names of `rgrad.amp`, for CUDA."""

from __future__ import annotations

from rgrad.amp import GradScaler as _GradScaler
from rgrad.amp import autocast as _autocast
from rgrad.amp import custom_bwd, custom_fwd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad._rgrad import dtype as _dtype

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(_autocast):
    """`rgrad.amp.autocast("cuda")`, which is never in force."""

    def __init__(self, enabled: bool = True, dtype: _dtype | None = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(_GradScaler):
    """`rgrad.amp.GradScaler("cuda")`, which is never in force."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
