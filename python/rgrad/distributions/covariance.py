"""What families with a covariance matrix share: it is given itself, or as its inverse, or as its Cholesky factor."""

from __future__ import annotations

from typing import Any

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions.utils import lazy_property

__all__ = ["CovarianceMatrix", "_batch_mahalanobis", "_batch_mv", "half_log_det", "one_matrix", "sum_of_squares"]

_NAMES = ("covariance_matrix", "precision_matrix", "scale_tril")


def _batch_mv(matrix: Tensor, vector: Tensor) -> Tensor:
    """The products of matrices and vectors, whose batches broadcast."""
    return rgrad.matmul(matrix, vector.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(scale_tril: Tensor, x: Tensor) -> Tensor:
    """`x^T M^-1 x` for vectors and matrices `M = L L^T`, given `L`.

    The dimensions that only the vectors have are columns of one system of equations.
    """
    outer = max(x.dim() + 1 - scale_tril.dim(), 0)
    columns = x.reshape((-1, *x.shape[outer:])).movedim(0, -1)
    solved = rgrad.linalg.solve_triangular(scale_tril, columns, upper=False)
    squares = solved.square().sum(-2).movedim(-1, 0)
    return squares.reshape(tuple(x.shape[:outer]) + tuple(squares.shape[1:]))


def half_log_det(scale_tril: Tensor) -> Tensor:
    """Half the logarithm of the determinant of `L L^T`."""
    return scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def sum_of_squares(matrix: Tensor) -> Tensor:
    """The trace of `X X^T`."""
    return matrix.square().sum((-2, -1))


def one_matrix(family: str, error: type[Exception] = ValueError, **matrices: Tensor | None) -> tuple[str, Tensor]:
    """The name and the value of the only matrix that is given.

    Raises:
        error: not one is given.
        ValueError: it has fewer than two dimensions.
    """
    given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
    if len(given) != 1:
        raise error(f"{family}: one of {', '.join(matrices)} must be given, not {len(given)}")
    name, matrix = given[0]
    if matrix.dim() < 2:
        raise ValueError(f"{family}: {name} must have at least two dimensions, it has {matrix.dim()}")
    return name, matrix


def _precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse: that of the matrix turned around, turned back and inverted."""
    turned = rgrad.linalg.cholesky(precision.flip((-2, -1)))
    upper = turned.flip((-2, -1)).mT
    identity = rgrad.eye(precision.shape[-1], dtype=precision.dtype)
    return rgrad.linalg.solve_triangular(upper, identity, upper=False)


class CovarianceMatrix:
    """Of `covariance_matrix`, `precision_matrix` and `scale_tril` one is given, the others computed.

    All that a family computes, it computes by the Cholesky factor before it was expanded to the batch.
    """

    _unbroadcasted_scale_tril: Tensor
    _batch_shape: rgrad.Size
    _event_shape: rgrad.Size

    def _factorize(self, name: str, matrix: Tensor) -> None:
        if name == "covariance_matrix":
            matrix = rgrad.linalg.cholesky(matrix)
        elif name == "precision_matrix":
            matrix = _precision_to_scale_tril(matrix)
        self._unbroadcasted_scale_tril = matrix

    def _expanded_matrices(self, batch_shape: rgrad.Size) -> dict[str, Any]:
        """Those that are known, for a larger batch."""
        known = {name: self.__dict__[name] for name in _NAMES if name in self.__dict__}
        return {name: matrix.expand(batch_shape + (-1, -1)) for name, matrix in known.items()}

    def _for_batch(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + (-1, -1))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factors of the covariance matrices."""
        return self._for_batch(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance matrices."""
        return self._for_batch(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverses of the covariance matrices."""
        return self._for_batch(rgrad.cholesky_inverse(self._unbroadcasted_scale_tril))
