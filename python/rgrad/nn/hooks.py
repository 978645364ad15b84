"""Hooks of one module: their tables and their registration."""

from __future__ import annotations

from collections import OrderedDict

from rgrad.nn.members import Members
from rgrad.utils.hooks import RemovableHandle, register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Hooks"]

#: The tables consulted when a module is called.
CALL_TABLES = frozenset(
    (
        "_forward_pre_hooks",
        "_forward_pre_hooks_with_kwargs",
        "_forward_hooks",
        "_forward_hooks_with_kwargs",
        "_forward_hooks_always_called",
        "_backward_pre_hooks",
        "_backward_hooks",
    )
)

#: The tables consulted when a module is saved or loaded.
STATE_TABLES = frozenset(
    (
        "_state_dict_pre_hooks",
        "_state_dict_hooks",
        "_state_dict_hooks_returning_nothing",
        "_load_state_dict_pre_hooks",
        "_load_state_dict_post_hooks",
    )
)


class Hooks(Members):
    """The part of `Module` that registers hooks.

    A table is made when it is first asked for, by a registration here or by anyone reading
    `module._forward_hooks`. Until then the module is known to have no hook of that kind, and a
    call need only look at `_hooked`.
    """

    #: Whether a call may have hooks to run: set on a module once a table of its own exists, and on
    #: the class while hooks of all modules are registered.
    _hooked = False

    #: What `_backward_hooks` holds: nothing yet, full hooks or the older, partial kind.
    _is_full_backward_hook: bool | None = None

    if TYPE_CHECKING:
        _forward_pre_hooks: OrderedDict[int, Callable[..., Any]]
        _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
        _forward_hooks: OrderedDict[int, Callable[..., Any]]
        _forward_hooks_with_kwargs: OrderedDict[int, bool]
        _forward_hooks_always_called: OrderedDict[int, bool]
        _backward_pre_hooks: OrderedDict[int, Callable[..., Any]]
        _backward_hooks: OrderedDict[int, Callable[..., Any]]
        _state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
        _state_dict_hooks: OrderedDict[int, Callable[..., Any]]
        _state_dict_hooks_returning_nothing: OrderedDict[int, bool]
        _load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
        _load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    def __getattr__(self, name: str) -> Any:
        called = name in CALL_TABLES
        if (called or name in STATE_TABLES) and "_modules" in self.__dict__:
            table: OrderedDict[int, Any] = OrderedDict()
            self.__dict__[name] = table
            if called:
                self.__dict__["_hooked"] = True
            return table
        return super().__getattr__(name)

    def _forget_empty_tables(self) -> None:
        """Let calls be quick again if the last hook of this module has been removed."""
        attributes = self.__dict__
        if not any(attributes.get(table) for table in CALL_TABLES):
            for name in (*CALL_TABLES, "_hooked"):
                attributes.pop(name, None)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before `forward`.

        What it returns, unless `None`, replaces the positional arguments; a value that is not a
        tuple becomes the only one.

        Args:
            hook: the function to call.
            prepend: whether it runs before the hooks already registered on this module.
            with_kwargs: whether it is called as `hook(module, args, kwargs)` and may return a
                tuple of both. Any other value makes the module's call raise `RuntimeError`.
        """
        marks = (self._forward_pre_hooks_with_kwargs,) if with_kwargs else ()
        return register(self._forward_pre_hooks, hook, prepend=prepend, marks=marks)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after `forward`; a value returned replaces `output`.

        Args:
            hook: the function to call.
            prepend: whether it runs before the hooks already registered on this module.
            with_kwargs: whether it is called as `hook(module, args, kwargs, output)`.
            always_call: whether it also runs when the call raises, with the output reached so far.
        """
        marks: tuple[OrderedDict[int, Any], ...] = ()
        if with_kwargs:
            marks += (self._forward_hooks_with_kwargs,)
        if always_call:
            marks += (self._forward_hooks_always_called,)
        return register(self._forward_hooks, hook, prepend=prepend, marks=marks)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` once the gradients of the outputs are known.

        `grad_output` is a tuple with a gradient or `None` for each output; what the hook returns,
        unless `None`, replaces it in the rest of the backward pass.
        """
        return register(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` once the gradients of the inputs are known.

        Both are tuples with an entry for each positional argument and for each output, `None`
        where there is no gradient. What the hook returns, unless `None`, replaces `grad_input`.

        Raises:
            RuntimeError: the module has a hook made by `register_backward_hook`.
        """
        self._settle_backward_kind(full=True)
        return register(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` around the last operation of `forward`.

        Deprecated: for a module of several operations these are not the module's own gradients;
        see `register_full_backward_hook`.

        Raises:
            RuntimeError: the module has a hook made by `register_full_backward_hook`.
        """
        self._settle_backward_kind(full=False)
        return register(self._backward_hooks, hook)

    def _settle_backward_kind(self, *, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError("full and partial backward hooks cannot be registered on the same module")
        self._is_full_backward_hook = full

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` reads this module."""
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` once this module is in it.

        The hook changes `state_dict` in place; `state_dict` raises `RuntimeError` if it returns
        anything.
        """
        marks = (self._state_dict_hooks_returning_nothing,)
        return register(self._state_dict_hooks, hook, marks=marks)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Like `register_state_dict_post_hook`, but the hook may return another dictionary."""
        return register(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook` before `load_state_dict` copies anything into this module.

        Its arguments are `(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)`; `state_dict` may be changed in place.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., None], with_module: bool = False
    ) -> RemovableHandle:
        """The older registration, whose hooks are by default not given the module."""
        return register(self._load_state_dict_pre_hooks, LoadHook(hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` once `load_state_dict` has filled this module.

        The lists in `incompatible_keys` may be changed in place: with `strict`, the errors raised
        follow what the hooks leave in them. `load_state_dict` raises `AssertionError` if the hook
        returns anything.
        """
        return register(self._load_state_dict_post_hooks, hook)


class LoadHook:
    """A hook run before loading, told the module or not as it was registered."""

    __slots__ = ("hook", "with_module")

    def __init__(self, hook: Callable[..., None], with_module: bool) -> None:
        self.hook = hook
        self.with_module = with_module

    def __call__(self, module: Any, *arguments: Any) -> None:
        if self.with_module:
            self.hook(module, *arguments)
        else:
            self.hook(*arguments)
