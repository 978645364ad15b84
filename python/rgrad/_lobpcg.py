"""Some eigenvalues of large symmetric matrices, by the locally optimal block preconditioned conjugate gradient method.

A. Knyazev, "Toward the optimal preconditioned eigensolver" (2001), with the criterion of convergence of J. Duersch,
M. Shao, C. Yang and M. Gu, "A robust and efficient implementation of LOBPCG" (2018).
"""

from __future__ import annotations

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._rgrad import Tensor

__all__ = ["lobpcg"]


def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: None = None,
    ortho_iparams: dict[str, int] | None = None,
    ortho_fparams: dict[str, float] | None = None,
    ortho_bparams: dict[str, bool] | None = None,
) -> tuple[Tensor, Tensor]:
    """The `k` largest eigenvalues `(*, k)` of `A x = e B x`, in falling order, and their vectors `(*, m, k)`.

    First derivatives are known; those of vectors need all eigenvectors of `A`.

    Args:
        A: symmetric matrices of size `(*, m, m)`.
        k: how many eigenvalues; as many as `X` has columns, or 1.
        B: positive definite matrices of size `(*, m, m)`; by default the identity.
        X: approximations of the vectors to begin with, of size `(*, m, n)`; by default random.
        n: how many vectors are improved together; by default `k`.
        iK: the preconditioner, of size `(m, m)`.
        niter: how many iterations at most: 1000; without limit if it is negative.
        tol: the relative residual that is enough; by default the square root of the precision.
        largest: whether the largest eigenvalues are wanted rather than the smallest, in rising order.
        method: accepted; the basis is orthonormal always.
        tracker: accepted, not called.
        ortho_iparams: accepted; `ortho_fparams` and `ortho_bparams` too.

    Raises:
        AssertionError: `A` is not square, or `B` or `X` is of another size.
        ValueError: `m` is less than three times `n`.
    """
    m = A.shape[-1]
    if A.shape[-2] != m:
        raise AssertionError(f"lobpcg: A must be square, its size is {tuple(A.shape)}")
    if B is not None and B.shape != A.shape:
        raise AssertionError(f"lobpcg: A has size {tuple(A.shape)}, but B {tuple(B.shape)}")
    k = (1 if X is None else X.shape[-1]) if k is None else k
    n = X.shape[-1] if X is not None else k if n is None else n
    if m < 3 * n:
        raise ValueError(f"lobpcg: {n} vectors need matrices of at least {3 * n} rows, not {m}")
    if rgrad.is_grad_enabled() and (A.requires_grad or (B is not None and B.requires_grad)):
        return _differentiable(A, B, {"k": k, "X": X, "n": n, "iK": iK, "niter": niter, "tol": tol, "largest": largest})
    if A.dim() > 2:
        return _of_batch(A, B, X, {"k": k, "n": n, "iK": iK, "niter": niter, "tol": tol, "largest": largest})
    X = rgrad.randn(m, n, dtype=A.dtype) if X is None else X
    if X.shape != (m, n):
        raise AssertionError(f"lobpcg: X must have size {(m, n)}, not {tuple(X.shape)}")
    tol = rgrad.finfo(A.dtype).eps ** 0.5 if tol is None else tol
    niter = 1000 if niter is None else niter
    with rgrad.no_grad():
        sign = -1 if largest is None or largest else 1
        values, vectors = _smallest(sign * A, B, X, iK, niter, tol, k)
    return sign * values[:k], vectors[:, :k]


def _of_batch(A: Tensor, B: Tensor | None, X: Tensor | None, options: dict[str, Any]) -> tuple[Tensor, Tensor]:
    flat = [None if t is None else t.reshape(-1, *t.shape[-2:]) for t in (A, B, X)]
    found = []
    for i in range(A.shape[:-2].numel()):
        a, b, x = (None if t is None else t[i] for t in flat)
        found.append(lobpcg(a, B=b, X=x, **options))  # type: ignore[arg-type]
    values, vectors = (rgrad.stack(part).unflatten(0, tuple(A.shape[:-2])) for part in zip(*found))
    return values, vectors


def _differentiable(A: Tensor, B: Tensor | None, options: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """The eigenvalues and vectors, and what of them depends on changes of `A` and `B`, which are zero."""
    A = (A + A.mT) / 2
    if B is not None:
        # With B = L L^T the vectors L^T x belong to the symmetric matrix L^-1 A L^-T.
        L = rgrad.linalg.cholesky((B + B.mT) / 2)
        half = rgrad.linalg.solve_triangular(L, A, upper=False)
        A = rgrad.linalg.solve_triangular(L.mT, half, upper=True, left=False)
        if options["X"] is not None:
            options["X"] = L.detach().mT @ options["X"]
        options["iK"] = None
        values, vectors = _differentiable(A, None, options)
        return values, rgrad.linalg.solve_triangular(L.mT, vectors, upper=True)
    constant = A.detach()
    values, vectors = lobpcg(constant, **options)
    change = (A - constant) @ vectors
    every, basis = rgrad.linalg.eigh(constant)
    gaps = values.unsqueeze(-2) - every.unsqueeze(-1)
    # Vectors of one eigenvalue do not mix.
    same = gaps.abs() <= every.abs().amax(-1)[..., None, None] * rgrad.finfo(A.dtype).eps ** 0.5
    mixed = (basis.mT @ change) * gaps.reciprocal().masked_fill(same, 0.0)
    return values + (vectors * change).sum(-2), vectors + basis @ mixed


def _smallest(
    A: Tensor, B: Tensor | None, X: Tensor, iK: Tensor | None, niter: int, tol: float, k: int
) -> tuple[Tensor, Tensor]:
    """As many of the smallest eigenvalues as `X` has columns, in rising order, `k` of them exact, and their vectors."""

    def b_times(U: Tensor) -> Tensor:
        return U if B is None else B @ U

    def orthonormal(U: Tensor) -> Tensor:
        """Columns that span what those of `U` span, without directions that are rounding only."""
        products = U.mT @ b_times(U)
        scales = products.diagonal().clamp(min=rgrad.finfo(U.dtype).tiny).rsqrt()
        parts, turned = rgrad.linalg.eigh(products * scales * scales.unsqueeze(-1))
        kept = parts > parts.max() * U.shape[-1] * 10 * rgrad.finfo(U.dtype).eps
        return (U * scales) @ (turned[:, kept] * parts[kept].rsqrt())

    n = X.shape[-1]
    size_a = (A @ X).norm() / X.norm()
    size_b = b_times(X).norm() / X.norm()
    basis = orthonormal(orthonormal(X))
    last = X[:, :0]
    while True:
        values, turned = rgrad.linalg.eigh(basis.mT @ (A @ basis))
        # What the new vectors have beside the old ones is the direction that is searched again.
        beside = basis.shape[-1] - n
        direction = basis[:, n:] @ turned[n:, :n] if beside else last
        values, X = values[:n], basis @ turned[:, :n]
        residual = A @ X - b_times(X) * values
        error = residual.norm(dim=0) / (X.norm(dim=0) * (size_a + values.abs() * size_b))
        if niter == 0 or bool((error[:k] < tol).all()):
            return values, X
        niter -= 1
        more = rgrad.cat([residual if iK is None else iK @ residual, direction], dim=-1)
        for _ in range(2):
            more = orthonormal(more - X @ (X.mT @ b_times(more)))
        basis = rgrad.cat([X, more], dim=-1)
