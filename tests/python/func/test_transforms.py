"""Derivatives of functions, alone and combined with each other and with `vmap`."""

from __future__ import annotations

import pytest

import rgrad
from oracle import agree, raises


def vector(t, n=4):
    return t.linspace(-1.0, 1.3, n)


def batch(t):
    return t.linspace(-1.0, 1.3, 12).reshape(3, 4)


def scalar(x):
    return (x.sin() * x.sum()).sum()


def several(x):
    return x.sin() * x.sum()


@pytest.mark.parametrize("argnums", [0, 1, -1, (0, 1), (1, 0), (1,)])
def test_gradients(argnums):
    def program(t):
        function = t.func.grad(lambda x, y: (x * y.exp()).sum(), argnums=argnums)
        both = t.func.grad_and_value(lambda x, y: (x * y.exp()).sum(), argnums=argnums)
        return function(vector(t), vector(t) + 1), both(vector(t), vector(t) + 1)

    agree(program)


def test_gradients_of_containers():
    def program(t):
        parameters = {"w": vector(t), "b": (vector(t) + 1, [vector(t) - 1])}
        return t.func.grad(lambda p: (p["w"] * p["b"][0] * p["b"][1][0]).sum())(parameters)

    agree(program)


def test_aux():
    def program(t):
        x = vector(t)
        pair = lambda x: (x.sin().sum(), {"kept": x * 2})  # noqa: E731
        full = lambda x: (x.sin(), [x * 2])  # noqa: E731
        return (
            t.func.grad(pair, has_aux=True)(x),
            t.func.grad_and_value(pair, has_aux=True)(x),
            t.func.vjp(full, x, has_aux=True)[2],
            t.func.jvp(full, (x,), (x,), has_aux=True),
            t.func.jacrev(full, has_aux=True)(x),
            t.func.jacfwd(full, has_aux=True)(x),
            t.vmap(t.func.grad(pair, has_aux=True))(batch(t)),
        )

    agree(program, strides=False)


def test_inputs_that_are_not_used_have_a_gradient_of_zeros():
    def program(t):
        x = vector(t)
        return (
            t.func.grad(lambda x, y: x.sum(), argnums=1)(x, x),
            t.func.grad(lambda x: t.tensor(1.0))(x),
            t.func.jacrev(lambda x: t.ones(2))(x),
            t.func.jacfwd(lambda x: t.ones(2))(x),
            t.func.jvp(lambda x: t.ones(2), (x,), (x,)),
        )

    agree(program, strides=False)


def test_vector_jacobian_products():
    def program(t):
        x, y = vector(t), vector(t) + 1
        output, pull = t.func.vjp(lambda x, y: {"a": x * y, "b": (x.sum(), y)}, x, y)
        cotangent = {"a": t.ones(4), "b": (t.tensor(2.0), x)}
        return output, pull(cotangent), pull(cotangent), t.vmap(t.func.vjp(several, x)[1])(t.eye(4))

    agree(program, strides=False)


def test_jacobian_vector_products():
    def program(t):
        x, y = vector(t), vector(t) + 1
        tree = {"p": x, "q": (y,)}
        function = lambda d: (d["p"] * d["q"][0], [d["p"].sum()])  # noqa: E731
        output, push = t.func.linearize(several, x)
        return t.func.jvp(function, (tree,), (tree,)), output, push(y), t.vmap(push)(batch(t))

    agree(program, strides=False)


@pytest.mark.parametrize("chunk_size", [None, 1, 3])
def test_jacobians_of_several_inputs_and_outputs(chunk_size):
    def program(t):
        x, y = vector(t), vector(t, 3)
        function = lambda x, y: {"o": x.sum() * y, "q": (x * x, y.sum() * x.sum())}  # noqa: E731
        return (
            t.func.jacrev(function, argnums=(0, 1), chunk_size=chunk_size)(x, y),
            t.func.jacrev(function, chunk_size=chunk_size)(x, y),
            t.func.jacfwd(function, argnums=(1, 0))(x, y),
            t.func.jacrev(lambda p: p["a"] * p["b"], chunk_size=chunk_size)({"a": x, "b": x + 1}),
            t.func.hessian(lambda x, y: (x.sum() * y).sum() ** 2, argnums=(0, 1))(x, y),
        )

    agree(program, strides=False)


JACOBIANS = ["jacrev", "jacfwd"]


@pytest.mark.parametrize("outer", JACOBIANS)
@pytest.mark.parametrize("inner", JACOBIANS)
def test_jacobians_of_jacobians(outer, inner):
    def program(t):
        first, second = getattr(t.func, inner), getattr(t.func, outer)
        return second(first(several))(vector(t)), t.vmap(second(first(scalar)))(batch(t))

    agree(program, strides=False)


@pytest.mark.parametrize("names", ["jacrev jacrev jacrev", "jacfwd jacfwd jacfwd", "jacrev jacfwd jacrev"])
def test_third_derivatives(names):
    def program(t):
        function = lambda x: (x**3).sum()  # noqa: E731
        for name in names.split():
            function = getattr(t.func, name)(function)
        return function(vector(t, 3))

    agree(program, strides=False)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.vmap(t.func.grad(scalar))(batch(t)),
        lambda t: t.func.grad(lambda b: t.vmap(scalar)(b).sum())(batch(t)),
        lambda t: t.func.jacrev(t.vmap(scalar))(batch(t)),
        lambda t: t.func.jacfwd(t.vmap(scalar))(batch(t)),
        lambda t: t.vmap(t.func.jacrev(several))(batch(t)),
        lambda t: t.vmap(t.func.jacfwd(several))(batch(t)),
        lambda t: t.vmap(t.func.hessian(scalar))(batch(t)),
        lambda t: t.vmap(t.vmap(t.func.grad(lambda a, b: a * a * b), in_dims=(0, None)), in_dims=(None, 0))(
            vector(t), vector(t)
        ),
        lambda t: t.func.grad(lambda b: t.vmap(t.func.grad(scalar))(b).sum())(batch(t)),
        lambda t: t.func.grad(lambda x: t.func.grad(scalar)(x).sum())(vector(t)),
        lambda t: t.vmap(lambda x, v: t.func.jvp(scalar, (x,), (v,)))(batch(t), batch(t)),
        lambda t: t.vmap(lambda v: t.func.jvp(scalar, (vector(t),), (v,))[1])(batch(t)),
        lambda t: t.vmap(lambda x: t.func.jvp(scalar, (x,), (vector(t),))[1])(batch(t)),
        lambda t: t.func.jvp(t.vmap(scalar), (batch(t),), (batch(t),)),
        lambda t: t.func.jvp(lambda x: t.func.jvp(scalar, (x,), (x,))[1], (vector(t),), (vector(t),)),
        lambda t: t.func.jvp(t.func.grad(scalar), (vector(t),), (vector(t),)),
        lambda t: t.func.grad(lambda x: t.func.jvp(scalar, (x,), (vector(t),))[1])(vector(t)),
        lambda t: t.func.vjp(lambda v: t.func.vjp(several, vector(t))[1](v)[0], vector(t))[1](vector(t)),
        lambda t: t.vmap(lambda x, v: t.func.vjp(several, x)[1](v)[0])(batch(t), batch(t)),
        lambda t: t.vmap(t.func.linearize(scalar, vector(t))[1])(batch(t)),
    ],
)
def test_combinations(program):
    agree(program, strides=False)


@pytest.mark.parametrize("inner", ["grad", "jvp"])
@pytest.mark.parametrize("outer", ["grad", "jvp"])
def test_perturbations_are_not_confused(outer, inner):
    def derivative(t, kind, function, at):
        at = t.tensor(at)
        return t.func.grad(function)(at) if kind == "grad" else t.func.jvp(function, (at,), (t.tensor(1.0),))[1]

    # The inner derivative of x + y with respect to y is 1, whatever x carries; that of x * y is x.
    assert derivative(rgrad, outer, lambda x: x * derivative(rgrad, inner, lambda y: x + y, 1.0), 2.0).item() == 1.0
    assert derivative(rgrad, outer, lambda x: x * derivative(rgrad, inner, lambda y: x * y, 1.0), 3.0).item() == 6.0


def test_recording_outside():
    def program(t):
        w = vector(t).requires_grad_()
        recorded = t.func.grad(lambda x: (x * x * w).sum())(vector(t))
        with t.no_grad():
            unrecorded = t.func.grad(lambda x: (x * w).sum())(vector(t))
        plain, pull = t.func.vjp(several, vector(t))
        return (
            recorded.requires_grad,
            t.autograd.grad(recorded.sum(), w)[0],
            unrecorded,
            plain,
            pull(vector(t)),
            t.func.grad(lambda x: (x.detach() * x).sum())(vector(t)),
            t.func.jvp(lambda x: x * w, (vector(t),), (vector(t),))[1].requires_grad,
        )

    agree(program, strides=False)


def without_setup(t):
    """A Function whose forward takes the context."""

    class Doubled(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return Doubled.apply(gradient)

    return Doubled


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.func.grad(lambda x: x)(vector(t)),
        lambda t: t.func.grad(lambda x: 1.0)(vector(t)),
        lambda t: t.func.grad(lambda x: (x.sum(),))(vector(t)),
        lambda t: t.func.grad(lambda x: x)(t.tensor(1)),
        lambda t: t.func.grad(scalar, argnums=1)(vector(t)),
        lambda t: t.func.grad(scalar, argnums=[0])(vector(t)),
        lambda t: t.func.grad(scalar, argnums=(0, 0))(vector(t)),
        lambda t: t.func.grad(scalar, argnums=())(vector(t)),
        lambda t: t.func.grad(scalar, has_aux=True)(vector(t)),
        lambda t: t.func.grad(lambda x: (x.sum(), 1), has_aux=True)(vector(t)),
        lambda t: t.func.grad(lambda p: p["w"].sum())({"w": 3.0}),
        lambda t: t.func.vjp(lambda x: 3, vector(t)),
        lambda t: t.func.vjp(several, 1.0),
        lambda t: t.func.vjp(several, vector(t))[1](vector(t, 3)),
        lambda t: t.func.vjp(lambda x: (x, x), vector(t))[1](vector(t)),
        lambda t: t.func.jvp(several, vector(t), vector(t)),
        lambda t: t.func.jvp(several, (vector(t),), (vector(t, 3),)),
        lambda t: t.func.jvp(several, (vector(t),), (vector(t), vector(t))),
        lambda t: t.func.jvp(several, (), ()),
        lambda t: t.func.jvp(lambda x: t.ones(2), (vector(t),), (vector(t),), strict=True),
        lambda t: t.func.jacrev(several, chunk_size=0)(vector(t)),
        lambda t: t.func.grad(lambda x: x.add_(1).sum())(vector(t)),
        lambda t: t.func.grad(lambda x: x.clone().requires_grad_().sum())(vector(t)),
        lambda t: t.func.jvp(lambda x: t.ones(2).requires_grad_() * x, (vector(t),), (vector(t),)),
        lambda t: t.func.grad(lambda x: (x * 2).retain_grad())(vector(t)),
        lambda t: t.func.vjp(lambda x: x.sum().backward(), vector(t)),
        lambda t: t.vmap(lambda x: x.requires_grad_(False))(vector(t)),
        lambda t: t.func.jacfwd(lambda x: t.autograd.functional.jacobian(several, x))(vector(t)),
        lambda t: t.func.grad(lambda x: without_setup(t).apply(x).sum())(vector(t)),
        lambda t: t.func.jvp(without_setup(t).apply, (vector(t),), (vector(t),)),
        lambda t: t.vmap(lambda x: x + without_setup(t).apply(t.ones(2)))(vector(t)),
    ],
)
def test_calls_that_do_not_fit(program):
    raises(program)


class TestBatchedGradients:
    """`autograd.grad(..., is_grads_batched=True)`."""

    def test_a_jacobian_from_one_graph(self):
        def program(t):
            w = vector(t).requires_grad_()
            rows = t.autograd.grad(several(w), w, t.eye(4), is_grads_batched=True)
            first, second = t.autograd.grad(
                (w * w, w.exp().sum()), (w, w), (t.ones(2, 4), t.arange(2.0)), is_grads_batched=True
            )
            again = t.autograd.grad(
                several(w), w, t.eye(4), is_grads_batched=True, create_graph=True, retain_graph=True
            )[0]
            return rows, first, second, t.autograd.grad(again.sum(), w)

        agree(program, strides=False)

    @pytest.mark.parametrize("gradient", [lambda t: t.eye(2), lambda t: None])
    def test_gradients_that_do_not_fit(self, gradient):
        def program(t):
            w = vector(t).requires_grad_()
            return t.autograd.grad(w * w, w, gradient(t), is_grads_batched=True)

        raises(program)
