"""The default random generator: its seed, its state, and a stretch of a program that leaves it as it was."""

from __future__ import annotations

from contextlib import contextmanager

import rgrad
from rgrad import default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


@contextmanager
def fork_rng(
    devices: Iterable[int] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str = "cuda",
) -> Iterator[None]:
    """Give the default generator back its state at the end of a `with` block.

    Args:
        devices: other devices whose generators are kept as well: none, as there are none.
        enabled: whether to do so.

    Raises:
        RuntimeError: `devices` names one.
    """
    named = list(devices or ())
    if enabled and named:
        raise RuntimeError(f"{_caller}(): there are no devices {named} of type {device_type!r}: rgrad has the CPU only")
    state = rgrad.get_rng_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            rgrad.set_rng_state(state)
