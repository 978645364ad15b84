"""Compilation of models, which leaves them as they are: every operation here is compiled beforehand."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["allow_in_graph", "compile", "disable", "is_compiling", "is_dynamo_compiling", "is_exporting", "reset"]


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """Give `model` back as it is, a module or a function; without one, a decorator that does so.

    Raises:
        RuntimeError: both `mode` and `options` are given.
    """
    if mode is not None and options is not None:
        raise RuntimeError("compile(): either mode or options can be given, not both")
    return _same if model is None else model


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Give `fn` back as it is; without one, a decorator that does so."""
    return _same if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """Give `fn` back as it is."""
    return fn


def is_compiling() -> bool:
    """Whether a model is being compiled: never."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def reset() -> None:
    """Forget what was compiled, which is nothing."""


def _same(model: Any) -> Any:
    return model
