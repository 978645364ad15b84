"""Products with Jacobians and Hessians, and the matrices themselves."""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import agree, raises
from rgrad.autograd import functional


def points(lib):
    """Two inputs of different sizes."""
    x = lib.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], dtype=lib.float64)
    y = lib.tensor([1.0, -2.0, 0.5], dtype=lib.float64)
    return x, y


def one(lib):
    return lambda x: (x * x).sum(0).exp()


def two(lib):
    return lambda x, y: ((x * y).sin().sum(1), x.t() * 2, y.exp().sum())


def scalar(lib):
    return lambda x, y: ((x * y).sin() * y * y).sum()


PRODUCTS = ["vjp", "jvp"]
SECOND = ["vhp", "hvp"]
FLAGS = [{}, {"create_graph": True}, {"strict": True}, {"create_graph": True, "strict": True}]


def with_grad(tensors, needed):
    return tuple(t.requires_grad_(needed) for t in tensors)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
@pytest.mark.parametrize("needed", [False, True])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_with_the_jacobian(name, needed, flags):
    def single(lib):
        x, y = with_grad(points(lib), needed)
        v = y if name == "vjp" else x * 3
        return getattr(lib.autograd.functional, name)(one(lib), x, v, **flags)

    def several(lib):
        x, y = with_grad(points(lib), needed)
        outputs = two(lib)(x, y)
        v = tuple(lib.ones_like(t) * 2 for t in (outputs if name == "vjp" else (x, y)))
        return getattr(lib.autograd.functional, name)(two(lib), (x, y), v, **flags)

    agree(single, strides=False, graph=False)
    agree(several, strides=False, graph=False)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
@pytest.mark.parametrize("needed", [False, True])
@pytest.mark.parametrize("name", SECOND)
def test_products_with_the_hessian(name, needed, flags):
    def several(lib):
        x, y = with_grad(points(lib), needed)
        v = (lib.ones_like(x) * 2, y * 3)
        return getattr(lib.autograd.functional, name)(scalar(lib), (x, y), v, **flags)

    agree(several, strides=False, graph=False)


@pytest.mark.parametrize("options", [{}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}], ids=str)
@pytest.mark.parametrize("needed", [False, True])
@pytest.mark.parametrize("form", ["one", "two", "list of one"])
def test_jacobian(form, needed, options):
    def program(lib):
        x, y = with_grad(points(lib), needed)
        if form == "one":
            return lib.autograd.functional.jacobian(one(lib), x, **options)
        if form == "two":
            return lib.autograd.functional.jacobian(two(lib), (x, y), **options)
        return lib.autograd.functional.jacobian(one(lib), (x,), **options)

    agree(program, strides=False, graph=False)


@pytest.mark.parametrize("vectorize", [False, True])
def test_a_jacobian_with_a_graph(vectorize):
    def program(lib):
        (x,) = with_grad(points(lib)[:1], True)
        matrix = lib.autograd.functional.jacobian(one(lib), x, create_graph=True, vectorize=vectorize)
        return matrix.requires_grad, lib.autograd.grad((matrix * matrix).sum(), x)

    agree(program, strides=False, graph=False)


FORWARD_OVER_REVERSE = {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}


@pytest.mark.parametrize("options", [{}, {"create_graph": True}, {"vectorize": True}, FORWARD_OVER_REVERSE], ids=str)
@pytest.mark.parametrize("needed", [False, True])
def test_hessian(needed, options):
    def program(lib):
        x, y = with_grad(points(lib), needed)
        several = lib.autograd.functional.hessian(scalar(lib), (x, y), **options)
        single = lib.autograd.functional.hessian(lambda y: scalar(lib)(x.detach(), y), y, **options)
        return several, single

    agree(program, strides=False, graph=False)


def test_the_forward_derivative_of_a_gradient_that_uses_a_saved_result():
    def program(lib):
        return lib.autograd.functional.hessian(lambda x: x.exp().sum(), lib.ones(2), **FORWARD_OVER_REVERSE)

    agree(program, strides=False, graph=False)


def constant(lib):
    return lambda x: lib.ones(2, dtype=lib.float64)


def linear(lib):
    return lambda x: (3 * x).sum()


def sum_of_first(lib):
    return lambda x, y: (x * x).sum()


@pytest.mark.parametrize("name", ["vjp", "jvp", "jacobian", "vhp", "hvp", "hessian"])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("case", ["constant", "linear", "unused input"])
def test_what_strict_refuses(name, case, strict, create_graph):
    def program(lib):
        x, y = with_grad(points(lib), True)
        call = getattr(lib.autograd.functional, name)
        flags = {"strict": strict, "create_graph": create_graph}
        vector = name not in ("jacobian", "hessian")
        if case == "unused input":
            v = ((lib.tensor(1.0, dtype=lib.float64) if name == "vjp" else (x, y)),) if vector else ()
            return call(sum_of_first(lib), (x, y), *v, **flags)
        function = constant(lib) if case == "constant" else linear(lib)
        v = (y[:2] if name == "vjp" and case == "constant" else y[0] if name == "vjp" else y,) if vector else ()
        return call(function, y, *v, **flags)

    agree(program, strides=False, graph=False)


@pytest.mark.parametrize(
    "program",
    [
        lambda lib, f: f.vjp(lambda x: x, 3.0),
        lambda lib, f: f.vjp(lambda x: x, [lib.ones(2)]),
        lambda lib, f: f.vjp(lambda x: 3.0, lib.ones(2)),
        lambda lib, f: f.vjp(lambda x: (x, 3.0), lib.ones(2)),
        lambda lib, f: f.vjp(lambda x: x, lib.ones(2)),
        lambda lib, f: f.vjp(lambda x: x, lib.ones(2), lib.ones(3)),
        lambda lib, f: f.vjp(lambda x: x, lib.ones(2), (lib.ones(2), lib.ones(2))),
        lambda lib, f: f.vjp(lambda x: (x, x), lib.ones(2), lib.ones(2)),
        lambda lib, f: f.vjp(lambda x: x, lib.ones(2), 3.0),
        lambda lib, f: f.vjp(lambda x: x, lib.ones(2, dtype=lib.int64), lib.ones(2)),
        lambda lib, f: f.jvp(lambda x: x, lib.ones(2)),
        lambda lib, f: f.jvp(lambda x: x, (lib.ones(2), lib.ones(2)), (lib.ones(2), lib.ones(1))),
        lambda lib, f: f.vhp(lambda x: x, lib.ones(2), lib.ones(2)),
        lambda lib, f: f.vhp(lambda x: (x.sum(),), lib.ones(2), lib.ones(2)),
        lambda lib, f: f.hvp(lambda x: x.sum(), lib.ones(2)),
        lambda lib, f: f.hessian(lambda x: x, lib.ones(2)),
        lambda lib, f: f.hessian(lambda x: (x.sum(), x.sum()), lib.ones(2)),
        lambda lib, f: f.hessian(lambda x: x.sum(), lib.ones(2), outer_jacobian_strategy="sideways"),
        lambda lib, f: f.jacobian(lambda x: x, lib.ones(2), strategy="sideways"),
        lambda lib, f: f.jacobian(lambda x: x, lib.ones(2), strategy="forward-mode"),
        lambda lib, f: f.jacobian(lambda x: x, lib.ones(2), strategy="forward-mode", create_graph=True),
        lambda lib, f: f.jacobian(lambda x: x, lib.ones(2), strategy="forward-mode", vectorize=True, strict=True),
        lambda lib, f: f.jacobian(lambda x: x, lib.ones(2), vectorize=True, strict=True),
    ],
)
def test_errors(program):
    raises(lambda lib: program(lib, lib.autograd.functional))


def test_a_missing_vector_is_one_for_a_single_number():
    agree(lambda lib: lib.autograd.functional.vjp(linear(lib), points(lib)[1]), graph=False, strides=False)
    agree(lambda lib: lib.autograd.functional.jvp(one(lib), lib.ones(1, 1)), graph=False)
    agree(lambda lib: lib.autograd.functional.vhp(lambda x: x**3, lib.tensor(2.0)), graph=False)
    agree(lambda lib: lib.autograd.functional.hvp(lambda x: x**3, lib.tensor(2.0)), graph=False)


def test_it_works_where_recording_is_off():
    def program(lib):
        x, y = points(lib)
        with lib.no_grad():
            return (
                lib.autograd.functional.vjp(one(lib), x, y),
                lib.autograd.functional.jvp(one(lib), x, x),
                lib.autograd.functional.jacobian(one(lib), x),
                lib.autograd.functional.vhp(scalar(lib), (x, y), (x, y)),
                lib.is_grad_enabled(),
            )

    agree(program, strides=False, graph=False)


def test_a_captured_tensor_is_no_argument():
    def program(lib):
        x = lib.ones(3, requires_grad=True)
        return lib.autograd.functional.jacobian(lambda z: z * x, x)

    agree(program, graph=False)


def test_the_jacobian_of_a_linear_map_is_its_matrix():
    matrix = rgrad.tensor(np.arange(6.0).reshape(2, 3))
    for options in ({}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}):
        found = functional.jacobian(lambda x: matrix @ x, rgrad.ones(3, dtype=rgrad.float64), **options)
        assert found.tolist() == matrix.tolist()


def test_the_hessian_of_a_quadratic_form():
    matrix = rgrad.tensor([[2.0, 1.0], [5.0, 3.0]])

    def form(x):
        return x @ matrix @ x

    x, v = rgrad.tensor([1.0, -1.0]), rgrad.tensor([3.0, 2.0])
    symmetric = matrix + matrix.t()
    assert functional.hessian(form, x).tolist() == symmetric.tolist()
    assert functional.hvp(form, x, v)[1].tolist() == (symmetric @ v).tolist()
    assert functional.vhp(form, x, v)[1].tolist() == (v @ symmetric).tolist()


def test_the_products_are_those_of_the_jacobian():
    x = rgrad.tensor([0.5, -1.0, 2.0], dtype=rgrad.float64)
    u, v = rgrad.tensor([1.0, 2.0], dtype=rgrad.float64), rgrad.tensor([3.0, -1.0, 0.5], dtype=rgrad.float64)

    def function(x):
        return rgrad.stack([x.prod(), (x * x).sum()])

    matrix = functional.jacobian(function, x)
    assert rgrad.allclose(functional.vjp(function, x, u)[1], u @ matrix)
    assert rgrad.allclose(functional.jvp(function, x, v)[1], matrix @ v)


def test_an_error_names_what_does_not_fit():
    with pytest.raises(RuntimeError, match=r"vjp\(\): v has the size \(3,\), \(2,\) is expected"):
        functional.vjp(lambda x: x, rgrad.ones(2), rgrad.ones(3))
    with pytest.raises(RuntimeError, match="strict=True does not allow that .* input 1"):
        functional.vjp(lambda x, y: x.sum(), (rgrad.ones(2), rgrad.ones(2)), strict=True)
