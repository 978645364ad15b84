"""Layers that change only the shape."""

from __future__ import annotations

from rgrad.nn.module import Module
from rgrad.nn.modules.module_sequence import position_among

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad._rgrad import Tensor

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Joins the dimensions from `start_dim` to `end_dim`, both included, into one.

    `(N, C, H, W)` becomes `(N, C * H * W)` by default: the batch dimension is left alone.
    """

    start_dim: int
    end_dim: int

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits the dimension `dim` into dimensions of the sizes `unflattened_size`.

    Args:
        dim: the dimension to split.
        unflattened_size: a tuple or list of sizes, of which one may be -1.

    Raises:
        TypeError: a size is not an integer.
    """

    dim: int
    unflattened_size: tuple[int, ...] | list[int]

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(f"the sizes must be a tuple or list, not {type(unflattened_size).__name__}")
        for size in unflattened_size:
            if not isinstance(size, int):
                raise TypeError(f"a size must be an integer, not {type(size).__name__}")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        dim = position_among(self.dim, input.dim())
        return input.view((*input.shape[:dim], *self.unflattened_size, *input.shape[dim + 1 :]))

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
