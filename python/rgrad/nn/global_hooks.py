"""Hooks of all modules at once, for debugging and profiling."""

from __future__ import annotations

from collections import OrderedDict

from rgrad.nn import registration
from rgrad.nn.hooks import Hooks
from rgrad.utils.hooks import RemovableHandle, register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Table = OrderedDict[int, Any]

__all__ = [
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

FORWARD_PRE: Table = OrderedDict()
FORWARD: Table = OrderedDict()
FORWARD_WITH_KWARGS: Table = OrderedDict()
FORWARD_ALWAYS_CALLED: Table = OrderedDict()
BACKWARD_PRE: Table = OrderedDict()
FULL_BACKWARD: Table = OrderedDict()
PARTIAL_BACKWARD: Table = OrderedDict()


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, args)` before every `forward`, ahead of the module's own hooks."""
    return _register_for_calls(FORWARD_PRE, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after every `forward`, ahead of the module's own hooks.

    `with_kwargs` and `always_call` are those of `Module.register_forward_hook`.
    """
    marks: tuple[Table, ...] = ()
    if with_kwargs:
        marks += (FORWARD_WITH_KWARGS,)
    if always_call:
        marks += (FORWARD_ALWAYS_CALLED,)
    return _register_for_calls(FORWARD, hook, marks)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_output)` as `Module.register_full_backward_pre_hook` would."""
    return _register_for_calls(BACKWARD_PRE, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` in the backward pass of every module.

    Raises:
        RuntimeError: a hook made by `register_module_backward_hook` is registered.
    """
    if PARTIAL_BACKWARD:
        raise RuntimeError("full and partial backward hooks cannot be registered together")
    return _register_for_calls(FULL_BACKWARD, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` around the last operation of every module.

    Deprecated, as `Module.register_backward_hook` is.

    Raises:
        RuntimeError: a hook made by `register_module_full_backward_hook` is registered.
    """
    if FULL_BACKWARD:
        raise RuntimeError("full and partial backward hooks cannot be registered together")
    return _register_for_calls(PARTIAL_BACKWARD, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, parameter)` at every registration of a parameter.

    What it returns, unless `None`, is registered instead.
    """
    return register(registration.PARAMETER_HOOKS, hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, buffer)` at every registration of a buffer.

    What it returns, unless `None`, is registered instead.
    """
    return register(registration.BUFFER_HOOKS, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, submodule)` at every registration of a submodule.

    What it returns, unless `None`, is registered instead.
    """
    return register(registration.MODULE_HOOKS, hook)


def _register_for_calls(table: Table, hook: Callable[..., Any], marks: tuple[Table, ...] = ()) -> RemovableHandle:
    # Seen by every module through its class: calls look for hooks from now on.
    Hooks._hooked = True
    return register(table, hook, marks=marks)


def forget_if_none_left() -> None:
    """Let calls be quick again once the last of these hooks has been removed."""
    if not (FORWARD_PRE or FORWARD or BACKWARD_PRE or FULL_BACKWARD or PARTIAL_BACKWARD):
        Hooks._hooked = False
