"""Dropout as a layer."""

from __future__ import annotations

from rgrad.nn import functional
from rgrad.nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad._rgrad import Tensor

__all__ = ["Dropout"]


class Dropout(Module):
    """In training, sets entries to zero at random and scales the others by `1 / (1 - p)`.

    Args:
        p: the probability of an entry being set to zero.
        inplace: whether the input itself is changed.

    Raises:
        ValueError: `p` is not between 0 and 1.
    """

    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"the probability of dropout must be between 0 and 1, not {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
