"""Switching the recording of operations, as context managers and decorators."""

from __future__ import annotations

import threading
from functools import partial, wraps
from types import MethodType

from .. import _rgrad
from .._rgrad import _set_grad_enabled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar, overload

    from typing_extensions import Self

    from .._rgrad import Tensor

    _Function = TypeVar("_Function", bound=Callable[..., Any])

__all__ = [
    "enable_grad",
    "enforce_grad_layout_policy",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]


class _Mode:
    """A context manager of a mode; on a function, a decorator that enters it for each call."""

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *failure: object) -> None:
        raise NotImplementedError

    def clone(self) -> Any:
        """A fresh context manager of the same mode."""
        return type(self)()

    def __call__(self, function: _Function) -> _Function:
        if isinstance(function, type):
            import warnings

            warnings.warn(
                f"{type(self).__name__} on the class {function.__name__} holds for its __init__ only, and turns the "
                "class into a function; decorate the methods instead",
                FutureWarning,
                stacklevel=2,
            )
            made: _Function = _decorate(self, lambda *args, **kwargs: function(*args, **kwargs))
            return made
        decorated: _Function = _decorate(self, function)
        return decorated


def _decorate(mode: _Mode, function: Callable[..., Any]) -> Any:
    if _is_generator_function(function):

        @wraps(function)
        def run_generator(*args: Any, **kwargs: Any) -> Any:
            return (yield from _resume(mode, function(*args, **kwargs)))

        return run_generator

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with mode.clone():
            return function(*args, **kwargs)

    return run


def _is_generator_function(function: Any) -> bool:
    # As `inspect` tells, which takes long to import.
    while isinstance(function, (partial, MethodType)):
        function = function.func if isinstance(function, partial) else function.__func__
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & 0x20)


def _resume(mode: _Mode, generator: Generator[Any, Any, Any]) -> Any:
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


class _GradMode(_Mode):
    """A mode without arguments, which decorates with or without parentheses."""

    _enabled: bool
    _before: list[bool]

    if TYPE_CHECKING:

        @overload
        def __new__(cls, function: None = None) -> Self: ...
        @overload
        def __new__(cls, function: _Function) -> _Function: ...  # type: ignore[misc]

    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        mode._before = []
        return mode if function is None else mode(function)

    def __enter__(self) -> None:
        self._before.append(_set_grad_enabled(self._enabled))

    def __exit__(self, *failure: object) -> None:
        _set_grad_enabled(self._before.pop())


class no_grad(_GradMode):  # noqa: N801
    """Record no operations: results do not require grad, whatever their arguments.

    The mode belongs to the thread that enters it. Forward mode goes on.
    """

    _enabled = False


class enable_grad(_GradMode):  # noqa: N801
    """Record operations again inside `no_grad`, in this thread."""

    _enabled = True


class set_grad_enabled(_Mode):  # noqa: N801
    """Record operations or not, from now on in this thread; as a context manager, until its end."""

    def __init__(self, mode: bool) -> None:
        self.prev = _set_grad_enabled(mode)
        self.mode = mode

    def __enter__(self) -> None:
        _set_grad_enabled(self.mode)

    def __exit__(self, *failure: object) -> None:
        _set_grad_enabled(self.prev)

    def __call__(self, function: _Function) -> _Function:
        # Used as a decorator, the mode holds for calls of the function only.
        _set_grad_enabled(self.prev)
        return super().__call__(function)

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{type(self).__name__}(mode={self.mode})"

    def clone(self) -> set_grad_enabled:
        return type(self)(self.mode)


class inference_mode(_Mode):  # noqa: N801
    """Record nothing, and make tensors that can never be part of a graph.

    They have no version counter, and cannot be saved for a backward pass; in exchange nothing has to be tracked.
    `inference_mode(False)` inside records again. Forward mode is off too. The mode belongs to the thread.
    """

    mode: bool
    _before: list[tuple[bool, bool]]

    if TYPE_CHECKING:

        @overload
        def __new__(cls, mode: bool = True) -> Self: ...
        @overload
        def __new__(cls, mode: _Function) -> _Function: ...  # type: ignore[misc]

    def __new__(cls, mode: Any = True) -> Any:
        if not isinstance(mode, bool):
            return cls()(mode)
        made = super().__new__(cls)
        made.mode, made._before = mode, []
        return made

    def __enter__(self) -> None:
        self._before.append((_rgrad._set_inference_mode(self.mode), _set_grad_enabled(not self.mode)))

    def __exit__(self, *failure: object) -> None:
        inference, recording = self._before.pop()
        _set_grad_enabled(recording)
        _rgrad._set_inference_mode(inference)

    def clone(self) -> inference_mode:
        return type(self)(self.mode)


class _Idle(threading.local):
    """Switches of PyTorch's that are kept and can be asked for, but change nothing here; each thread has its own."""

    multithreading = True
    view_replay = False
    grad_layout = True


_idle = _Idle()


class _IdleSwitch(_Mode):
    """Sets an idle switch from now on; as a context manager, until its end."""

    _name: str

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"{type(self).__name__}(): the mode is a bool, got {type(mode).__name__}")
        self.mode = mode
        self.prev = getattr(_idle, self._name)
        setattr(_idle, self._name, mode)

    def __enter__(self) -> None:
        setattr(_idle, self._name, self.mode)

    def __exit__(self, *failure: object) -> None:
        setattr(_idle, self._name, self.prev)

    def __call__(self, function: _Function) -> _Function:
        setattr(_idle, self._name, self.prev)
        return super().__call__(function)

    def clone(self) -> _IdleSwitch:
        return type(self)(self.mode)


class set_multithreading_enabled(_IdleSwitch):  # noqa: N801
    """Whether a backward pass may use other threads for other devices. There is one device here: nothing changes."""

    _name = "multithreading"


class enforce_grad_layout_policy(_IdleSwitch):  # noqa: N801
    """Whether gradients take the strides of their leaf. They do here in either case."""

    _name = "grad_layout"

    def __init__(self, enable: bool = True) -> None:
        super().__init__(enable)


class _force_original_view_tracking(_IdleSwitch):  # noqa: N801
    """Whether views of a changed base are made again step by step. They are here in either case."""

    _name = "view_replay"


def is_multithreading_enabled() -> bool:
    """What `set_multithreading_enabled` has set in this thread."""
    return _idle.multithreading


def is_view_replay_enabled() -> bool:
    """What `_force_original_view_tracking` has set in this thread."""
    return _idle.view_replay


class _unsafe_preserve_version_counter(_Mode):  # noqa: N801
    """A context that hides its changes in place of some tensors: backward takes their values for those it saved."""

    def __init__(self, tensors: Tensor | tuple[Tensor, ...]) -> None:
        self.tensors = (tensors,) if isinstance(tensors, _rgrad.Tensor) else tensors
        if not isinstance(self.tensors, tuple):
            raise AssertionError(f"a tensor or a tuple of tensors is expected, got {type(tensors).__name__}")
        self.prev_versions = tuple(tensor._version for tensor in self.tensors)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *failure: object) -> None:
        for tensor, version in zip(self.tensors, self.prev_versions):
            _rgrad._set_version(tensor, version)
