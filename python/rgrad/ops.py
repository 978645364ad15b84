"""`ops.aten`: the operations under the names of PyTorch's kernels, with or without the name of an overload.

``ops.aten.add(a, b)``, ``ops.aten.add.Tensor(a, b)`` and ``rgrad.add(a, b)`` are one function: overloads are told apart
by the arguments.
"""

from __future__ import annotations

import rgrad
from rgrad import _rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["aten"]


class Operation:
    """An operation; each attribute is one of its overloads, and all of these are the operation."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.__name__ = self.__qualname__ = name
        self.__doc__ = function.__doc__
        self._function = function

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._function(*arguments, **keywords)

    def __getattr__(self, name: str) -> Operation:
        if name.startswith("__"):
            raise AttributeError(f"the operation '{self.__name__}' has no attribute '{name}'")
        return self

    def __repr__(self) -> str:
        return f"<operation {self.__name__}>"


class Operations:
    """The operations of a library, found by name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Operation:
        function = None if name.startswith("__") else _found(name)
        if function is None:
            raise AttributeError(f"'{self._name}' has no operation '{name}'")
        operation = Operation(f"{self._name}.{name}", function)
        setattr(self, name, operation)
        return operation


def _found(name: str) -> Callable[..., Any] | None:
    from rgrad._C import _nn

    homes: list[Any] = [_nn, rgrad, _rgrad, rgrad.linalg, _rgrad._linalg, _rgrad._fft, rgrad.special, _rgrad._nn]
    candidates = [getattr(home, name, None) for home in homes]
    family, _, rest = name.partition("_")
    if family in ("special", "linalg", "fft"):
        candidates.append(getattr(getattr(rgrad, family), rest, None))
    candidates.append(getattr(rgrad.Tensor, name, None))
    return next((function for function in candidates if callable(function)), None)


aten = Operations("aten")
