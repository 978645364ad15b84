"""Nodes of the graph, edges to them, and hooks over several tensors or over what is saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

from .. import _rgrad
from .._rgrad import Node
from ..utils.hooks import RemovableHandle

if TYPE_CHECKING:
    from typing import Any

    from .._rgrad import Tensor

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class GradientEdge(NamedTuple):
    """A place in the graph to which a gradient goes: result `output_nr` of `node`.

    It can stand for a tensor as a root or an input of `backward` and `grad`, when the tensor itself is gone.
    """

    node: Node
    output_nr: int
    ownership_token: Node | None = None


class _InputMetadata(NamedTuple):
    """What the gradient of a result has to look like."""

    shape: Any
    dtype: Any
    is_nested_tensor: bool = False
    is_cpp_nested_tensor: bool = False


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge to which the gradient of `tensor` goes; of a leaf, the one to the node that accumulates.

    Raises RuntimeError if the tensor does not require grad.
    """
    node, output_nr = _rgrad._gradient_edge(tensor)
    return GradientEdge(node, output_nr, node)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Count a change in place that rgrad could not see, for a tensor or several."""
    for one in (tensor,) if isinstance(tensor, _rgrad.Tensor) else tensor:
        _rgrad._increment_version(one)


class saved_tensors_hooks:  # noqa: N801
    """A context in which each tensor that is saved for backward is kept as `pack_hook(tensor)` gives it.

    `unpack_hook` gets that back when the backward pass needs the tensor, and has to return a tensor of the same
    values. `pack_hook` must not change its argument in place. Contexts nest; the innermost counts.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> Any:
        if _disabled.message is not None:
            raise RuntimeError(_disabled.message)
        _rgrad._push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)
        return None

    def __exit__(self, *_: object) -> None:
        _rgrad._pop_saved_tensors_hooks()


class _Disabled(threading.local):
    message: str | None = None


_disabled = _Disabled()


class disable_saved_tensors_hooks:  # noqa: N801
    """A context (or decorator) in which `saved_tensors_hooks` raises a RuntimeError with `error_message`."""

    def __init__(self, error_message: str) -> None:
        self._message = error_message
        self._outer: list[str | None] = []

    def __enter__(self) -> None:
        self._outer.append(_disabled.message)
        _disabled.message = self._message

    def __exit__(self, *_: object) -> None:
        _disabled.message = self._outer.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with disable_saved_tensors_hooks(self._message):
                return function(*args, **kwargs)

        return run


class save_on_cpu(saved_tensors_hooks):  # noqa: N801
    """A context in which saved tensors are moved to the CPU, where they are already: each is kept as a copy.

    `pin_memory` is accepted and has no effect; `device_type` has to be one that exists here.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cpu") -> None:
        super().__init__(lambda tensor: tensor.detach().clone(), lambda packed: packed)


class _Saved:
    """Stands for a tensor in the state in which it was saved."""

    __slots__ = ("__weakref__",)


class _MutationContext:
    """The tensors that were saved under `allow_mutation_on_saved_tensors`: as they are, or copied before a change.

    `clear()` forgets them.
    """

    def __init__(self) -> None:
        self.original: WeakKeyDictionary[_Saved, Tensor] = WeakKeyDictionary()
        self.cloned: WeakKeyDictionary[_Saved, Tensor] = WeakKeyDictionary()
        self._by_memory: dict[int, WeakSet[_Saved]] = {}

    def pack(self, tensor: Tensor) -> _Saved:
        saved = _Saved()
        self.original[saved] = tensor.detach()
        self._by_memory.setdefault(_memory_of(tensor), WeakSet()).add(saved)
        return saved

    def unpack(self, saved: _Saved) -> Tensor:
        tensor = self.cloned.get(saved)
        if tensor is None:
            tensor = self.original.get(saved)
        if _mutation.context is not self or tensor is None:
            raise AssertionError(
                "backward runs outside the allow_mutation_on_saved_tensors() in which the graph was made, or after "
                "clear(): what was saved there is gone"
            )
        return tensor

    def before_change(self, tensor: Tensor) -> None:
        for saved in self._by_memory.pop(_memory_of(tensor), ()):
            original = self.original.pop(saved, None)
            if original is not None:
                self.cloned[saved] = original.clone()

    def clear(self) -> None:
        self.original.clear()
        self.cloned.clear()
        self._by_memory.clear()


def _memory_of(tensor: Tensor) -> int:
    """Where the memory begins that a tensor shares with its views."""
    return tensor.data_ptr() - tensor.storage_offset() * tensor.element_size()


class _Mutation(threading.local):
    context: _MutationContext | None = None


_mutation = _Mutation()


class allow_mutation_on_saved_tensors:  # noqa: N801
    """A context in which tensors saved for backward may be changed in place: backward sees them as they were saved.

    A tensor is copied before its first change. `backward` has to run inside the context, which cannot be nested: it
    raises AssertionError or RuntimeError. The value of the context has `clear()`, which forgets all that was saved.
    """

    def __enter__(self) -> _MutationContext:
        if _mutation.context is not None:
            raise RuntimeError("allow_mutation_on_saved_tensors() cannot be nested")
        context = _MutationContext()
        self._hooks = saved_tensors_hooks(context.pack, context.unpack)
        self._hooks.__enter__()
        _mutation.context = context
        _rgrad._watch_changes(context.before_change)
        return context

    def __exit__(self, *_: object) -> None:
        context, _mutation.context = _mutation.context, None
        _rgrad._watch_changes(None)
        self._hooks.__exit__()
        if context is not None:
            context.clear()


def register_multi_grad_hook(
    tensors: Sequence[Tensor],
    fn: Callable[..., None],
    *,
    mode: str = "all",
) -> RemovableHandle:
    """Call `fn` once in a backward pass for several tensors.

    With `mode="all"`, `fn` gets a sequence of the gradients of all `tensors` that the pass reaches (None for the
    others) when the last of them is computed; with `mode="any"`, the first gradient that is computed.

    Returns a handle whose `remove()` takes the hook away. Raises ValueError for another mode.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook(): mode has to be 'all' or 'any', got {mode!r}")
    lock = threading.Lock()
    handles = _all_hooks(tensors, fn, lock) if mode == "all" else _any_hooks(tensors, fn, lock)
    return _Handles(handles)


def _all_hooks(tensors: Sequence[Tensor], fn: Callable[..., None], lock: threading.Lock) -> list[RemovableHandle]:
    count: dict[int, int] = {}
    arrived: dict[int, list[Tensor | None]] = {}
    expected: dict[int, int] = {}
    nodes = [_rgrad._gradient_edge(tensor)[0] for tensor in tensors]

    def make(position: int) -> Callable[[Tensor], None]:
        def hook(gradient: Tensor) -> None:
            task = _rgrad._current_graph_task_id()
            with lock:
                count[task] = count.get(task, 0) + 1
                if task not in arrived:
                    arrived[task] = [None] * len(tensors)
                    expected[task] = sum(map(_rgrad._will_engine_execute_node, nodes))
                arrived[task][position] = gradient
                complete = count[task] == expected[task]
                gradients = arrived[task]
                if complete:
                    del count[task], arrived[task], expected[task]
            if complete:
                fn(gradients)

        return hook

    return [tensor.register_hook(make(position)) for position, tensor in enumerate(tensors)]


def _any_hooks(tensors: Sequence[Tensor], fn: Callable[..., None], lock: threading.Lock) -> list[RemovableHandle]:
    seen: list[int] = []

    def hook(gradient: Tensor) -> None:
        task = _rgrad._current_graph_task_id()
        with lock:
            first = task not in seen
            seen[:] = [task]
        if first:
            fn(gradient)

    return [tensor.register_hook(hook) for tensor in tensors]


class _Handles(RemovableHandle):
    """Removes several hooks as one."""

    def __init__(self, handles: list[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __getstate__(self) -> Any:
        return self.handles

    def __setstate__(self, state: Any) -> None:
        self.handles = state
