"""What `Sequential` and `ModuleList` share: submodules addressed by their position."""

from __future__ import annotations

from operator import index

from rgrad.nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeVar

    Self = TypeVar("Self", bound="ModuleSequence")

__all__ = ["ModuleSequence", "position_among"]


class ModuleSequence(Module):
    """Submodules in order."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, idx: Any) -> Any:
        raise NotImplementedError

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._name_at(idx), module)

    def __delitem__(self, idx: int | slice) -> None:
        """Remove the modules at `idx`; those left are numbered anew."""
        modules = list(self)
        if isinstance(idx, slice):
            del modules[idx]
        else:
            del modules[position_among(idx, len(modules))]
        self._replace_all(modules)

    def append(self: Self, module: Module) -> Self:
        """Add `module` at the end and return this container."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key: int | slice) -> Any:
        """Remove what is at `key` and return it."""
        removed = self[key]
        del self[key]
        return removed

    def _insert(self, position: int, module: Module) -> None:
        modules = list(self)
        modules.insert(position, module)
        self._replace_all(modules)

    def _replace_all(self, modules: list[Module]) -> None:
        self._modules.clear()
        for position, module in enumerate(modules):
            self.add_module(str(position), module)

    def _name_at(self, position: int) -> str:
        return list(self._modules)[position_among(position, len(self))]


def position_among(position: int, count: int) -> int:
    """A position counted from the start for one that may be counted from the end.

    Raises:
        TypeError: `position` is not an integer.
        IndexError: it is out of range.
    """
    position = index(position)
    if not -count <= position < count:
        raise IndexError(f"position {position} is out of range for {count} entries")
    return position % count
