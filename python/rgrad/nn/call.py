"""Calling a module that may have hooks to run around its `forward`."""

from __future__ import annotations

import warnings

from rgrad._rgrad import Tensor
from rgrad.nn import global_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from rgrad.nn.module import Module

__all__ = ["call_with_hooks"]


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run `module.forward` with the hooks of all modules and then those of this one around it."""
    global_hooks.forget_if_none_left()
    call = _Call(module, args, kwargs)
    try:
        call.run()
    except Exception:
        call.run_hooks_always_called()
        raise
    return call.output


class _Call:
    """The arguments and the output of one call, as hooks replace them."""

    def __init__(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.output: Any = None
        self.hooks_called: set[int] = set()

    def run(self) -> None:
        self._run_forward_pre_hooks()
        full, partial = self._backward_hooks()
        before = list(global_hooks.BACKWARD_PRE.values()) + list(self._own("_backward_pre_hooks").values())
        watch = None
        if full or before:
            from rgrad.nn.backward_hooks import BackwardWatch  # only calls with such hooks need it

            watch = BackwardWatch(self.module, full, before)
            self.args = watch.enter(self.args)
        self.output = self.module.forward(*self.args, **self.kwargs)
        for number, hook, with_kwargs, _ in self._forward_hooks():
            self.hooks_called.add(number)
            self._run_forward_hook(hook, with_kwargs)
        if watch is not None:
            if not isinstance(self.output, (Tensor, tuple)):
                warnings.warn(
                    "backward hooks run only for a Tensor or a tuple of them, but "
                    f"{type(self.module).__name__} returned a {type(self.output).__name__}",
                    stacklevel=5,
                )
            self.output = watch.leave(self.output)
        if partial:
            self._attach_to_last_operation(partial)

    def run_hooks_always_called(self) -> None:
        """After a failure, run what was registered to run even then."""
        for number, hook, with_kwargs, always_called in self._forward_hooks():
            if not always_called or number in self.hooks_called:
                continue
            try:
                self._run_forward_hook(hook, with_kwargs)
            except Exception as failure:
                warnings.warn(
                    f"a forward hook called because {type(self.module).__name__} failed has failed too: {failure}",
                    stacklevel=4,
                )

    def _own(self, table: str) -> dict[int, Any]:
        hooks: dict[int, Any] = self.module.__dict__.get(table, {})
        return hooks

    def _run_forward_pre_hooks(self) -> None:
        with_kwargs = self._own("_forward_pre_hooks_with_kwargs")
        hooks = [*global_hooks.FORWARD_PRE.items(), *self._own("_forward_pre_hooks").items()]
        for number, hook in hooks:
            if number in with_kwargs:
                replaced = hook(self.module, self.args, self.kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        "a forward pre-hook registered with_kwargs must return None or a tuple of "
                        f"args and kwargs, not {replaced!r}"
                    )
                self.args, self.kwargs = replaced
            else:
                replaced = hook(self.module, self.args)
                if replaced is not None:
                    self.args = replaced if isinstance(replaced, tuple) else (replaced,)

    def _forward_hooks(self) -> Iterator[tuple[int, Callable[..., Any], bool, bool]]:
        """Each forward hook: its number, itself, whether it takes keywords and always runs."""
        of_all = global_hooks.FORWARD, global_hooks.FORWARD_WITH_KWARGS
        own = self._own("_forward_hooks"), self._own("_forward_hooks_with_kwargs")
        tables: Any = (
            (*of_all, global_hooks.FORWARD_ALWAYS_CALLED),
            (*own, self._own("_forward_hooks_always_called")),
        )
        for hooks, with_kwargs, always_called in tables:
            for number, hook in list(hooks.items()):
                yield number, hook, number in with_kwargs, number in always_called

    def _run_forward_hook(self, hook: Callable[..., Any], with_kwargs: bool) -> None:
        if with_kwargs:
            replaced = hook(self.module, self.args, self.kwargs, self.output)
        else:
            replaced = hook(self.module, self.args, self.output)
        if replaced is not None:
            self.output = replaced

    def _backward_hooks(self) -> tuple[list[Callable[..., Any]], list[Callable[..., Any]]]:
        """The full hooks and the partial ones."""
        full = list(global_hooks.FULL_BACKWARD.values())
        partial = list(global_hooks.PARTIAL_BACKWARD.values())
        own = self._own("_backward_hooks").values()
        (full if self.module._is_full_backward_hook else partial).extend(own)
        return full, partial

    def _attach_to_last_operation(self, hooks: list[Callable[..., Any]]) -> None:
        """Hang partial backward hooks on the operation that made the first output tensor."""
        output = self.output
        while not isinstance(output, Tensor):
            if isinstance(output, dict):
                output = next(value for value in output.values() if isinstance(value, Tensor))
            else:
                output = output[0]
        operation = output.grad_fn
        if operation is not None:
            for hook in hooks:
                operation.register_hook(_PartialHook(hook, self.module))


class _PartialHook:
    """A partial backward hook with the module it is to be told of."""

    __slots__ = ("hook", "module")

    def __init__(self, hook: Callable[..., Any], module: Module) -> None:
        self.hook = hook
        self.module = module

    def __call__(self, grad_input: Any, grad_output: Any) -> Any:
        return self.hook(self.module, grad_input, grad_output)
