"""Factors of low rank by random projections.

N. Halko, P. Martinsson, J. Tropp, "Finding structure with randomness: probabilistic algorithms for constructing
approximate matrix decompositions" (2009).
"""

from __future__ import annotations

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._rgrad import Tensor

__all__ = ["pca_lowrank", "svd_lowrank"]


def _range(A: Tensor, q: int, niter: int) -> Tensor:
    """Orthonormal columns that span nearly what the `q` largest singular values of `A` belong to."""
    adjoint = A.mH
    Q = rgrad.linalg.qr(A @ rgrad.randn(A.shape[-1], q, dtype=A.dtype)).Q
    for _ in range(niter):
        Q = rgrad.linalg.qr(adjoint @ Q).Q
        Q = rgrad.linalg.qr(A @ Q).Q
    return Q


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """`(U, S, V)` with `U @ diag(S) @ V.mH` near `A` (near `A - M` if `M` is given) and of rank `q` at most.

    `niter` power iterations sharpen the result. `A` has size `(*, m, n)`, `S` `(*, min(q, m, n))`.
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    A = A if M is None else A - M
    m, n = A.shape[-2:]
    if m < n:
        V, S, U = svd_lowrank(A.mH, q, niter)
        return U, S, V
    Q = _range(A, min(q, n), niter)
    U, S, Vh = rgrad.linalg.svd(Q.mH @ A, full_matrices=False)
    return Q @ U, S, Vh.mH


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """`svd_lowrank` of `A`, from whose columns with `center` their means are taken. `q` is by default 6 at most.

    Raises:
        ValueError: `q` is larger than the extents of `A`, or `niter` is negative.
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"pca_lowrank: q is from 0 to min(m, n)={min(m, n)}, not {q}")
    if niter < 0:
        raise ValueError(f"pca_lowrank: niter must not be negative, it is {niter}")
    return svd_lowrank(A - A.mean(dim=-2, keepdim=True) if center else A, q, niter)
