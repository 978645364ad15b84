"""rgrad.linalg beside torch.linalg: values and gradients of two orders, for batches, of real and complex matrices.

What a decomposition leaves open (signs and phases of vectors, their order) does not come into the expressions.
"""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import agree, lines, raises, run, same, torch
from test_operations import differentiate

BATCHES = [(), (2,), (2, 0)]

# Expressions of `lib` and matrices: `s` square, `o` another, `t` tall (4, 2), `w` wide (2, 4), `p` positive definite,
# `u` a matrix with a large diagonal, `c` of two columns, `r` of two rows, `v` a vector.
DIFFERENTIABLE = lines("""
    lib.linalg.cholesky(p)
    lib.linalg.cholesky(p, upper=True)
    lib.linalg.cholesky_ex(p)
    lib.cholesky(p)
    lib.cholesky_solve(c, lib.linalg.cholesky(p))
    lib.cholesky_solve(c, lib.linalg.cholesky(p, upper=True), upper=True)
    lib.cholesky_inverse(lib.linalg.cholesky(p))
    lib.linalg.inv(s)
    lib.linalg.inv_ex(s)
    s.inverse()
    lib.linalg.det(s)
    lib.linalg.slogdet(s)
    lib.logdet(p)
    lib.linalg.solve(s, c)
    lib.linalg.solve(s, r, left=False)
    lib.linalg.solve_ex(s, c)
    lib.linalg.solve_triangular(u, c, upper=True)
    lib.linalg.solve_triangular(u, c, upper=False, unitriangular=True)
    lib.linalg.solve_triangular(u, r, upper=True, left=False)
    lib.linalg.solve_triangular(u, r, upper=False, left=False, unitriangular=True)
    lib.triangular_solve(c, u)
    lib.triangular_solve(c, u, upper=False, transpose=True)
    lib.linalg.qr(s)
    lib.linalg.qr(t)
    lib.linalg.qr(w)
    lib.linalg.qr(w, mode='complete')
    lib.linalg.svdvals(s)
    lib.linalg.svdvals(t)
    lib.linalg.svdvals(w)
    (lambda U, S, Vh: (S, U @ Vh, (U * S.unsqueeze(-2) ** 2) @ Vh))(*lib.linalg.svd(t, full_matrices=False))
    (lambda U, S, Vh: (S, U @ Vh, (U * S.unsqueeze(-2) ** 2) @ Vh))(*lib.linalg.svd(w, full_matrices=False))
    (lambda U, S, Vh: (S, U[..., :2].abs(), Vh[..., :2, :].abs()))(*lib.linalg.svd(t))
    (lambda U, S, V: (S, U @ V.mH))(*s.svd())
    lib.linalg.eigvalsh(p)
    (lambda L, V: (L, V.abs(), V @ (L.exp().unsqueeze(-1) * V.mH)))(*lib.linalg.eigh(p))
    lib.linalg.eigvalsh(p, UPLO='U')
    (lib.linalg.eigvals(s) ** 3).sum(-1)
    (lambda L, V: ((L**2).sum(-1), (V.abs() ** 3).sum(-1)))(*lib.linalg.eig(s))
    lib.linalg.lu_factor(s)
    lib.linalg.lu_factor(t)
    lib.linalg.lu_factor(w)
    lib.linalg.lu(t)
    lib.linalg.lu(w)
    lib.lu_unpack(*lib.linalg.lu_factor(s))
    lib.linalg.lu_solve(*lib.linalg.lu_factor(s), c)
    lib.linalg.lu_solve(*lib.linalg.lu_factor(s), c, adjoint=True)
    lib.linalg.lu_solve(*lib.linalg.lu_factor(s), r, left=False)
    lib.linalg.lu_solve(*lib.linalg.lu_factor(s), r, left=False, adjoint=True)
    lib.linalg.pinv(t)
    lib.linalg.pinv(w)
    lib.linalg.pinv(p, hermitian=True)
    lib.linalg.householder_product(t, v)
    lib.ormqr(t, v, t)
    lib.ormqr(t, v, w, left=False, transpose=True)
    lib.linalg.matrix_exp(s)
    lib.matrix_exp(s * 5)
    lib.linalg.matrix_power(s, 5)
    lib.linalg.matrix_power(s, -2)
    lib.linalg.matrix_norm(t)
    lib.linalg.matrix_norm(t, 'nuc')
    lib.linalg.matrix_norm(t, 2, keepdim=True)
    lib.linalg.matrix_norm(t, -2)
    lib.linalg.matrix_norm(t, 1)
    lib.linalg.matrix_norm(t, float('-inf'))
    lib.linalg.cond(s)
    lib.linalg.cond(s, -2)
    lib.linalg.vecdot(s, o)
    lib.linalg.vector_norm(t)
    lib.linalg.vector_norm(t, 3, dim=-1, keepdim=True)
    lib.linalg.vector_norm(t, float('inf'), dim=(-1, -2))
    lib.linalg.norm(t, dim=(-1, -2))
    lib.linalg.norm(t, 'nuc', (-2, -1))
    lib.linalg.norm(t, 1, -1)
    lib.linalg.cross(o[..., :3, :], o[..., 1:, :] * 2, dim=-2)
    lib.linalg.vander(v, N=4)
    lib.linalg.lstsq(t, t).solution
""")

VALUES = lines("""
    lib.geqrf(t)
    lib.geqrf(w)
    lib.linalg.qr(t, mode='complete')
    lib.linalg.qr(t, mode='r')
    lib.linalg.ldl_factor(p - 3 * s.abs().sum())
    lib.linalg.ldl_factor(s + s.mT, hermitian=False)
    lib.linalg.ldl_factor(s + s.mH, hermitian=True)
    lib.linalg.ldl_solve(*lib.linalg.ldl_factor(s + s.mH, hermitian=True), c, hermitian=True)
    lib.linalg.matrix_rank(t)
    lib.linalg.matrix_rank(t, atol=1.0)
    lib.linalg.matrix_rank(p, hermitian=True)
    lib.linalg.matrix_power(s, 0)
    lib.linalg.cond(s, 'fro')
    lib.linalg.cond(s, 1)
    lib.linalg.vector_norm(t, 0, dim=-1)
    lib.linalg.vector_norm(t.real.float(), dtype=lib.float64)
""")

REFUSED = lines("""
    lib.linalg.inv(lib.zeros(2, 2))
    lib.linalg.inv(lib.ones(2, 3))
    lib.linalg.inv(lib.ones(3))
    lib.linalg.inv(lib.ones(2, 2, dtype=lib.int64))
    lib.linalg.inv(lib.ones(2, 2, dtype=lib.float16))
    lib.linalg.cholesky(-lib.ones(2, 2))
    lib.linalg.solve(lib.zeros(2, 2), lib.ones(2, 1))
    lib.linalg.solve(lib.ones(2, 2), lib.ones(3, 1))
    lib.linalg.solve(lib.ones(2, 2), lib.ones(2, 1, dtype=lib.float64))
    lib.linalg.svd(lib.full((2, 2), float('nan')))
    lib.linalg.eig(lib.full((2, 2), float('nan')))
    lib.linalg.qr(lib.ones(2, 2), mode='no')
    lib.linalg.eigh(lib.ones(2, 2), UPLO='no')
    lib.linalg.matrix_norm(lib.ones(2, 2), 3)
    lib.linalg.matrix_norm(lib.ones(2, 2), 2, (0, 0))
    lib.linalg.norm(lib.ones(2, 2, 2), 2)
    lib.linalg.vector_norm(lib.ones(2, dtype=lib.int64))
    lib.linalg.vector_norm(lib.ones(2, dtype=lib.float64), dtype=lib.float32)
    lib.linalg.cross(lib.ones(3), lib.ones(2, 3))
    lib.linalg.cross(lib.ones(2), lib.ones(2))
    lib.lobpcg(lib.ones(3, 2))
    lib.lobpcg(lib.eye(3), B=lib.eye(2))
    lib.lobpcg(lib.eye(3), X=lib.ones(2, 1))
    lib.lobpcg(lib.eye(5), k=2)
    lib.linalg.lu_factor(lib.zeros(2, 2))
    lib.linalg.multi_dot([lib.ones(2, 2)])
    lib.linalg.vander(lib.ones(3), N=1)
    lib.linalg.tensorinv(lib.ones(2, 3), ind=0)
    lib.linalg.tensorsolve(lib.ones(2, 3), lib.ones(2))
    lib.linalg.lstsq(lib.ones(2, 2), lib.ones(2, 2), driver='no')
""")


def matrices(kind, batch):
    """The arrays that expressions name."""
    random = np.random.default_rng(5)

    def made(*shape):
        array = random.standard_normal((*batch, *shape))
        return array + 1j * random.standard_normal(array.shape) if kind == "complex" else array

    square = made(3, 3)
    return {
        "s": square,
        "o": made(3, 3),
        "t": made(4, 2),
        "w": made(2, 4),
        "p": square @ np.conj(np.swapaxes(square, -1, -2)) + np.eye(3) * [1.0, 2.0, 4.0],
        "u": made(3, 3) + 4 * np.eye(3),
        "c": made(3, 2),
        "r": made(2, 3),
        "v": made(2),
    }


def program_of(expression, kind, batch, orders):
    arrays = matrices(kind, batch)
    code = compile(expression, expression, "eval")
    used = [name for name in arrays if name in code.co_names]

    def program(library):
        leaves = {name: library.tensor(arrays[name]).requires_grad_(orders > 0) for name in used}
        named = dict(leaves)
        if "p" in leaves:
            named["p"] = (leaves["p"] + leaves["p"].mH) / 2
        result = eval(code, {"lib": library, **named})
        result = list(result) if isinstance(result, tuple) else result
        return result, differentiate(library, result, [*leaves.values()], orders)

    return program


SLACK = (1e-6, 1e-8)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_gradients(expression, kind):
    for batch in BATCHES:
        # Of nothing the libraries differ in whether a gradient is empty or none.
        program = program_of(expression, kind, batch, orders=0 if 0 in batch else 2)
        same(run(program, rgrad), run(program, torch), strides=False, graph=False, slack=SLACK, where=f"{batch}")


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("expression", VALUES)
def test_values(expression, kind):
    for batch in BATCHES:
        program = program_of(expression, kind, batch, orders=0)
        same(run(program, rgrad), run(program, torch), strides=False, graph=False, slack=SLACK, where=f"{batch}")


@pytest.mark.parametrize("expression", REFUSED)
def test_refusals(expression):
    error = raises(lambda library: eval(expression, {"lib": library}))
    theirs = run(lambda library: eval(expression, {"lib": library}), torch).error
    singular = isinstance(theirs, torch.linalg.LinAlgError)
    assert isinstance(error, rgrad.linalg.LinAlgError) == singular, f"{error!r}, torch: {theirs!r}"


def test_named_results():
    a = rgrad.eye(3)
    for name in ["qr", "svd", "eigh", "eig", "slogdet", "lu", "lu_factor", "inv_ex", "cholesky_ex", "ldl_factor"]:
        ours, theirs = getattr(rgrad.linalg, name)(a), getattr(torch.linalg, name)(torch.eye(3))
        assert type(ours).__name__ == type(theirs).__name__
        for i in range(len(theirs)):
            field = next(f for f in dir(theirs) if not f.startswith("_") and getattr(theirs, f) is theirs[i])
            assert getattr(ours, field) is ours[i]


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("size", [1, 2, 5, 40, 150])
def test_decompositions_come_together_again(size, kind):
    random = np.random.default_rng(size)
    array = random.standard_normal((size + 3, size))
    if kind == "complex":
        array = array + 1j * random.standard_normal(array.shape)
    a = rgrad.tensor(array)
    square = a[:size]
    symmetric = square + square.mH

    def near(x, y):
        assert rgrad.allclose(x, y, rtol=1e-9, atol=1e-9), (x - y).abs().max()

    q, r = rgrad.linalg.qr(a)
    near(q @ r, a)
    u, s, vh = rgrad.linalg.svd(a)
    near(u @ u.mH, rgrad.eye(size + 3, dtype=a.dtype))
    near((u[:, :size] * s) @ vh, a)
    values, vectors = rgrad.linalg.eigh(symmetric)
    near((vectors * values) @ vectors.mH, symmetric)
    values, vectors = rgrad.linalg.eig(square)
    near(square.to(vectors.dtype) @ vectors, vectors * values)
    permutation, below, above = rgrad.linalg.lu(a)
    near(permutation @ below @ above, a)


# Sizes on both sides of the blocks that large matrices are computed in.
# (Of large complex matrices without more rows than columns MKL leaves out the last reflection, as LAPACK does not.)
@pytest.mark.parametrize(
    "shape,kind", [((150, 150), "real"), ((150, 70), "real"), ((70, 150), "real"), ((150, 70), "complex")]
)
def test_large_factors_are_stored_as_lapack_does(shape, kind):
    random = np.random.default_rng(0)
    array = random.standard_normal(shape)
    if kind == "complex":
        array = array + 1j * random.standard_normal(shape)
    agree(lambda lib: lib.linalg.qr(lib.tensor(array)), slack=SLACK)
    agree(lambda lib: lib.linalg.qr(lib.tensor(array), mode="complete"), slack=SLACK)
    agree(lambda lib: lib.geqrf(lib.tensor(array)), slack=SLACK)
    agree(lambda lib: lib.linalg.lu_factor_ex(lib.tensor(array)), slack=SLACK)
    # A column that depends on others leaves what comes after it as open as the signs of vectors are.
    array[:, 3] = 0
    array[:, 5] = array[:, 4]
    q, r = rgrad.linalg.qr(rgrad.tensor(array))
    assert rgrad.allclose(q @ r, rgrad.tensor(array), atol=1e-12)
    assert rgrad.allclose(q.mH @ q, rgrad.eye(q.shape[1], dtype=q.dtype), atol=1e-12)


SINGULAR = [
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
    [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 2.0]],
    [[0.0, 1.0, 2.0], [0.0, 3.0, 4.0], [0.0, 5.0, 7.0]],
    [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 1.0, 1.0]],
]


@pytest.mark.parametrize("matrix", SINGULAR)
@pytest.mark.parametrize(
    "expression",
    lines("""
        lib.linalg.lu_factor_ex(a)
        lib.linalg.inv_ex(a)
        lib.linalg.inv(a)
        lib.linalg.solve_ex(a, b)
        lib.linalg.solve_triangular(a, b, upper=True)
        lib.linalg.det(a)
        lib.linalg.slogdet(a)
        lib.linalg.svdvals(a)
        lib.linalg.matrix_rank(a)
        lib.linalg.pinv(a)
        lib.linalg.cholesky_ex(a).info
    """),
)
def test_singular_matrices(expression, matrix):
    def program(lib):
        a, b = lib.tensor(matrix, dtype=lib.float64), lib.ones(3, 2, dtype=lib.float64)
        return eval(expression, {"lib": lib, "a": a, "b": b})

    agree(program, slack=SLACK)


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e300])
def test_extreme_scales(scale):
    array = scale * np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 5.0]])

    def spectra(lib):
        a = lib.tensor(array)
        return [values / scale for values in (lib.linalg.svdvals(a), lib.linalg.eigvalsh(a))]

    agree(spectra, slack=SLACK)
    values = rgrad.linalg.eigvals(rgrad.tensor(array)).real / scale
    assert np.allclose(np.sort(values.numpy()), spectra(rgrad)[1].numpy())


@pytest.mark.parametrize("size", [2, 5, 40])
def test_vectors_of_defective_matrices(size):
    shift = rgrad.diag(rgrad.ones(size - 1, dtype=rgrad.float64), 1)
    values, vectors = rgrad.linalg.eig(shift)
    assert rgrad.allclose(values, rgrad.zeros(size, dtype=values.dtype))
    assert rgrad.allclose(vectors.abs(), rgrad.eye(size, dtype=rgrad.float64)[:, :1].expand(size, size), atol=1e-7)


def test_rank_deficient_matrices_have_orthonormal_vectors():
    a = rgrad.tensor(np.outer([1.0, 2.0, 3.0], [1.0, -1.0]))
    u, s, vh = rgrad.linalg.svd(a)
    assert rgrad.allclose(u.mT @ u, rgrad.eye(3, dtype=rgrad.float64))
    assert rgrad.allclose((u[:, :2] * s) @ vh, a)


def test_factors_of_low_rank():
    random = np.random.default_rng(0)
    for shape in [(6, 4), (4, 6), (2, 6, 4)]:
        array = random.standard_normal((*shape[:-1], 2)) @ random.standard_normal((*shape[:-2], 2, shape[-1]))
        a = rgrad.tensor(array)
        u, s, v = rgrad.svd_lowrank(a, 3)
        assert rgrad.allclose((u * s.unsqueeze(-2)) @ v.mH, a)
        assert rgrad.allclose(s[..., :2], rgrad.linalg.svdvals(a)[..., :2])
        u, s, v = rgrad.pca_lowrank(a)
        assert rgrad.allclose((u * s.unsqueeze(-2)) @ v.mH, a - a.mean(-2, keepdim=True))
    with pytest.raises(ValueError):
        rgrad.pca_lowrank(rgrad.ones(3, 2), q=3)


def definite(*shape):
    """Positive definite matrices whose eigenvalues are far from each other."""
    array = np.random.default_rng(8).standard_normal(shape)
    return array @ array.swapaxes(-1, -2) + np.diag(np.arange(1.0, shape[-1] + 1))


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("shape", [(12, 12), (2, 12, 12)], ids=str)
def test_some_eigenvalues(shape, largest):
    def program(lib):
        lib.manual_seed(0)
        a, b = lib.tensor(definite(*shape)), lib.tensor(definite(*shape[-2:])).expand(shape)
        plain, vectors = lib.lobpcg(a, k=2, n=3, largest=largest)
        general, others = lib.lobpcg(a, k=2, B=b, largest=largest)
        return plain, (a @ vectors - vectors * plain.unsqueeze(-2)).abs() < 1e-3, general, others.shape

    agree(program, strides=False, slack=(1e-7, 1e-7))


def test_derivatives_of_some_eigenvalues():
    def program(lib):
        lib.manual_seed(0)
        a = lib.tensor(definite(2, 9, 9), requires_grad=True)
        values, vectors = lib.lobpcg(a, k=2, tol=1e-12)
        return values.detach(), lib.autograd.grad(values.square().sum() + (vectors.abs() ** 3).sum(), a)

    agree(program, strides=False, slack=(1e-6, 1e-7))

    def general(a, b):
        rgrad.manual_seed(0)
        values, vectors = rgrad.lobpcg(a + a.mT, k=2, B=b + b.mT, tol=1e-14, niter=300)
        return values, vectors.abs()

    both = [rgrad.tensor(definite(9, 9) / 2 + extra, requires_grad=True) for extra in (0, np.eye(9))]
    assert rgrad.autograd.gradcheck(general, both)
