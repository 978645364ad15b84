"""`Parameter` and `Buffer`: the tensors a module registers when they are assigned to it."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor, _disabled_torch_function_impl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
]


class _ParameterType(type):
    """Counts a tensor of some other subclass as a parameter once it has been made one."""

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Parameter and isinstance(instance, Tensor) and hasattr(instance, "_is_param")


class Parameter(Tensor, metaclass=_ParameterType):
    """A tensor that a module registers among its parameters when it is assigned to it.

    Args:
        data: the tensor whose storage the parameter shares, of any shape; an empty one if `None`. A tensor of another
            subclass of `Tensor` keeps its class and is only marked as a parameter.
        requires_grad: whether the parameter, which is always a leaf, records gradients.

    Raises:
        RuntimeError: `requires_grad` is true and `data` is neither floating point nor complex.
    """

    _is_param: bool

    # Results of functions of parameters are plain tensors.
    __torch_function__: Any = _disabled_torch_function_impl

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = rgrad.empty(0)
        kept = type(data) is not Tensor and not issubclass(type(data), cls)
        parameter: Parameter = Tensor._make_subclass(type(data) if kept else cls, data, requires_grad)
        if kept:
            parameter._is_param = True
        return parameter

    def __repr__(self, **options: Any) -> str:
        # As a plain tensor: the representation of a subclass begins with its name.
        shown = Tensor._make_subclass(Tensor, self, self.requires_grad) if type(self) is Parameter else super()
        return "Parameter containing:\n" + shown.__repr__(**options)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A parameter with its own storage; the gradient is not copied."""
        copied = memo.get(id(self))
        if copied is None:
            memo[id(self)] = copied = type(self)(self.data.clone(), self.requires_grad)
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _restore, (type(self), self.data, self.requires_grad, dict(self.__dict__))


def _restore(cls: type[Parameter], data: Tensor, requires_grad: bool, attributes: dict[str, Any]) -> Parameter:
    """The parameter that `Parameter.__reduce_ex__` took apart."""
    parameter = cls(data, requires_grad)
    parameter.__dict__.update(attributes)
    return parameter


class _BufferType(type):
    """Counts the tensors made by `Buffer`, which keep their class, as its instances."""

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return isinstance(instance, Tensor) and hasattr(instance, "_is_buffer")


class Buffer(Tensor, metaclass=_BufferType):
    """A tensor that a module registers among its buffers when it is assigned to it.

    Args:
        data: the tensor whose storage the buffer shares, of any shape; an empty one if `None`.
        persistent: whether `Module.state_dict` includes the buffer.
    """

    persistent: bool
    _is_buffer: bool

    __torch_function__: Any = _disabled_torch_function_impl

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        if data is None:
            data = rgrad.empty(0)
        kept: Any = data.detach().requires_grad_(data.requires_grad)
        buffer: Buffer = kept
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


#: What may be asked of a tensor without a shape.
_ALLOWED_UNINITIALIZED = frozenset(
    (
        "__get__",
        "__hash__",
        "__set__",
        "copy_",
        "cpu",
        "double",
        "float",
        "int",
        "is_complex",
        "is_floating_point",
        "long",
        "requires_grad_",
        "size",
        "to",
    )
)


class UninitializedTensorMixin(Tensor):
    """A tensor whose dtype and device are known, but not its shape: `materialize` gives it one.

    Until then, to compute with it raises `ValueError`.
    """

    cls_to_become: type[Any]

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Make an ordinary tensor of this one, of that shape and with values that are not set.

        Args:
            shape: the sizes.
            device: where it is to be; where it is if `None`.
            dtype: its dtype; that it has if `None`.
        """
        held = self.data
        self.data = rgrad.empty(shape, device=device or held.device, dtype=dtype or held.dtype)
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        """Not known.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"this {type(self).__name__} has no shape before it is materialized by a first call")

    def share_memory_(self) -> Any:
        raise RuntimeError(f"this {type(self).__name__} has no memory before it is materialized by a first call")

    def __repr__(self, **options: Any) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return type(self), (self.requires_grad,)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", None) in _ALLOWED_UNINITIALIZED:
            return _disabled_torch_function_impl(func, types, args, kwargs or {})
        raise ValueError(
            f"{getattr(func, '__name__', func)} of an uninitialized tensor: the lazy module that has it has to be "
            "called first"
        )


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter without a shape, of a lazy module.

    Args:
        requires_grad: whether it records gradients.
        device: where it is.
        dtype: its dtype.
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        made: UninitializedParameter = Tensor._make_subclass(
            cls, rgrad.empty(0, device=device, dtype=dtype), requires_grad
        )
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> UninitializedParameter:
        copied = memo.get(id(self))
        if copied is None:
            memo[id(self)] = copied = type(self)(self.requires_grad, self.data.device, self.data.dtype)
        return copied


class UninitializedBuffer(UninitializedTensorMixin):
    """A buffer without a shape, of a lazy module; arguments as in `UninitializedParameter` and `Buffer`."""

    cls_to_become = Tensor
    persistent: bool
    _is_buffer: bool

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> UninitializedBuffer:
        made: UninitializedBuffer = Tensor._make_subclass(
            cls, rgrad.empty(0, device=device, dtype=dtype), requires_grad
        )
        made.persistent = persistent
        made._is_buffer = True
        return made


def is_lazy(param: object) -> bool:
    """Whether `param` is a tensor without a shape."""
    return isinstance(param, UninitializedTensorMixin)
