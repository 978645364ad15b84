"""`Variable`, the name that tensors with a gradient once had."""

from __future__ import annotations

from .. import _rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._rgrad import Tensor

__all__ = ["Variable", "VariableMeta"]


class _Engine:
    """The engine as far as programs reach for it."""

    @staticmethod
    def queue_callback(callback: Callable[[], Any]) -> None:
        """Call `callback` when the backward pass that runs now has ended; a RuntimeError if there is none."""
        _rgrad._queue_callback(callback)


class VariableMeta(type):
    """Lets every tensor count as a `Variable`."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _rgrad.Tensor)


class Variable(metaclass=VariableMeta):
    """A tensor: `Variable(data, requires_grad)` gives a leaf on the memory of `data`. Use tensors in new programs."""

    _execution_engine = _Engine()

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        if data is None:
            data = _rgrad.empty(0)
        elif not isinstance(data, _rgrad.Tensor):
            raise TypeError(f"Variable(): the data has to be a tensor, got {type(data).__name__}")
        if volatile:
            import warnings

            warnings.warn("volatile has no effect; use no_grad()", stacklevel=2)
        return data.detach().requires_grad_(requires_grad)
