"""The dictionaries behind `Module._parameters`, `_buffers` and `_modules`."""

from __future__ import annotations

TYPE_CHECKING = False  # read by name by type checkers; `typing` would double the import time
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
    from weakref import ref

#: The names under which a module keeps its registries, in the order attributes are looked up.
REGISTRIES = ("_parameters", "_buffers", "_modules")

_ABSENT = object()


class Registry(dict[str, object]):
    """A dictionary whose entries can also be read as plain attributes of the module owning it.

    `_parameters`, `_buffers` and `_modules` are what counts: everything that lists, saves or
    converts a module reads them, and code outside this package writes into them directly. Finding
    an entry through `Module.__getattr__` costs ten times an ordinary attribute, so each write here
    is repeated in the module's `__dict__`, where ordinary look-up finds it first.

    The module is held weakly: a strong reference would make every module a cycle, to be freed only
    by the garbage collector.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: ref[Any], entries: dict[str, Any] | None = None) -> None:
        self._owner = owner
        if entries:
            self.update(entries)

    def __setitem__(self, name: str, value: object) -> None:
        dict.__setitem__(self, name, value)
        module = self._owner()
        # As with any entry reached through `__getattr__`, a class attribute hides it.
        if module is not None and not hasattr(type(module), name):
            module.__dict__[name] = value

    def __delitem__(self, name: str) -> None:
        value = self[name]
        dict.__delitem__(self, name)
        module = self._owner()
        if module is not None and module.__dict__.get(name, _ABSENT) is value:
            del module.__dict__[name]

    def update(self, *mappings: Any, **named: Any) -> None:
        for name, value in dict(*mappings, **named).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, name: str, default: Any = _ABSENT) -> Any:
        if name not in self and default is not _ABSENT:
            return default
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        if not self:
            raise KeyError("the registry is empty")
        name = next(reversed(self))
        return name, self.pop(name)

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def __ior__(self, other: Any) -> Registry:  # type: ignore[override, misc]
        self.update(other)
        return self

    def __reduce_ex__(self, protocol: Any) -> tuple[type, tuple[()], None, None, Iterator[tuple[str, Any]]]:
        # Copied and pickled as what it stands for; the module receiving it makes its own registry.
        return dict, (), None, None, iter(self.items())


def is_registry_of(entries: object, module: object) -> bool:
    """Whether `entries` shows its entries as attributes of `module`."""
    return isinstance(entries, Registry) and entries._owner() is module
