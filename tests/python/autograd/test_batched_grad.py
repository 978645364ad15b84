"""`grad` for several gradients of the outputs at once."""

from __future__ import annotations

import warnings

import pytest

import rgrad
from oracle import agree


def point(lib):
    return lib.tensor([1.0, 2.0, 3.0], requires_grad=True), lib.ones(2, requires_grad=True)


def one_output(lib, grad, x, unused):
    return grad(x * x, x, lib.eye(3))


def two_outputs(lib, grad, x, unused):
    return grad((x * x, x.sum()), (x,), (lib.eye(3), lib.ones(3)))


def not_used(lib, grad, x, unused):
    return grad(x * x, (x, unused), lib.eye(3))


def not_used_but_allowed(lib, grad, x, unused):
    return grad(x * x, (x, unused), lib.eye(3), allow_unused=True)


def not_used_but_zeros(lib, grad, x, unused):
    return grad(x * x, (x, unused), lib.eye(3), materialize_grads=True)


def no_gradient(lib, grad, x, unused):
    return grad(x.sum(), x)


def one_gradient_is_missing(lib, grad, x, unused):
    return grad((x * x, x.sum()), (x,), (lib.eye(3), None))


def no_batch(lib, grad, x, unused):
    return grad(x * x, x, lib.ones(3))


def another_size(lib, grad, x, unused):
    return grad(x * x, x, lib.ones(2, 4))


def other_lengths(lib, grad, x, unused):
    return grad((x * x, x.sum()), (x,), (lib.eye(3), lib.ones(4)))


def empty(lib, grad, x, unused):
    return grad(x * x, x, lib.ones(0, 3))


def with_a_graph(lib, grad, x, unused):
    (first,) = grad(x**3, x, lib.eye(3), create_graph=True)
    return first.requires_grad, lib.autograd.grad(first.sum(), x)


def twice(lib, grad, x, unused):
    y = x * x
    grad(y, x, lib.eye(3))
    return grad(y, x, lib.eye(3))


def twice_with_the_graph_retained(lib, grad, x, unused):
    y = x * x
    return grad(y, x, lib.eye(3), retain_graph=True), grad(y, x, lib.eye(3))


@pytest.mark.parametrize(
    "program",
    [
        one_output,
        two_outputs,
        not_used,
        not_used_but_allowed,
        not_used_but_zeros,
        no_gradient,
        one_gradient_is_missing,
        no_batch,
        another_size,
        other_lengths,
        empty,
        with_a_graph,
        twice,
        twice_with_the_graph_retained,
    ],
)
def test_batches(program):
    def run(lib):
        def grad(*args, **kwargs):
            return lib.autograd.grad(*args, is_grads_batched=True, **kwargs)

        return program(lib, grad, *point(lib))

    agree(run, strides=False)


def test_a_flag_of_old_programs():
    x, _ = point(rgrad)
    with pytest.warns(FutureWarning, match="only_inputs"):
        rgrad.autograd.grad(x.sum(), x, only_inputs=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rgrad.autograd.grad(x.sum(), x, None, None, False, True, True, False, True)
    with pytest.raises(ValueError, match="materialize_grads"):
        rgrad.autograd.grad(x.sum(), x, allow_unused=False, materialize_grads=True)


def test_functions_of_the_user_take_the_batch_as_it_is():
    class Cubed(rgrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return Scaled.apply(gradient, x)

    class Scaled(rgrad.autograd.Function):
        @staticmethod
        def forward(ctx, gradient, x):
            ctx.save_for_backward(gradient, x)
            return 3 * x * x * gradient

        @staticmethod
        def backward(ctx, second):
            gradient, x = ctx.saved_tensors
            return 3 * x * x * second, 6 * x * gradient * second

    x = rgrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (rows,) = rgrad.autograd.grad(Cubed.apply(x), x, rgrad.eye(3), create_graph=True, is_grads_batched=True)
    assert rows.tolist() == [[3, 0, 0], [0, 12, 0], [0, 0, 27]]
    # PyTorch loses the history here.
    assert rgrad.autograd.grad(rows.sum(), x)[0].tolist() == [6, 12, 18]
