"""The largest singular value of a weight, by power iteration."""

from __future__ import annotations

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad._rgrad import Tensor

__all__ = ["as_matrix", "estimate", "improve", "normalized"]


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The weight with dimension `dim` as rows and all others as columns."""
    if dim != 0:
        weight = weight.permute(dim, *(other for other in range(weight.dim()) if other != dim))
    return weight.reshape(weight.size(0), -1)


def normalized(vector: Tensor, eps: float) -> Tensor:
    """The vector divided by its length, or by `eps` if that is more."""
    return vector / vector.dot(vector).sqrt().clamp(min=eps)


def improve(matrix: Tensor, left: Tensor, right: Tensor, steps: int, eps: float) -> None:
    """Bring both vectors, in place, nearer to the singular vectors of the largest singular value."""
    with rgrad.no_grad():
        for _ in range(steps):
            left.copy_(normalized(matrix.mv(right), eps))
            right.copy_(normalized(matrix.t().mv(left), eps))


def estimate(matrix: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """The largest singular value, as far as the vectors are its singular vectors; differentiable in the matrix."""
    return left.dot(matrix.mv(right))
