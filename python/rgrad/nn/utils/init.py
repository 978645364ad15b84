"""Modules without first values."""

from __future__ import annotations

import inspect

import rgrad
from rgrad.nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["skip_init"]


def skip_init(module_cls: type[Any], *args: Any, **kwargs: Any) -> Any:
    """A module whose parameters and buffers have no particular values, made without drawing random numbers.

    Args:
        module_cls: a class of modules whose constructor takes `device`.
        *args: the arguments of the constructor.
        **kwargs: its arguments by name.

    Raises:
        RuntimeError: `module_cls` is no class of modules, or its constructor does not take `device`.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"skip_init: a class of modules is needed, not {module_cls!r}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError(f"skip_init: the constructor of {module_cls.__name__} does not take a device")
    state = rgrad.get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        rgrad.set_rng_state(state)
