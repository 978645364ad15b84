"""Apple's GPU, which is not used: questions are answered so, requests that come to nothing do nothing."""

from __future__ import annotations

from rgrad._absent import device_count, empty_cache, get_rng_state, is_available, manual_seed, synchronize

__all__ = ["device_count", "empty_cache", "get_rng_state", "is_available", "manual_seed", "seed", "synchronize"]


def seed() -> None:
    """Do nothing: there is no generator to seed."""
