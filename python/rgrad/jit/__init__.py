"""TorchScript's marks, which leave functions and modules as they are: Python runs them."""

from __future__ import annotations

from typing import Final

from rgrad.futures import Future
from rgrad.nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

__all__ = [
    "Error",
    "Final",
    "ScriptFunction",
    "ScriptModule",
    "TracerWarning",
    "annotate",
    "export",
    "fork",
    "freeze",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "load",
    "optimize_for_inference",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "set_fusion_strategy",
    "trace",
    "trace_module",
    "unused",
    "wait",
]

_builtin_isinstance = isinstance


def script(obj: Any, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None, example_inputs: Any = None) -> Any:
    """Give a function, class or module back as it is."""
    return obj


def trace(func: Any, example_inputs: Any = None, *arguments: Any, **options: Any) -> Any:
    """Give a function or module back as it is: nothing is recorded, so branches stay branches."""
    return func


def trace_module(mod: Any, inputs: dict[str, Any], *arguments: Any, **options: Any) -> Any:
    """Give a module back as it is."""
    return mod


def freeze(mod: Any, preserved_attrs: list[str] | None = None, optimize_numerics: bool = True) -> Any:
    """Give a module in evaluation mode back as it is.

    Raises:
        RuntimeError: the module is being trained.
    """
    if getattr(mod, "training", False):
        raise RuntimeError("freeze(): the module is in training mode; call eval() first")
    return mod


def optimize_for_inference(mod: Any, other_methods: list[str] | None = None) -> Any:
    """Give a module back as it is."""
    return mod


def export(fn: Any) -> Any:
    """Give a method back as it is."""
    return fn


def ignore(drop: Any = False, **options: Any) -> Any:
    """Give a function back as it is; called with options, a decorator that does so."""
    return drop if callable(drop) else _same


def unused(fn: Any) -> Any:
    """Give a function back as it is."""
    return fn


def interface(obj: Any) -> Any:
    """Give a class back as it is."""
    return obj


def script_if_tracing(fn: Any) -> Any:
    """Give a function back as it is."""
    return fn


def annotate(the_type: Any, the_value: Any) -> Any:
    """Give the value back."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:  # noqa: A001
    """Whether `obj` is of a type, of which only the class counts: `list[int]` is `list`."""
    kinds = target_type if _builtin_isinstance(target_type, tuple) else (target_type,)
    return _builtin_isinstance(obj, tuple(getattr(kind, "__origin__", kind) for kind in kinds))


def fork(func: Callable[..., Any], *arguments: Any, **keywords: Any) -> Future[Any]:
    """Call a function and give its result for `wait`."""
    future: Future[Any] = Future()
    future.set_result(func(*arguments, **keywords))
    return future


def wait(future: Future[Any]) -> Any:
    """The result of a function that `fork` called."""
    return future.wait()


class ScriptModule(Module):
    """The class of compiled modules: a module whose methods Python runs."""


class Error(RuntimeError):
    """Raised by PyTorch where a compiled function fails, which none does here."""


class TracerWarning(Warning):
    """Given by PyTorch where a trace may not hold for other inputs; here nothing is traced."""


class ScriptFunction:
    """The class of compiled functions, of which there are none."""


RecursiveScriptModule = ScriptModule


def script_method(fn: Any) -> Any:
    """Give a method back as it is."""
    return fn


def set_fusion_strategy(strategy: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Give a strategy of compilation back: nothing is compiled."""
    return strategy


def is_scripting() -> bool:
    """Whether TorchScript runs this: never."""
    return False


def is_tracing() -> bool:
    """Whether a trace is being recorded: never."""
    return False


def save(m: Any, f: Any, _extra_files: Any = None) -> NoReturn:
    """Refused: there are no compiled modules to save; save the state with `rgrad.save`.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("jit.save(): modules are not compiled; save their state_dict() with rgrad.save")


def load(f: Any, map_location: Any = None, _extra_files: Any = None) -> NoReturn:
    """Refused: files of TorchScript hold programs that rgrad cannot run.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("jit.load(): programs of TorchScript cannot be run; rgrad.load reads safetensors files")


def _same(fn: Any) -> Any:
    return fn
