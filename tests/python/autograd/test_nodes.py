"""Nodes as functions, their names, and gradients of other types than their tensors."""

from __future__ import annotations

import pytest

from oracle import agree, raises

ROOTS = {
    "one argument": lambda lib, x: x.exp(),
    "two arguments, one a number": lambda lib, x: x * 2,
    "one argument twice": lambda lib, x: x * x,
    "a view": lambda lib, x: x.view(3, 1),
}


@pytest.mark.parametrize("root", ROOTS)
def test_a_node_can_be_called(root):
    def program(lib):
        x = lib.arange(1.0, 4.0, requires_grad=True)
        y = ROOTS[root](lib, x)
        hooks = []
        y.grad_fn.register_hook(lambda *_: hooks.append(1))
        return y.grad_fn(lib.ones_like(y)), y.grad_fn(lib.ones_like(y)), hooks

    agree(program, strides=False, graph=False)


def test_a_called_node_that_was_freed_or_gets_another_size():
    def product(lib):
        x = lib.ones(2, requires_grad=True)
        y = x * x
        return y, y.grad_fn

    def freed(lib):
        y, node = product(lib)
        y.sum().backward()
        return node(lib.ones(2))

    raises(freed)
    raises(lambda lib: product(lib)[1](lib.ones(3)))
    raises(lambda lib: product(lib)[1]())


def test_a_called_accumulator_adds():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        node = lib.autograd.graph.get_gradient_edge(x).node
        return node(lib.ones(2)), x.grad

    agree(program)


def test_names():
    def program(lib):
        x = lib.ones(3, requires_grad=True)
        y = x * 2
        z = y.clone()
        z[0] = 1
        leaf = y.grad_fn.next_functions[0][0]
        return [(node.name(), type(node).__name__) for node in (y.grad_fn, leaf, z.grad_fn)]

    agree(program)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool", "float64"])
def test_a_gradient_of_another_type_is_converted(dtype):
    def program(lib):
        x = lib.ones(3, requires_grad=True)
        gradient = lib.tensor([1, 0, 1], dtype=getattr(lib, dtype))
        (x * 2).backward(gradient)
        return x.grad, lib.autograd.grad(x * 3, x, gradient)

    agree(program)


def test_derivatives_of_powers_until_nothing_is_left():
    def program(lib, exponent):
        x = lib.tensor(2.0, dtype=lib.float64, requires_grad=True)
        derivatives = [x**exponent]
        while derivatives[-1].requires_grad:
            derivatives += lib.autograd.grad(derivatives[-1], x, create_graph=True)
        return derivatives

    for exponent in (1, 2, 3, 4):
        agree(lambda lib, exponent=exponent: program(lib, exponent), graph=False)


def test_grad_of_a_result_that_does_not_keep_it():
    def program(lib):
        import warnings

        y = lib.ones(2, requires_grad=True) * 2
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            y.grad  # noqa: B018 - reading it is what is tested
            y.retain_grad()
            y.grad  # noqa: B018
        return [warning.category for warning in caught]

    agree(program)


SAVED = {
    "argument": (lambda lib, x: x * x.detach(), ["_saved_self", "_saved_other"]),
    "result": (lambda lib, x: x.exp(), ["_saved_result"]),
    "sum": (lambda lib, x: x.sum(0), ["_saved_dim", "_saved_keepdim", "_saved_self_sym_sizes"]),
    "mean": (lambda lib, x: x.mean(), ["_saved_self_sym_sizes", "_saved_self_sym_numel"]),
    "slice": (lambda lib, x: x[:, 1:], ["_saved_dim", "_saved_start", "_saved_self_sym_sizes"]),
    "product": (lambda lib, x: x @ x.t(), ["_saved_self", "_saved_mat2", "_saved_self_sym_sizes"]),
}


@pytest.mark.parametrize("case", SAVED)
def test_what_a_node_saved(case):
    make, names = SAVED[case]

    def program(lib):
        x = lib.arange(6.0).view(2, 3).requires_grad_()
        node = make(lib, x).grad_fn
        return [getattr(node, name, None) for name in names]

    agree(program)


def test_names_of_what_a_node_saved_are_listed():
    def program(lib):
        x = lib.ones(2, 3, requires_grad=True)
        nodes = [(x / x.exp()).grad_fn, x.exp().grad_fn, x.clone().grad_fn, x.transpose(0, 1).grad_fn]
        return [[name for name in dir(node) if "saved_" in name and name[0] == "_"] for node in nodes]

    agree(program)
