"""Changing every parameter and buffer of a module: dtype, device, gradients, training mode."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.nn.traversal import Traversal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from rgrad.nn.module import Module

    Self = TypeVar("Self", bound="Conversion")

__all__ = ["Conversion"]


class Conversion(Traversal):
    """The part of `Module` that changes all its tensors at once."""

    def apply(self: Self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` with every module below this one and then with this one."""
        module: Any = self
        for child in self.children():
            child.apply(fn)
        fn(module)
        return self

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace each parameter's values, each gradient and each buffer by `fn` of it.

        The parameters remain the same objects, so that an optimizer keeps updating them.
        """
        if recurse:
            for child in self.children():
                child._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            with rgrad.no_grad():
                parameter.data = fn(parameter)
                gradient = parameter.grad
                if gradient is not None:
                    gradient.data = fn(gradient)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Convert the floating-point and complex parameters and buffers in place.

        Called as `to(device=None, dtype=None, non_blocking=False)`, `to(dtype, non_blocking=False)`
        or `to(tensor, non_blocking=False)`, the last taking dtype and device from the tensor. Each
        form also takes `memory_format`.

        Raises:
            TypeError: `dtype` is neither floating point nor complex, or the arguments have none of
                these forms.
        """
        device, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(f"a module cannot be converted to {dtype}: not floating or complex")

        def convert(tensor: Tensor) -> Tensor:
            inexact = tensor.is_floating_point() or tensor.is_complex()
            options: dict[str, Any] = {"non_blocking": non_blocking}
            if memory_format is not None and tensor.dim() in (4, 5):
                options["memory_format"] = memory_format
            return tensor.to(
                tensor.device if device is None else device,
                dtype if dtype is not None and inexact else tensor.dtype,
                **options,
            )

        return self._apply(convert)

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Replace parameters and buffers by ones on `device` whose values are not set."""
        return self._apply(lambda tensor: rgrad.empty_like(tensor, device=device), recurse)

    def cpu(self: Self) -> Self:
        """Move parameters and buffers to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def type(self: Self, dst_type: Any) -> Self:
        """Convert all parameters and buffers, integers included, to `dst_type`."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self: Self) -> Self:
        """Convert the floating-point parameters and buffers to `float32`."""
        return self._apply(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor)

    def double(self: Self) -> Self:
        """Convert the floating-point parameters and buffers to `float64`."""
        return self._apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    def half(self: Self) -> Self:
        """Convert the floating-point parameters and buffers to `float16`."""
        return self._apply_to_floats("float16")

    def bfloat16(self: Self) -> Self:
        """Convert the floating-point parameters and buffers to `bfloat16`."""
        return self._apply_to_floats("bfloat16")

    def _apply_to_floats(self: Self, name: str) -> Self:
        dtype = getattr(rgrad, name, None)
        if dtype is None:
            raise RuntimeError(f"{type(self).__name__}: there is no dtype {name}")
        return self._apply(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def cuda(self: Self, device: Any = None) -> Self:
        """Refused: there are no GPUs.

        Raises:
            AssertionError: always.
        """
        raise AssertionError(f"{type(self).__name__}: rgrad computes on the CPU only")

    def train(self: Self, mode: bool = True) -> Self:
        """Set `training`, here and below, which layers such as `Dropout` heed.

        Raises:
            ValueError: `mode` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"the training mode must be a bool, not {type(mode).__name__}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: Self) -> Self:
        """The opposite of `train`."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Set whether the parameters, here and below, record gradients."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros if not `set_to_none`."""
        for parameter in self.parameters():
            clear_gradient(parameter, set_to_none)

    def share_memory(self: Self) -> Self:
        """Nothing to do: processes that share tensors are not supported, threads always share."""
        return self


def clear_gradient(parameter: Tensor, set_to_none: bool) -> None:
    """Drop the gradient of `parameter`, or zero it in place and free it from its history."""
    gradient = parameter.grad
    if gradient is None:
        return
    if set_to_none:
        parameter.grad = None
        return
    if gradient.grad_fn is not None:
        gradient.detach_()
    else:
        gradient.requires_grad_(False)
    gradient.zero_()


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """The device, dtype, `non_blocking` and memory format meant by the arguments of `to`."""
    first = args[0] if args else None
    if isinstance(first, Tensor) or "tensor" in kwargs:
        return _to_tensor(*args, **kwargs)
    if isinstance(first, rgrad.dtype):
        return _to_dtype(*args, **kwargs)
    return _to_device(*args, **kwargs)


def _to_tensor(tensor: Tensor, non_blocking: bool = False, *, memory_format: Any = None) -> tuple[Any, Any, bool, Any]:
    return tensor.device, tensor.dtype, non_blocking, memory_format


def _to_dtype(dtype: Any, non_blocking: bool = False, *, memory_format: Any = None) -> tuple[Any, Any, bool, Any]:
    return None, dtype, non_blocking, memory_format


def _to_device(
    device: Any = None, dtype: Any = None, non_blocking: bool = False, *, memory_format: Any = None
) -> tuple[Any, Any, bool, Any]:
    return device, dtype, non_blocking, memory_format
