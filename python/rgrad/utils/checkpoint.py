"""Checkpoints: parts of a graph that save nothing for backward, and are run again there instead.

There are two ways. The first (`use_reentrant=False`) records the graph as usual, with a slot in the place of each saved
tensor; the first slot that backward asks for a tensor runs the function again and fills all of them. The other
(`use_reentrant=True`) runs the function without recording, as one node, whose backward runs it again with recording
and starts a backward pass of its own.

Note [Nested checkpoints]
A saved tensor belongs to the innermost checkpoint. The arguments of a checkpoint are tensors that the one around it
saves. So filling the slots of the inner one first asks for its arguments, and this runs the outer one. Running a
function again begins as if no checkpoint was active, and meets those inside it anew.

Note [Passes]
Slots are filled for one backward pass, and emptied as they are used, also if the graph is retained: another pass runs
the function again. A backward pass inside the checkpointed function asks for tensors before the function has ended.
Running it again then stops where all slots that there are so far are filled, or saves more tensors than there are
slots.
"""

from __future__ import annotations

import sys
import threading
import warnings
from contextlib import contextmanager, nullcontext
from weakref import ref

from .. import _rgrad
from ..autograd import Function, enable_grad, no_grad
from ..autograd.graph import saved_tensors_hooks
from .selective_checkpoint import (
    CheckpointPolicy,
    SelectiveCheckpointContext,
    create_selective_checkpoint_contexts,
    keep,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    from .._rgrad import Tensor
    from .selective_checkpoint import Kept

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "GraphExecGroup",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]


class CheckpointError(RuntimeError):
    """A function has not saved the same tensors when it was run again."""


def noop_context_fn() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Two contexts that do nothing."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Call `function` without keeping what it saves for backward; backward runs it again.

    Args:
        function: takes `args` and `kwargs`; has to do the same when it is run again.
        use_reentrant: which of the two ways is used; see the top of this file. False is recommended. True works with
            `backward()` without `inputs` only, needs an argument that requires grad, sees no tensors inside lists and
            dictionaries, and takes no keyword arguments. None warns, and is True.
        preserve_rng_state: a keyword argument: whether the random numbers are the same again (the default).
        context_fn: gives a context for each of the two runs. Not with `use_reentrant=True`.
        determinism_check: `"default"` compares size and dtype of the saved tensors of both runs; `"none"` only
            their number.
        debug: whether the error of that comparison lists all saved tensors, and where they were saved. Not with
            `context_fn`.
        early_stop: whether to run the function again only as far as needed.

    Returns:
        What `function` returns.

    Raises:
        ValueError: options that cannot be combined, or unknown ones.
        CheckpointError: in backward, if the second run has not saved the same tensors.
    """
    if use_reentrant is None:
        warnings.warn(
            "checkpoint(): say use_reentrant=False, which is recommended, or True, which is what its absence means",
            stacklevel=2,
        )
        use_reentrant = True
    preserve_rng_state = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError(f"checkpoint(): with use_reentrant=True there cannot be {', '.join(kwargs)}")
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("checkpoint(): context_fn and debug need use_reentrant=False")
        return CheckpointFunction.apply(function, preserve_rng_state, *args)
    if _debug_everywhere is not None:
        debug = _debug_everywhere
    if debug and context_fn is not noop_context_fn:
        raise ValueError("checkpoint(): debug=True cannot be combined with context_fn")
    if determinism_check not in ("default", "none"):
        raise ValueError(f"checkpoint(): determinism_check has to be 'default' or 'none', got {determinism_check!r}")
    first, second = context_fn()
    if not _rgrad.is_grad_enabled():
        return function(*args, **kwargs)
    state = _rgrad.default_generator.get_state() if preserve_rng_state else None
    precision = _rgrad._autocast()

    def again(*args: Any) -> None:
        with _random_numbers_from(state), _autocast_as(precision), second:
            function(*args, **kwargs)

    region = _Region(
        again,
        args,
        early_stop if _early_stop_everywhere is None else _early_stop_everywhere,
        determinism_check == "default",
        debug,
    )
    with saved_tensors_hooks(region.pack, region.unpack), first:
        result = function(*args, **kwargs)
        region.complete = True
    if not region.complete:
        raise RuntimeError(
            "checkpoint(): the first context of context_fn has suppressed an exception of the function, so that there "
            "is no result"
        )
    return result


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Call functions one after another, in `segments` parts; all but the last part are checkpoints.

    Args:
        functions: a `Sequential`, or a list of modules and functions, each with one argument.
        segments: the number of parts; all are equally long, but for the last, which takes the rest.
        input: the argument of the first function.
        use_reentrant, preserve_rng_state: as for `checkpoint`.

    Returns:
        What the last function returns.
    """
    if use_reentrant is None:
        warnings.warn(
            "checkpoint_sequential(): say use_reentrant=False, which is recommended, or True, which is what its "
            "absence means",
            stacklevel=2,
        )
        use_reentrant = True
    preserve_rng_state = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"checkpoint_sequential(): there is no option {', '.join(kwargs)}")
    functions = list(functions)
    length = len(functions) // segments
    begin = 0
    for begin in range(length, length * segments, length):
        input = checkpoint(
            _composed(functions[begin - length : begin]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )
    return _composed(functions[begin:])(input)


def _composed(functions: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return value

    return run


_early_stop_everywhere: bool | None = None
_debug_everywhere: bool | None = None


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """In this context, `early_stop` of every `checkpoint` is `enable`; their backward may come later."""
    global _early_stop_everywhere
    before, _early_stop_everywhere = _early_stop_everywhere, enable
    try:
        yield
    finally:
        _early_stop_everywhere = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """In this context, `debug` of every `checkpoint` is `enabled`; None leaves it to them."""
    global _debug_everywhere
    before, _debug_everywhere = _debug_everywhere, enabled
    try:
        yield
    finally:
        _debug_everywhere = before


class GraphExecGroup:
    """A context in which several backward passes run a checkpointed function again at most once.

    No two of them may use the same saved tensor. It has no effect on checkpoints with `use_reentrant=True`.
    """

    def __enter__(self) -> GraphExecGroup:
        if _current.group is not None:
            raise RuntimeError("GraphExecGroup contexts cannot be nested")
        _current.group = self
        return self

    def __exit__(self, *failure: object) -> None:
        _current.group = None


class _Current(threading.local):
    group: GraphExecGroup | None = None


_current = _Current()


@contextmanager
def _random_numbers_from(state: Tensor | None) -> Iterator[None]:
    """Draw random numbers from a state of the generator, and go on afterwards as if none had been drawn."""
    if state is None:
        yield
        return
    before = _rgrad.default_generator.get_state()
    _rgrad.default_generator.set_state(state)
    try:
        yield
    finally:
        _rgrad.default_generator.set_state(before)


@contextmanager
def _autocast_as(precision: tuple[Any, bool]) -> Iterator[None]:
    """Compute under autocast with a lower precision, or without for None; the second item is whether it caches."""
    if precision == _rgrad._autocast():
        yield
        return
    from ..amp import autocast  # not before it is used

    dtype, caches = precision
    with autocast("cpu", dtype, enabled=dtype is not None, cache_enabled=caches):
        yield


class _Stop(BaseException):
    """All tensors that are needed have been computed again. Not an Exception, which the function might catch."""


class _Slot:
    """The place of a saved tensor: its values for the backward passes that have not used them yet."""

    __slots__ = ("__weakref__", "kept", "values")

    def __init__(self, kept: Kept | None) -> None:
        self.kept = kept
        self.values: dict[Any, Tensor | None] = {}


class _Region:
    """One call under `checkpoint`, and how to run it again."""

    def __init__(
        self, again: Callable[..., None], args: tuple[Any, ...], early_stop: bool, compare: bool, debug: bool
    ) -> None:
        self.again = again
        self.arguments = _Arguments(args)
        self.early_stop = early_stop
        self.compare = compare
        self.debug = debug
        self.complete = False
        # The graph alone keeps slots, so that those of freed nodes need not be filled.
        self.slots: list[ref[_Slot]] = []
        self.descriptions: list[_Description] = []
        self.filled: set[Any] = set()

    def pack(self, tensor: Tensor) -> _Slot:
        slot = _Slot(keep(tensor))
        self.slots.append(ref(slot))
        self.descriptions.append(_Description(tensor, self.debug))
        return slot

    def unpack(self, slot: _Slot) -> Tensor:
        if slot.kept is not None:
            return slot.kept.tensor()
        task = _rgrad._current_graph_task_id()
        if _current.group is None and task == -1:
            return self._unpack_once(slot)
        key = task if _current.group is None else _current.group
        if key not in self.filled:
            self._fill(key)
            self.filled.add(key)
        return self._use(slot, key)

    def _unpack_once(self, slot: _Slot) -> Tensor:
        """A saved tensor that is asked for outside a backward pass."""
        key = object()
        try:
            self._fill(key)
            return self._use(slot, key)
        finally:
            for reference in self.slots:
                other = reference()
                if other is not None:
                    other.values.pop(key, None)

    @staticmethod
    def _use(slot: _Slot, key: Any) -> Tensor:
        tensor = slot.values.get(key)
        if tensor is None:
            raise CheckpointError(
                "checkpoint: a saved tensor is used a second time in one backward pass (or GraphExecGroup); it was "
                "given away the first time. In a Function, get ctx.saved_tensors once"
            )
        slot.values[key] = None
        return tensor

    def _fill(self, key: Any) -> None:
        """Run the function again, and put what it saves into the slots."""
        run = _SecondRun(self, key)
        arguments = self.arguments.get()
        try:
            with saved_tensors_hooks(run.pack, _same), enable_grad():
                self.again(*arguments)
        except _Stop:
            pass
        else:
            run.check_number()
        if self.compare:
            run.check_descriptions()


class _SecondRun:
    """A function that is run again for one backward pass."""

    def __init__(self, region: _Region, key: Any) -> None:
        self.region = region
        self.key = key
        self.descriptions: list[_Description] = []
        slots = [reference() for reference in region.slots]
        self.needed = [i for i, slot in enumerate(slots) if slot is not None and slot.kept is None]
        self.surplus = False

    def pack(self, tensor: Tensor) -> Tensor:
        """Put a tensor into the next slot; gives it too, as the function may run a backward pass of its own."""
        tensor = tensor.detach() if tensor.requires_grad else tensor
        position = len(self.descriptions)
        self.descriptions.append(_Description(tensor, self.region.debug))
        if position >= len(self.region.slots):
            # See Note [Passes].
            if self.region.complete:
                raise self._error("more tensors than the first run")
            self.surplus = True
            return tensor
        slot = self.region.slots[position]()
        if slot is not None and slot.kept is None:
            slot.values[self.key] = tensor
        if self.region.early_stop and self.needed and position == self.needed[-1]:
            raise _Stop
        return tensor

    def check_number(self) -> None:
        if not self.surplus and len(self.descriptions) != len(self.region.slots):
            raise self._error(f"{len(self.descriptions)} tensors, and the first run {len(self.region.slots)}")

    def check_descriptions(self) -> None:
        different = [
            f"tensor {i} was {self.region.descriptions[i]} and now is {self.descriptions[i]}"
            for i in self.needed
            if i < len(self.descriptions) and self.descriptions[i] != self.region.descriptions[i]
        ]
        if different:
            raise self._error("other tensors than the first run: " + "; ".join(different))

    def _error(self, what: str) -> CheckpointError:
        message = f"checkpoint: the function has saved {what}. It has to do the same when it is run again for backward"
        if not self.region.debug:
            return CheckpointError(f"{message}; checkpoint(..., debug=True) lists what was saved, and where")
        runs = (("first", self.region.descriptions), ("second", self.descriptions))
        lists = [
            f"\nSaved in the {name} run:\n" + "\n".join(one.line(i) for i, one in enumerate(all)) for name, all in runs
        ]
        return CheckpointError(message + "".join(lists))


class _Description:
    """What has to be the same of a saved tensor in both runs; and where it was saved, if that is to be told."""

    __slots__ = ("dtype", "place", "shape")

    def __init__(self, tensor: Tensor, with_place: bool) -> None:
        self.shape = tensor.shape
        self.dtype = tensor.dtype
        self.place = _users_line() if with_place else None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Description):
            return NotImplemented
        return (self.shape, self.dtype) == (other.shape, other.dtype)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self.dtype} of size {tuple(self.shape)}"

    def line(self, number: int) -> str:
        return f"  {number}: {self} at {self.place}"


def _users_line() -> str:
    """The file and line of the innermost caller outside this package."""
    frame = sys._getframe(1)
    package = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def _same(value: Any) -> Any:
    return value


class _Arguments:
    """The arguments of a function, those that are tensors saved for backward; see Note [Nested checkpoints]."""

    def __init__(self, args: tuple[Any, ...]) -> None:
        self.others = [None if isinstance(one, _rgrad.Tensor) else one for one in args]
        self.positions = [i for i, one in enumerate(args) if isinstance(one, _rgrad.Tensor)]
        self.saved = _Save.apply(_rgrad.empty(0, requires_grad=True), *(args[i] for i in self.positions))

    def get(self) -> list[Any]:
        args = list(self.others)
        for position, tensor in zip(self.positions, self.saved.grad_fn.saved_tensors):
            args[position] = tensor
        return args


class _Save(Function):
    """A node that saves its arguments, and through which no gradient goes."""

    @staticmethod
    def forward(empty: Tensor, *tensors: Tensor) -> Tensor:
        return empty.detach()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        raise AssertionError("nothing is computed from the node that saves arguments")


class CheckpointFunction(Function):
    """A call of a function that is recorded as one node; `checkpoint(..., use_reentrant=True)` applies it."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.state = _rgrad.default_generator.get_state() if preserve_rng_state else None
        ctx.precision = _rgrad._autocast()
        ctx.others = [None if isinstance(one, _rgrad.Tensor) else one for one in args]
        ctx.positions = [i for i, one in enumerate(args) if isinstance(one, _rgrad.Tensor)]
        ctx.save_for_backward(*(args[i] for i in ctx.positions))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        if not _rgrad._is_checkpoint_valid():
            raise RuntimeError(
                "checkpoint: with use_reentrant=True, gradients can be computed by backward() without inputs only; "
                "use use_reentrant=False for grad() and backward(inputs=...)"
            )
        args = list(ctx.others)
        for position, tensor in zip(ctx.positions, ctx.saved_tensors):
            args[position] = tensor
        leaves = detach_variable(tuple(args))
        with _random_numbers_from(ctx.state), _autocast_as(ctx.precision), enable_grad():
            outputs = ctx.run_function(*leaves)
        if isinstance(outputs, _rgrad.Tensor):
            outputs = (outputs,)
        roots = [
            (output, gradient)
            for output, gradient in zip(outputs, gradients)
            if isinstance(output, _rgrad.Tensor) and output.requires_grad
        ]
        if not roots:
            raise RuntimeError("checkpoint: no result of the function requires grad")
        _rgrad.backward([output for output, _ in roots], [gradient for _, gradient in roots])
        return None, None, *(one.grad if isinstance(one, _rgrad.Tensor) else None for one in leaves)


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leaves on the memory of the tensors in a tuple, which require grad where those do; other values as they are."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"detach_variable(): a tuple is expected, got {type(inputs).__name__}")
    return tuple(_leaf_like(one) if isinstance(one, _rgrad.Tensor) else one for one in inputs)


def _leaf_like(tensor: Tensor) -> Tensor:
    leaf = tensor.detach()
    leaf.requires_grad = tensor.requires_grad
    return leaf


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn if no tensor among `inputs` requires grad."""
    if not any(isinstance(one, _rgrad.Tensor) and one.requires_grad for one in inputs):
        warnings.warn("no argument of the checkpoint requires grad: there will be no gradients", stacklevel=2)
