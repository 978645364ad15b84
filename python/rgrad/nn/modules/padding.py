"""Continuing the last dimensions of a tensor on both sides."""

from __future__ import annotations

from rgrad.nn import functional
from rgrad.nn.module import Module
from rgrad.nn.modules.utils import _ntuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _PadNd(Module):
    """What all of these share: the padding, once or for both sides of each dimension, beginning with the last."""

    _dimensions: int
    _mode: str
    padding: tuple[int, ...]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._dimensions)(padding)

    def forward(self, input: Tensor) -> Tensor:
        return functional.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_PadNd):
    """Continues by beginning again at the other side."""

    _mode = "circular"

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (self._dimensions + 1, self._dimensions + 2):
            raise ValueError(
                f"{type(self).__name__}: an input of {self._dimensions + 1} or {self._dimensions + 2} dimensions is "
                f"needed, not {input.dim()}"
            )

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return super().forward(input)


class CircularPad1d(_CircularPadNd):
    """Continues `(N, C, L)` or `(C, L)` from the other side."""

    _dimensions = 1


class CircularPad2d(_CircularPadNd):
    """Continues `(N, C, H, W)` or `(C, H, W)` from the other sides."""

    _dimensions = 2


class CircularPad3d(_CircularPadNd):
    """Continues `(N, C, D, H, W)` or `(C, D, H, W)` from the other sides."""

    _dimensions = 3


class _ConstantPadNd(_PadNd):
    """Continues by `value`."""

    _mode = "constant"
    value: float

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return functional.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Continues the last dimension by `value`."""

    _dimensions = 1


class ConstantPad2d(_ConstantPadNd):
    """Continues the last two dimensions by `value`."""

    _dimensions = 2


class ConstantPad3d(_ConstantPadNd):
    """Continues the last three dimensions by `value`."""

    _dimensions = 3


class _ReflectionPadNd(_PadNd):
    """Continues by the mirror image, the outermost entries not repeated."""

    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Continues `(N, C, L)` or `(C, L)` by its mirror image."""

    _dimensions = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Continues `(N, C, H, W)` or `(C, H, W)` by its mirror image."""

    _dimensions = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Continues `(N, C, D, H, W)` or `(C, D, H, W)` by its mirror image."""

    _dimensions = 3


class _ReplicationPadNd(_PadNd):
    """Continues by the outermost entries."""

    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Continues `(N, C, L)` or `(C, L)` by its outermost entries."""

    _dimensions = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Continues `(N, C, H, W)` or `(C, H, W)` by its outermost entries."""

    _dimensions = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Continues `(N, C, D, H, W)` or `(C, D, H, W)` by its outermost entries."""

    _dimensions = 3


class _ZeroPadNd(_ConstantPadNd):
    """Continues by zeros."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPadNd, ConstantPad1d):
    """Continues the last dimension by zeros."""


class ZeroPad2d(_ZeroPadNd, ConstantPad2d):
    """Continues the last two dimensions by zeros."""


class ZeroPad3d(_ZeroPadNd, ConstantPad3d):
    """Continues the last three dimensions by zeros."""
