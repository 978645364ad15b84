"""`__torch_function__`: objects that take over the functions of tensors they meet, and modes that take over all.

A function looks among its arguments for objects whose class is not `Tensor` and has a `__torch_function__`, and calls
``type(x).__torch_function__(function, types, args, kwargs)`` of the first that does not answer ``NotImplemented``:
subclasses before their bases, else from left to right.
"""

from __future__ import annotations

from types import FunctionType

import rgrad
from rgrad import _rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from typing_extensions import Self

__all__ = [
    "BaseTorchFunctionMode",
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "TorchFunctionMode",
    "enable_reentrant_dispatch",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
    "wrap_torch_function",
]


class DisableTorchFunctionSubclass:
    """A context in which arguments override nothing; modes still do."""

    _level = 1

    def __enter__(self) -> None:
        self._before = _rgrad._disable_torch_function(self._level)

    def __exit__(self, *_: object) -> None:
        _rgrad._disable_torch_function(self._before)


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """A context in which neither arguments nor modes override anything."""

    _level = 2


class TorchFunctionMode:
    """A context in which `__torch_function__` of this object is asked about every function of tensors.

    While it answers, the mode is off, so that it can use these functions itself. Modes nest; the innermost is asked
    first, and what it calls comes to the next one out.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        raise NotImplementedError

    def __enter__(self) -> Self:
        _rgrad._push_torch_function_mode(self)
        return self

    def __exit__(self, *_: object) -> None:
        _rgrad._pop_torch_function_mode()

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> Self:
        """A new mode; the same as calling the class."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


class enable_reentrant_dispatch:
    """A context for code inside of `__torch_function__`; nothing has to be enabled again here."""

    def __enter__(self) -> None:
        self._before = _rgrad._disable_torch_function(0)

    def __exit__(self, *_: object) -> None:
        _rgrad._disable_torch_function(self._before)


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments, or a mode, overrides functions of tensors."""
    return _rgrad._has_torch_function(*relevant_args)


has_torch_function_variadic = _rgrad._has_torch_function


def has_torch_function_unary(obj: Any) -> bool:
    """Whether this argument, or a mode, overrides functions of tensors."""
    return _rgrad._has_torch_function(obj)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """What the arguments in `relevant_args`, or a mode, make of ``public_api(*args, **kwargs)``.

    Raises:
        TypeError: all of them answer `NotImplemented`.
    """
    return _rgrad._handle_torch_function(public_api, relevant_args, *args, **kwargs)


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that makes a function overridable by the arguments that `dispatcher`, called as it is, gives."""
    from functools import wraps

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def overridable(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if _rgrad._has_torch_function(*relevant):
                return handle_torch_function(overridable, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return overridable

    return decorate


def is_tensor_like(inp: Any) -> bool:
    """Whether `inp` is a tensor, or has a `__torch_function__` and so can stand in for one."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def get_default_nowrap_functions() -> set[Callable[..., Any]]:
    """What gives tensors that `Tensor.__torch_function__` leaves in the class they have."""
    return {_getter("grad"), _getter("_base")}


def _getter(name: str) -> Callable[..., Any]:
    getter: Callable[..., Any] = getattr(Tensor, name).__get__
    return getter


def get_ignored_functions() -> set[Callable[..., Any]]:
    """Public functions that `__torch_function__` cannot override: none of their arguments is a tensor."""
    overridable = set().union(*get_overridable_functions().values())
    return {
        function
        for space in (rgrad, rgrad.nn.functional)
        for name in space.__all__
        if callable(function := getattr(space, name)) and not isinstance(function, type) and function not in overridable
    }


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """The functions, methods and getters of properties that `__torch_function__` can override, by where they are."""
    functions: dict[Any, list[Callable[..., Any]]] = {
        space: [function for name in dir(space) if type(function := getattr(space, name)) is _FUNCTION]
        for space in (rgrad, rgrad.nn.functional)
    }
    functions[Tensor] = members = []
    for name, member in vars(Tensor).items():
        if type(member) in (_METHOD, _SLOT):
            members.append(getattr(Tensor, name))
        elif type(member) is _PROPERTY and not name.startswith("__"):
            members.append(_getter(name))
    return functions


_FUNCTION = type(rgrad.add)
_METHOD = type(Tensor.add)
_SLOT = type(Tensor.__add__)
_PROPERTY = type(Tensor.shape)


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether `func`, as `__torch_function__` gets it, is a method of `Tensor` or a property's getter or setter."""
    return type(func) in (_METHOD, _SLOT) or isinstance(getattr(func, "__self__", None), _PROPERTY)


def resolve_name(f: Callable[..., Any]) -> str | None:
    """The name by which `f`, as `__torch_function__` gets it, is found: ``"torch.Tensor.add"``; `None` if by none."""
    owner = getattr(f, "__self__", None)
    if isinstance(owner, _PROPERTY):
        return f"torch.Tensor.{owner.__name__}.{f.__name__}"
    name = getattr(f, "__name__", None)
    if name is None:
        return None
    if type(f) in (_METHOD, _SLOT):
        return f"torch.Tensor.{name}"
    if type(f) is _FUNCTION or isinstance(f, FunctionType):
        for space, prefix in ((rgrad, "torch"), (rgrad.nn.functional, "torch.nn.functional"), (Tensor, "torch.Tensor")):
            if getattr(space, name, None) is f:
                return f"{prefix}.{name}"
    return None
