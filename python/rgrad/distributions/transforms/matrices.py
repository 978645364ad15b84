"""Transforms whose values are matrices."""

from __future__ import annotations

from math import log
from typing import Any

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.transforms.base import Transform
from rgrad.distributions.utils import epsilon, softplus, tril_matrix_to_vec, vec_to_tril_matrix

__all__ = ["CorrCholeskyTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform"]


class CorrCholeskyTransform(Transform):
    """Vectors of `n * (n - 1) / 2` numbers as Cholesky factors of correlation matrices of `n` rows.

    The numbers are the entries below the diagonal, row by row. Their hyperbolic tangents say which part of what is left
    of the length of a row, which is one, each entry takes; the diagonal takes the rest.
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        least = epsilon(x.dtype)
        parts = vec_to_tril_matrix(x.tanh().clamp(-1 + least, 1 - least), diag=-1)
        left = (1 - parts**2).sqrt().cumprod(-1)
        before = rgrad.cat([rgrad.ones_like(left[..., :1]), left[..., :-1]], -1)
        return (parts + rgrad.eye(parts.shape[-1], dtype=parts.dtype)) * before

    def _inverse(self, y: Any) -> Any:
        left = 1 - (y * y).cumsum(-1)
        before = rgrad.cat([rgrad.ones_like(left[..., :1]), left[..., :-1]], -1)
        parts = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(before, diag=-1).sqrt()
        return (parts.log1p() - (-parts).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Any:
        """That of the entries below the diagonal, as a matrix has more entries than the vector."""
        left = tril_matrix_to_vec(1 - (y * y).cumsum(-1), diag=-2)
        tangents = -2 * (x + softplus(-2 * x) - log(2.0)).sum(-1)
        return 0.5 * left.log().sum(-1) + tangents

    def forward_shape(self, shape: rgrad.Size) -> rgrad.Size:
        if len(shape) < 1:
            raise ValueError("CorrCholeskyTransform: an input of at least one dimension is expected")
        rows = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if rows * (rows - 1) // 2 != shape[-1]:
            raise ValueError(f"CorrCholeskyTransform: no matrix has {shape[-1]} entries below its diagonal")
        return rgrad.Size(shape[:-1]) + (rows, rows)

    def inverse_shape(self, shape: rgrad.Size) -> rgrad.Size:
        if len(shape) < 2 or shape[-2] != shape[-1]:
            raise ValueError(f"CorrCholeskyTransform: square matrices are expected, not the sizes {tuple(shape)}")
        return rgrad.Size(shape[:-2]) + (shape[-1] * (shape[-1] - 1) // 2,)


class LowerCholeskyTransform(Transform):
    """Square matrices as lower triangular ones with a positive diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LowerCholeskyTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Any) -> Any:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """Square matrices as positive definite ones, by their Cholesky factors."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PositiveDefiniteTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Any) -> Any:
        return LowerCholeskyTransform().inv(rgrad.linalg.cholesky(y))
