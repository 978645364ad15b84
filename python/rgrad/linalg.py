"""Linear algebra, under the names that PyTorch has in `torch.linalg`."""

from __future__ import annotations

from ._rgrad import Tensor, _linalg
from ._rgrad import _LinAlgError as LinAlgError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
]

cholesky = _linalg.linalg_cholesky
cholesky_ex = _linalg.linalg_cholesky_ex
cond = _linalg.linalg_cond
det = _linalg.linalg_det
eig = _linalg.linalg_eig
eigh = _linalg.linalg_eigh
eigvals = _linalg.linalg_eigvals
eigvalsh = _linalg.linalg_eigvalsh
householder_product = _linalg.linalg_householder_product
inv = _linalg.linalg_inv
inv_ex = _linalg.linalg_inv_ex
ldl_factor = _linalg.linalg_ldl_factor
ldl_factor_ex = _linalg.linalg_ldl_factor_ex
ldl_solve = _linalg.linalg_ldl_solve
lstsq = _linalg.linalg_lstsq
lu = _linalg.linalg_lu
lu_factor = _linalg.linalg_lu_factor
lu_factor_ex = _linalg.linalg_lu_factor_ex
lu_solve = _linalg.linalg_lu_solve
matmul = _linalg.linalg_matmul
matrix_exp = _linalg.linalg_matrix_exp
matrix_norm = _linalg.linalg_matrix_norm
matrix_power = _linalg.linalg_matrix_power
matrix_rank = _linalg.linalg_matrix_rank
multi_dot = _linalg.linalg_multi_dot
pinv = _linalg.linalg_pinv
qr = _linalg.linalg_qr
slogdet = _linalg.linalg_slogdet
solve = _linalg.linalg_solve
solve_ex = _linalg.linalg_solve_ex
solve_triangular = _linalg.linalg_solve_triangular
svd = _linalg.linalg_svd
svdvals = _linalg.linalg_svdvals
tensorinv = _linalg.linalg_tensorinv
tensorsolve = _linalg.linalg_tensorsolve
vander = _linalg.linalg_vander
vecdot = _linalg.linalg_vecdot


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of each matrix, a view: `Tensor.diagonal` for the last two dimensions."""
    return A.diagonal(offset, dim1, dim2)


def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """A norm of vectors or of matrices.

    Without `ord` that of all elements, or of those along `dim`, as one vector. With `ord`, one dimension in `dim`
    means vectors and two mean matrices; without `dim` the tensor has to be a vector or a matrix itself.
    """
    dims = (dim,) if isinstance(dim, int) else None if dim is None else tuple(dim)
    if ord is not None and dims is None:
        if A.dim() not in (1, 2):
            raise RuntimeError(f"linalg.norm: with ord and without dim the tensor has 1 or 2 dimensions, not {A.dim()}")
        dims = tuple(range(A.dim()))
    if ord is not None and dims is not None and (len(dims) == 2 or isinstance(ord, str)):
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    return _linalg.linalg_vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)
