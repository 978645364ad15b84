"""Switching the recording of operations, as context managers and decorators."""

from __future__ import annotations

from functools import wraps
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING

from .._rgrad import _set_grad_enabled

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    from typing_extensions import Self

    _Function = TypeVar("_Function", bound=Callable[..., Any])

__all__ = ["enable_grad", "no_grad", "set_grad_enabled"]


class _GradMode:
    """A context manager that sets the grad mode; on a function, a decorator."""

    _enabled: bool
    _before: list[bool]

    if TYPE_CHECKING:

        @overload
        def __new__(cls, function: None = None) -> Self: ...
        @overload
        def __new__(cls, function: _Function) -> _Function: ...  # type: ignore[misc]

    def __new__(cls, function: Any = None) -> Any:
        # `@no_grad` without parentheses decorates at once.
        mode = super().__new__(cls)
        mode._before = []
        return mode if function is None else mode(function)

    def __enter__(self) -> None:
        self._before.append(_set_grad_enabled(self._enabled))

    def __exit__(self, *_: object) -> None:
        _set_grad_enabled(self._before.pop())

    def clone(self) -> _GradMode:
        """A fresh context manager of the same mode."""
        return type(self)()

    def __call__(self, function: _Function) -> _Function:
        decorated: _Function = _decorate(self, function)
        return decorated


def _decorate(mode: _GradMode, function: Any) -> Any:
    if isinstance(function, type):
        raise TypeError(f"{type(mode).__name__} decorates functions, not the class {function.__name__}")
    code = getattr(function, "__code__", None)
    flags = code.co_flags if code is not None else 0
    if flags & 0x20:  # a generator function

        @wraps(function)
        def run_generator(*arguments: Any, **keywords: Any) -> Any:
            return _resume(mode, function(*arguments, **keywords))

        return run_generator
    if flags & 0x80:  # a coroutine function

        @wraps(function)
        async def run_coroutine(*arguments: Any, **keywords: Any) -> Any:
            return await _Awaiting(mode, function(*arguments, **keywords))

        return run_coroutine

    @wraps(function)
    def run(*arguments: Any, **keywords: Any) -> Any:
        with mode.clone():
            return function(*arguments, **keywords)

    return run


def _resume(mode: _GradMode, generator: GeneratorType[Any, Any, Any] | CoroutineType[Any, Any, Any]) -> Any:
    """Run a generator with the mode set while it runs, and only then."""
    try:
        with mode.clone():
            item = generator.send(None)
        while True:
            try:
                request = yield item
            except GeneratorExit:
                with mode.clone():
                    generator.close()
                raise
            except BaseException as error:
                with mode.clone():
                    item = generator.throw(error)
            else:
                with mode.clone():
                    item = generator.send(request)
    except StopIteration as end:
        return end.value


class _Awaiting:
    """Awaits a coroutine with the mode set while it runs."""

    def __init__(self, mode: _GradMode, coroutine: CoroutineType[Any, Any, Any]) -> None:
        self._mode = mode
        self._coroutine = coroutine

    def __await__(self) -> Any:
        return _resume(self._mode, self._coroutine)


class no_grad(_GradMode):  # noqa: N801
    """Record no operations: results do not require grad, whatever their arguments."""

    _enabled = False


class enable_grad(_GradMode):  # noqa: N801
    """Record operations again inside `no_grad`."""

    _enabled = True


class set_grad_enabled(_GradMode):  # noqa: N801
    """Record operations or not, from now on; as a context manager, until its end."""

    def __new__(cls, mode: bool) -> Any:
        return super().__new__(cls)

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled(): argument 'mode' has to be a bool, got {type(mode).__name__}")
        self._enabled = mode
        self._outer = _set_grad_enabled(self._enabled)

    def __enter__(self) -> None:
        self._before.append(self._outer)
        _set_grad_enabled(self._enabled)

    def clone(self) -> set_grad_enabled:
        return type(self)(self._enabled)

    def __call__(self, function: _Function) -> _Function:
        # Used as a decorator, the mode holds for calls of the function only.
        _set_grad_enabled(self._outer)
        return super().__call__(function)
