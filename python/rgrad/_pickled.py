"""Objects that are not made of data alone, above all modules, in files of `save`: a pickle behind a word of its own.

A pickle names the classes of its objects, and loading it calls what it names. So it is read only if the caller says
that the file may be trusted (`weights_only=False`), or if it names nothing but tensors and what `add_safe_globals` was
given.
"""

from __future__ import annotations

import io
import pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

__all__ = ["HEAD", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "pickled", "safe_globals", "unpickled"]

#: With what a file begins that is one.
HEAD = b"rgrad pickle\n"

#: What tensors, parameters and collections are made by, by module.
_HARMLESS = {
    "builtins": {
        "bool",
        "bytearray",
        "complex",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "set",
        "slice",
        "str",
        "tuple",
    },
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "rgrad": {"Size", "Tensor", "device"},
    "rgrad._rgrad": {"Tensor", "_rebuild"},
    "rgrad._size": {"Size"},
    "rgrad.nn.parameter": {"Buffer", "Parameter", "_restore"},
}

_safe: list[Any] = []


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Let `load` make objects by these classes and functions, also without `weights_only=False`."""
    _safe.extend(safe_globals)


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` was given."""
    return list(_safe)


def clear_safe_globals() -> None:
    """Forget what `add_safe_globals` was given."""
    _safe.clear()


class safe_globals:
    """`add_safe_globals` for a `with` block."""

    def __init__(self, safe_globals: list[Any]) -> None:
        self.added = safe_globals

    def __enter__(self) -> None:
        self.before = get_safe_globals()
        add_safe_globals(self.added)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _safe[:] = self.before


class _Careful(pickle.Unpickler):
    """Makes nothing but what is harmless or said to be safe."""

    def find_class(self, module: str, name: str) -> Any:
        for safe in _safe:
            if (getattr(safe, "__module__", None), getattr(safe, "__qualname__", None)) == (module, name):
                return safe
        import rgrad

        dtype = module == "rgrad" and isinstance(getattr(rgrad, name, None), rgrad.dtype)
        if dtype or name in _HARMLESS.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"load(): the file names {module}.{name}, and with it code that runs when it is loaded. If you trust the "
            "file, pass weights_only=False, or add_safe_globals() what it may name"
        )


def pickled(obj: Any, protocol: int) -> bytes:
    """An object as a pickle with its head."""
    # Older protocols have bytes as text.
    return HEAD + pickle.dumps(obj, max(protocol, 4), fix_imports=False)


def unpickled(data: bytes, weights_only: bool) -> Any:
    """The object of a pickle with its head.

    Raises:
        pickle.UnpicklingError: with `weights_only`, the pickle names something that is not known to be harmless.
    """
    file = io.BytesIO(data[len(HEAD) :])
    return (_Careful if weights_only else pickle.Unpickler)(file, fix_imports=False).load()
