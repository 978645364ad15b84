"""Hooks told of every parameter, buffer and submodule that any module registers."""

from __future__ import annotations

from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Table = OrderedDict[int, Callable[..., Any]]

__all__ = ["BUFFER_HOOKS", "MODULE_HOOKS", "PARAMETER_HOOKS", "announce"]

PARAMETER_HOOKS: Table = OrderedDict()
BUFFER_HOOKS: Table = OrderedDict()
MODULE_HOOKS: Table = OrderedDict()


def announce(hooks: Table, module: Any, name: str, entry: Any) -> Any:
    """The entry to register: `entry`, or what the last hook to return something returned."""
    for hook in hooks.values():
        replacement = hook(module, name, entry)
        if replacement is not None:
            entry = replacement
    return entry
