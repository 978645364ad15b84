"""A switch of a library that is not used: it is kept, for a `with` block too, and changes nothing."""

from __future__ import annotations

import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any

__all__ = ["flags_of"]


def flags_of(module: str, *names: str) -> Callable[..., AbstractContextManager[None]]:
    """A function that sets the variables `names` of a module for a `with` block."""

    @contextmanager
    def flags(**values: Any) -> Iterator[None]:
        """Set switches, which change nothing here, for a `with` block.

        Raises:
            TypeError: there is no switch of that name.
        """
        unknown = values.keys() - set(names)
        if unknown:
            raise TypeError(f"flags(): there is no {min(unknown)!r}; there are {', '.join(names)}")
        switches = sys.modules[module].__dict__
        before = {name: switches[name] for name in values}
        switches.update(values)
        try:
            yield
        finally:
            switches.update(before)

    return flags
