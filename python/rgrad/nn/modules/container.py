"""Modules that hold other modules in order or by name."""

from __future__ import annotations

import warnings
from collections import OrderedDict

from rgrad.nn.module import Module
from rgrad.nn.modules.module_sequence import ModuleSequence
from rgrad.nn.modules.pairs import pairs_of, require_iterable
from rgrad.nn.modules.parameter_container import ParameterDict, ParameterList

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
    from typing import Any

__all__ = ["Container", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class Container(Module):
    """Deprecated: a module with the submodules that it is given by name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        warnings.warn("nn.Container is deprecated: write nn.Module", FutureWarning, stacklevel=2)
        for name, module in kwargs.items():
            self.add_module(name, module)


class Sequential(ModuleSequence):
    """Modules called one after the other, each with the output of the one before.

    Args:
        *args: the modules, registered as `"0"`, `"1"` and so on; or one `OrderedDict` of names
            and modules.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for position, module in enumerate(args):
                self.add_module(str(position), module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def __getitem__(self, idx: Any) -> Any:
        """The module at a position, or those of a slice, with their names, as a `Sequential`."""
        if isinstance(idx, slice):
            return type(self)(OrderedDict(list(self._modules.items())[idx]))
        return self._modules[self._name_at(idx)]

    def __add__(self, other: Iterable[Module]) -> Sequential:
        """The modules of both, numbered anew.

        Raises:
            ValueError: `other` is not a `Sequential`.
        """
        _require_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Iterable[Module]) -> Sequential:
        _require_sequential(other)
        return self.extend(other)

    def __mul__(self, other: int) -> Sequential:
        """The same modules `other` times over.

        Raises:
            TypeError: `other` is not an integer.
            ValueError: `other` is not positive.
        """
        return Sequential(*list(self) * _times(other))

    def __rmul__(self, other: int) -> Sequential:
        return self * other

    def __imul__(self, other: int) -> Sequential:
        return self.extend(list(self) * (_times(other) - 1))

    def extend(self, sequential: Iterable[Module]) -> Sequential:
        """Add every module of an iterable at the end and return this container."""
        for module in list(sequential):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Sequential:
        """Put `module` in front of the one at `index` and return this container.

        Raises:
            AssertionError: `module` is not a module.
            IndexError: `index` is out of range.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"only a Module can be inserted, not a {type(module).__name__}")
        count = len(self)
        if not -count <= index <= count:
            raise IndexError(f"cannot insert at {index} among {count} modules")
        self._insert(index, module)
        return self


class ModuleList(ModuleSequence):
    """A list of modules, registered as `"0"`, `"1"` and so on; it cannot be called.

    Args:
        modules: the modules to begin with.
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, idx: Any) -> Any:
        """The module at a position, or those of a slice as another list."""
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return self._modules[self._name_at(idx)]

    def __iadd__(self, other: Iterable[Module]) -> ModuleList:
        return self.extend(other)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return type(self)([*self, *other])

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add every module of an iterable at the end and return this list.

        Raises:
            TypeError: `modules` cannot be iterated over.
        """
        require_iterable("ModuleList.extend", modules)
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put `module` in front of the one at `index`, which is bounded as that of a list is."""
        self._insert(index, module)

    def __repr__(self) -> str:
        """As other modules, but equal neighbours are shown once, with their number."""
        runs: list[tuple[int, int, str]] = []
        for position, module in enumerate(self):
            shown = repr(module)
            if runs and runs[-1][2] == shown:
                runs[-1] = (runs[-1][0], position, shown)
            else:
                runs.append((position, position, shown))
        if not runs:
            return f"{self._get_name()}()"
        lines = []
        for first, last, shown in runs:
            shown = shown.replace("\n", "\n  ")
            if first == last:
                lines.append(f"({first}): {shown}")
            else:
                lines.append(f"({first}-{last}): {last - first + 1} x {shown}")
        return "\n  ".join([f"{self._get_name()}(", *lines]) + "\n)"


class ModuleDict(Module):
    """A dictionary of modules, registered by their keys; it cannot be called.

    Args:
        modules: a mapping, or an iterable of pairs, to begin with.
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Remove the module at `key` and return it.

        Raises:
            KeyError: there is none.
        """
        removed = self[key]
        del self[key]
        return removed

    def keys(self) -> KeysView[str]:
        """The keys, in order of insertion."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Any]:
        """The keys with their modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add what a mapping or an iterable of pairs holds, replacing what has the same key.

        Raises:
            TypeError: `modules` or one of the pairs cannot be iterated over.
            ValueError: a pair does not have two elements.
        """
        for key, module in pairs_of("ModuleDict", modules):
            self[key] = module


def _require_sequential(other: object) -> None:
    if not isinstance(other, Sequential):
        raise ValueError(f"only a Sequential can be added to one, not a {type(other).__name__}")


def _times(factor: object) -> int:
    if not isinstance(factor, int):
        raise TypeError(f"a Sequential can be repeated an integer number of times, not {factor!r}")
    if factor <= 0:
        raise ValueError(f"a Sequential cannot be repeated {factor} times")
    return factor
