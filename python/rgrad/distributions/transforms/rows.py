"""Transforms of several numbers together, and of their pieces."""

from __future__ import annotations

from typing import Any

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.transforms.base import Transform
from rgrad.distributions.utils import _sum_rightmost, log_sigmoid, smallest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CatTransform",
    "ReshapeTransform",
    "SoftmaxTransform",
    "StackTransform",
    "StickBreakingTransform",
]


class ReshapeTransform(Transform):
    """Values of some sizes as values of others.

    Raises:
        ValueError: they differ in the number of elements.
    """

    bijective = True

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0) -> None:
        self.in_shape, self.out_shape = rgrad.Size(in_shape), rgrad.Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError(f"sizes {tuple(in_shape)} and {tuple(out_shape)} have different numbers of elements")
        super().__init__(cache_size=cache_size)

    @property
    def domain(self) -> Any:
        return constraints.independent(constraints.real, len(self.in_shape))

    @property
    def codomain(self) -> Any:
        return constraints.independent(constraints.real, len(self.out_shape))

    def with_cache(self, cache_size: int = 1) -> Any:
        return self if self._cache_size == cache_size else ReshapeTransform(self.in_shape, self.out_shape, cache_size)

    def _call(self, x: Any) -> Any:
        return x.reshape(self.forward_shape(x.shape))

    def _inverse(self, y: Any) -> Any:
        return y.reshape(self.inverse_shape(y.shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Any:
        return rgrad.zeros(tuple(x.shape[: x.dim() - len(self.in_shape)]), dtype=x.dtype)

    def forward_shape(self, shape: rgrad.Size) -> rgrad.Size:
        return self._exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: rgrad.Size) -> rgrad.Size:
        return self._exchanged(shape, self.out_shape, self.in_shape)

    @staticmethod
    def _exchanged(shape: rgrad.Size, old: rgrad.Size, new: rgrad.Size) -> rgrad.Size:
        cut = len(shape) - len(old)
        if cut < 0 or tuple(shape[cut:]) != tuple(old):
            raise ValueError(f"sizes that end with {tuple(old)} are expected, got {tuple(shape)}")
        return rgrad.Size(shape[:cut]) + new


class SoftmaxTransform(Transform):
    """`y = softmax(x)`, of which the logarithm is taken back; there are other inputs, so no change of volume."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SoftmaxTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        probs = (x - x.max(-1, True)[0]).exp()
        return probs / probs.sum(-1, True)

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def forward_shape(self, shape: rgrad.Size) -> rgrad.Size:
        if len(shape) < 1:
            raise ValueError("SoftmaxTransform: an input of at least one dimension is expected")
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(Transform):
    """Rows of any numbers as rows of one more that add up to one: parts of a stick that are broken off in turn."""

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StickBreakingTransform)

    __hash__ = object.__hash__

    @staticmethod
    def _offset(x: Any) -> Any:
        """The logarithms of how many parts are to come: equal parts for inputs of zero."""
        count = x.shape[-1]
        return rgrad.arange(count, 0, -1, dtype=x.dtype).log()

    def _call(self, x: Any) -> Any:
        parts = (x - self._offset(x)).sigmoid()
        left = (1 - parts).cumprod(-1)
        ones = rgrad.ones(tuple(x.shape[:-1]) + (1,), dtype=x.dtype)
        return rgrad.cat([parts, ones], -1) * rgrad.cat([ones, left], -1)

    def _inverse(self, y: Any) -> Any:
        parts = y[..., :-1]
        left = (1 - parts.cumsum(-1)).clamp(min=smallest(y.dtype))
        return parts.log() - left.log() + self._offset(parts)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Any:
        shifted = x - self._offset(x)
        return (-shifted + log_sigmoid(shifted) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: rgrad.Size) -> rgrad.Size:
        if len(shape) < 1:
            raise ValueError("StickBreakingTransform: an input of at least one dimension is expected")
        return rgrad.Size(shape[:-1]) + (shape[-1] + 1,)

    def inverse_shape(self, shape: rgrad.Size) -> rgrad.Size:
        if len(shape) < 1:
            raise ValueError("StickBreakingTransform: an output of at least one dimension is expected")
        return rgrad.Size(shape[:-1]) + (shape[-1] - 1,)


class _PieceTransform(Transform):
    """Transforms of the pieces of a value along a dimension."""

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        super().__init__(cache_size=cache_size)
        self.transforms = list(tseq)
        self.dim = dim

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(transform.bijective for transform in self.transforms)


class CatTransform(_PieceTransform):
    """Transforms of the pieces of a value, of lengths `lengths` along a dimension."""

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)

    def with_cache(self, cache_size: int = 1) -> Any:
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    @property
    def length(self) -> int:
        """The sum of the lengths."""
        return sum(self.lengths)

    def _pieces(self, value: Any) -> Any:
        return value.split(self.lengths, self.dim)

    def _call(self, x: Any) -> Any:
        return rgrad.cat([part(piece) for part, piece in zip(self.transforms, self._pieces(x))], self.dim)

    def _inverse(self, y: Any) -> Any:
        return rgrad.cat([part.inv(piece) for part, piece in zip(self.transforms, self._pieces(y))], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Any:
        events = max(part.domain.event_dim for part in self.transforms)
        changes = []
        for part, before, after in zip(self.transforms, self._pieces(x), self._pieces(y)):
            change = part.log_abs_det_jacobian(before, after)
            changes.append(_sum_rightmost(change, events - part.domain.event_dim))
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        dim += events
        return rgrad.cat(changes, dim) if dim < 0 else sum(changes)

    @property
    def domain(self) -> Any:
        return constraints.cat([part.domain for part in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([part.codomain for part in self.transforms], self.dim, self.lengths)


class StackTransform(_PieceTransform):
    """Transforms of the slices of a value along a dimension."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    def with_cache(self, cache_size: int = 1) -> Any:
        return self if self._cache_size == cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _pieces(self, value: Any) -> Any:
        return [value.select(self.dim, i) for i in range(value.size(self.dim))]

    def _call(self, x: Any) -> Any:
        return rgrad.stack([part(piece) for part, piece in zip(self.transforms, self._pieces(x))], self.dim)

    def _inverse(self, y: Any) -> Any:
        return rgrad.stack([part.inv(piece) for part, piece in zip(self.transforms, self._pieces(y))], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Any:
        changes = [
            part.log_abs_det_jacobian(before, after)
            for part, before, after in zip(self.transforms, self._pieces(x), self._pieces(y))
        ]
        return rgrad.stack(changes, self.dim)

    @property
    def domain(self) -> Any:
        return constraints.stack([part.domain for part in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        return constraints.stack([part.codomain for part in self.transforms], self.dim)
