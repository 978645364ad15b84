"""Products of matrices of which elsewhere one may be sparse. Tensors here store all elements, zeros too."""

from __future__ import annotations

from rgrad import _rgrad
from rgrad._rgrad import Tensor

__all__ = ["addmm", "mm", "softmax", "sum"]


def mm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices."""
    return _rgrad.mm(mat1, mat2)


addmm = _rgrad.addmm
softmax = _rgrad.softmax
sum = _rgrad.sum
