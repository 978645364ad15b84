"""Modules that hold parameters, and other values, in order or by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from rgrad._rgrad import Tensor
from rgrad.nn.module import Module
from rgrad.nn.modules.module_sequence import position_among
from rgrad.nn.modules.pairs import pairs_of, require_iterable
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, KeysView
    from typing import Any

__all__ = ["ParameterDict", "ParameterList"]


class ParameterList(Module):
    """A list of parameters, registered as `"0"`, `"1"` and so on; it cannot be called.

    Args:
        values: what to begin with. A tensor becomes a parameter, any other value a plain attribute.
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([getattr(self, str(position)) for position in range(self._size)])

    def __getitem__(self, idx: Any) -> Any:
        """The value at a position, or those of a slice as another list."""
        if isinstance(idx, slice):
            return type(self)([getattr(self, str(at)) for at in range(self._size)[idx]])
        return getattr(self, str(position_among(idx, self._size)))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, str(position_among(idx, self._size)), _registrable(param))

    def __iadd__(self, parameters: Iterable[Any]) -> ParameterList:
        return self.extend(parameters)

    def append(self, value: Any) -> ParameterList:
        """Add `value` at the end and return this list."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add every value of an iterable at the end and return this list.

        Raises:
            TypeError: `values` cannot be iterated over, or is a tensor.
        """
        require_iterable("ParameterList.extend", values)
        if isinstance(values, Tensor):
            raise TypeError("ParameterList.extend needs an iterable of tensors, not one tensor")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(
            _described(position, value, str(getattr(value, "dtype", ""))) for position, value in enumerate(self)
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a ParameterList cannot be called")


class ParameterDict(Module):
    """A dictionary of parameters, registered by their keys; it cannot be called.

    Args:
        parameters: a mapping, or an iterable of pairs, to begin with. A tensor becomes a parameter,
            any other value a plain attribute.
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, _string_key(key))

    def __setitem__(self, key: str, value: Any) -> None:
        attribute = _string_key(key)
        setattr(self, attribute, _registrable(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, _string_key(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __or__(self, other: Any) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other: Any) -> Any:
        joined = other.copy()
        joined.update(self)
        return joined

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """Another dictionary of the same parameters and values."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value at `key`, which is first set to `default` if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove everything."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove the value at `key` and return it.

        Raises:
            AttributeError: there is none.
        """
        removed = self[key]
        del self[key]
        return removed

    def popitem(self) -> tuple[str, Any]:
        """Remove the last key and return it with its value.

        Raises:
            KeyError: the dictionary is empty.
        """
        key, _ = self._keys.popitem()
        self._keys[key] = None
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value at `key`, or `default` if there is none."""
        return self[key] if key in self else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Another dictionary with `default` at each of `keys`."""
        return ParameterDict([(key, default) for key in keys])

    def keys(self) -> KeysView[str]:
        """The keys, in order of insertion."""
        return self._keys.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """The keys with their values."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterator[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add what a mapping or an iterable of pairs holds, replacing what has the same key.

        The entries of a mapping without an order that it promises are added in order of the keys.

        Raises:
            TypeError: `parameters` or one of the pairs cannot be iterated over.
            ValueError: a pair does not have two elements.
        """
        pairs = pairs_of("ParameterDict.update", parameters)
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs.sort(key=lambda pair: pair[0])
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(
            _described(key, value, value.type() if isinstance(value, Tensor) else "") for key, value in self.items()
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a ParameterDict cannot be called")


def _registrable(value: Any) -> Any:
    """A parameter for a tensor, any other value itself."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _string_key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of a ParameterDict must be a string, not {type(key).__name__}")
    return key


def _described(name: object, value: Any, kind: str) -> str:
    """One line of `extra_repr`."""
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    wrapper = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(str(length) for length in value.shape)
    return f"  ({name}): {wrapper} containing: [{kind} of size {size}]"
