"""Functions with a backward of their own: subclasses of `Function`, called by `apply`."""

from __future__ import annotations

from functools import wraps
from typing import NamedTuple

from .. import _rgrad
from .._rgrad import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._rgrad import Tensor

__all__ = [
    "BackwardCFunction",
    "Function",
    "FunctionCtx",
    "FunctionMeta",
    "InplaceFunction",
    "NestedIOFunction",
    "once_differentiable",
]


class FunctionCtx:
    """What a `Function`'s forward and backward share: both get it as their first argument."""

    needs_input_grad: tuple[bool, ...]
    to_save: tuple[Tensor | None, ...] | None = None
    saved_for_forward: tuple[Tensor | None, ...] | None = None
    dirty_tensors: tuple[Tensor, ...] | None = None
    non_differentiable: tuple[Tensor, ...] | None = None
    _materialize_grads: bool = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep `tensors` for backward, where `ctx.saved_tensors` gives them.

        To be called at most once, from `forward` or `setup_context`. What is neither an argument nor a result may be
        saved too; it is checked that nothing was changed in place in between. A TypeError is raised after forward if
        something is neither a Tensor nor None.
        """
        self.to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep `tensors` for `jvp`, where `ctx.saved_tensors` gives them."""
        for tensor in tensors:
            if not (tensor is None or isinstance(tensor, _rgrad.Tensor)):
                raise TypeError(
                    f"save_for_forward(): Tensors or None are expected, got {type(tensor).__name__}; other values can "
                    "be attributes of ctx"
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Say which arguments forward changes in place; each has to be returned."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Say which results have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether a gradient that is zero because nothing used the result comes as a tensor of zeros (the default)
        or as None."""
        self._materialize_grads = value

    def mark_shared_storage(self, *pairs: tuple[Tensor, Tensor]) -> None:
        """Do nothing: shared storage is noticed without it."""


class BackwardCFunction(Node, FunctionCtx):
    """The node of a function's call in the graph, which is also its `ctx`."""

    _is_function_context = True
    _forward_cls: type[Function]

    @property
    def _user_fn(self) -> Callable[..., Any]:
        function = self._forward_cls
        backward, vjp = function.backward, function.vjp
        if backward is not Function.backward and vjp is not Function.vjp:
            raise RuntimeError(f"{function.__name__} defines both backward and vjp; one of them is expected")
        return vjp if vjp is not Function.vjp else backward

    def apply(self, *args: Any) -> Any:
        """Run the function's backward."""
        return self._user_fn(self, *args)


class FunctionMeta(type):
    """Gives each `Function` the class of its nodes."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        backward_class = type(name + "Backward", (BackwardCFunction,), {"_forward_cls": cls})
        backward_class.__module__ = __name__
        cls._backward_cls = backward_class
        setup = cls.__dict__.get("setup_context")
        if setup is not None:
            cls._has_setup_context = name != "Function"
        super().__init__(name, bases, namespace)


class Function(metaclass=FunctionMeta):
    """A differentiable function whose derivative is written by hand.

    A subclass has the static methods `forward` and `backward`, and is called by `apply`. Forward runs without being
    recorded. Either `forward(ctx, *args)` does everything, or `forward(*args)` computes and
    `setup_context(ctx, inputs, output)` saves. `backward(ctx, *grad_outputs)` returns a gradient, or None, for each
    argument of forward.
    """

    _has_setup_context = False
    _backward_cls: type[BackwardCFunction]
    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        import warnings

        warnings.warn(
            f"{type(self).__name__} is instantiated, but the methods of a Function are static: call "
            f"{type(self).__name__}.apply(...)",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"an instance of {type(self).__name__} was called, as functions with a non-static forward were long ago; "
            f"call {type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the results; to be defined by the subclass."""
        raise NotImplementedError("a Function has to define the static method forward")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what backward needs, if `forward` takes no ctx."""
        raise NotImplementedError("this Function does not define setup_context")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments from those of the results."""
        raise NotImplementedError("a Function has to define backward or vjp before it can be differentiated backward")

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """Another name for `backward`."""
        raise NotImplementedError("a Function has to define backward or vjp before it can be differentiated backward")

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of the results from those of the arguments."""
        raise NotImplementedError("a Function has to define jvp before it can be used in forward mode")

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """The function over a batch: results, and in which dimension each has the batch."""
        raise NotImplementedError("a Function has to define vmap, or set generate_vmap_rule, before it is vectorised")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the function and record it as one node.

        Arguments may be given by keyword. `setup_context` gets the defaults of the others too.
        """
        if cls.generate_vmap_rule and cls.vmap is not Function.vmap:
            raise RuntimeError(f"{cls.__name__} has generate_vmap_rule and a vmap of its own; one of them is expected")
        if cls._has_setup_context:
            args = _bind(cls, args, kwargs)
        elif kwargs:
            args = _bind(cls, (None, *args), kwargs)[1:]
        return _rgrad._apply_function(cls, *args)


class VmapInfo(NamedTuple):
    """What a `Function`'s `vmap` is told: how many examples there are, and what random operations are to do."""

    batch_size: int
    randomness: str


def _apply_batched(cls: type[Function], args: tuple[Any, ...]) -> Any:
    """Call a function inside vmap by its own `vmap`, for the innermost level of the arguments."""
    if cls.vmap is Function.vmap:
        raise RuntimeError(
            f"{cls.__name__}.apply() inside vmap: the function has to define the static method vmap, or to set "
            "generate_vmap_rule = True if its forward, backward and jvp are made of operations on tensors"
        )
    level, size, randomness = _rgrad._innermost_level(args)
    mapped = [isinstance(arg, _rgrad.Tensor) and _rgrad._is_batched(arg, level) for arg in args]
    examples = [_rgrad._remove_batch_dim(arg, level, 0) if batched else arg for arg, batched in zip(args, mapped)]
    in_dims = tuple(0 if batched else None for batched in mapped)
    _rgrad._suspend_vmap(level)
    try:
        returned = cls.vmap(VmapInfo(size, randomness), in_dims, *examples)
    finally:
        _rgrad._resume_vmap(level, size, randomness)
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise RuntimeError(f"{cls.__name__}.vmap has to return a pair (output, out_dims)")
    outputs, out_dims = returned
    if not isinstance(outputs, tuple):
        return outputs if out_dims is None else _rgrad._add_batch_dim(outputs, out_dims, level)
    dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(outputs)
    if len(dims) != len(outputs):
        raise ValueError(f"{cls.__name__}.vmap returned {len(outputs)} outputs, but {len(dims)} out_dims")
    return tuple(
        output if dim is None or not isinstance(output, _rgrad.Tensor) else _rgrad._add_batch_dim(output, dim, level)
        for output, dim in zip(outputs, dims)
    )


def _bind(cls: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of `cls.forward` by position; TypeError if some are not possible by position."""
    code = getattr(cls.forward, "__code__", None)
    if not kwargs and code is not None and code.co_argcount == len(args) and not code.co_kwonlyargcount:
        return args
    import inspect

    bound = inspect.signature(cls.forward).bind(*args, **kwargs)
    if cls._has_setup_context:
        bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(
            f"{cls.__name__}.apply(): {', '.join(bound.kwargs)} can be passed on by keyword only, and forward is "
            "called with positional arguments"
        )
    return bound.args


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that cannot itself be differentiated: an attempt raises a RuntimeError."""

    @wraps(function)
    def backward(ctx: Any, *args: Any) -> Any:
        from .grad_mode import no_grad

        with no_grad():
            outputs = function(ctx, *args)
        recording = _rgrad.is_grad_enabled()
        if not recording or not any(isinstance(arg, _rgrad.Tensor) and arg.requires_grad for arg in args):
            return outputs
        if not isinstance(outputs, tuple):
            return _Once.apply(type(ctx).__name__, outputs, *_requiring(args))
        return tuple(
            _Once.apply(type(ctx).__name__, output, *_requiring(args)) if isinstance(output, _rgrad.Tensor) else output
            for output in outputs
        )

    return backward


def _requiring(args: tuple[Any, ...]) -> list[Tensor]:
    return [arg for arg in args if isinstance(arg, _rgrad.Tensor) and arg.requires_grad]


class _Once(Function):
    """The identity on its second argument; its backward is an error."""

    generate_vmap_rule = True

    @staticmethod
    def forward(name: str, value: Tensor, *_: Tensor) -> Tensor:
        return value.detach()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.message = (
            f"trying to differentiate twice a function that was marked with @once_differentiable: the backward of "
            f"{inputs[0]}"
        )

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> Any:
        raise RuntimeError(ctx.message)


class InplaceFunction(Function):
    """A `Function` with a flag `inplace`, for programs that still derive from it."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """A `Function` for nested arguments in the old style; use `Function` in new programs."""
