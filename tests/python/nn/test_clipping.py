"""Gradients that are clipped, and parameters as one vector, beside torch."""

from __future__ import annotations

import numpy as np
import pytest

from oracle import agree, raises

RANDOM = np.random.default_rng(9)
GRADIENTS = [RANDOM.normal(size=shape) for shape in ((3, 2), (4,), ())]
INFINITE = float("inf")


def parameters(library, scale=1.0):
    made = [library.nn.Parameter(library.zeros(gradient.shape, dtype=library.float64)) for gradient in GRADIENTS]
    for parameter, gradient in zip(made, GRADIENTS):
        parameter.grad = library.tensor(gradient * scale)
    return [*made, library.nn.Parameter(library.zeros(2))]


@pytest.mark.parametrize("order", [2, 1, 3.0, 0.5, INFINITE, -INFINITE, 0, "inf"])
@pytest.mark.parametrize("limit", [0.5, 100])
def test_by_norm(limit, order):
    def program(library):
        made = parameters(library)
        norm = library.nn.utils.clip_grad_norm_(made, limit, order)
        return norm, [parameter.grad for parameter in made[:-1]], made[-1].grad

    agree(program)


@pytest.mark.parametrize("order", [2, 1, INFINITE, 0])
def test_complex_gradients_by_norm(order):
    def program(library):
        parameters = [library.ones(2, dtype=library.complex64), library.ones(3)]
        parameters[0].grad, parameters[1].grad = library.tensor([3 + 4j, 1j]), library.arange(3.0)
        return library.nn.utils.clip_grad_norm_(parameters, 1.0, order), [p.grad for p in parameters]

    agree(program, slack=(1e-5, 1e-6))


def test_by_norm_in_two_steps():
    def program(library):
        made = parameters(library)
        norm = library.nn.utils.get_total_norm([parameter.grad for parameter in made[:-1]])
        library.nn.utils.clip_grads_with_norm_(made, 0.7, norm)
        return norm, [parameter.grad for parameter in made[:-1]]

    agree(program)


def test_of_what_is_no_list():
    def program(library):
        one = parameters(library)[0]
        total = library.nn.utils.clip_grad_norm_(one, 0.1)
        made = parameters(library)
        again = library.nn.utils.clip_grad_norm_((parameter for parameter in made), 0.1)
        none = library.nn.utils.clip_grad_norm_([library.nn.Parameter(library.ones(1))], 0.1)
        return total, one.grad, again, made[0].grad, none, library.nn.utils.clip_grad_norm_([], 1.0)

    agree(program)


@pytest.mark.parametrize("scale", [INFINITE, float("nan")])
def test_norms_that_are_not_finite(scale):
    def program(library):
        made = parameters(library, scale)
        return library.nn.utils.clip_grad_norm_(made, 1.0), made[0].grad

    agree(program)
    raises(lambda library: library.nn.utils.clip_grad_norm_(parameters(library, scale), 1.0, error_if_nonfinite=True))


def test_by_value():
    def program(library):
        made = parameters(library)
        result = library.nn.utils.clip_grad_value_(made, 0.3)
        return result, [parameter.grad for parameter in made[:-1]]

    agree(program)


def test_parameters_as_a_vector():
    def program(library):
        model = library.nn.Sequential(library.nn.Linear(2, 3), library.nn.Linear(3, 1))
        with library.no_grad():
            for number, parameter in enumerate(model.parameters()):
                parameter.fill_(number)
        vector = library.nn.utils.parameters_to_vector(model.parameters())
        changed = library.arange(float(vector.numel()))
        library.nn.utils.vector_to_parameters(changed, model.parameters())
        changed[0] = 50.0
        return vector, dict(model.state_dict())

    agree(program, graph=False)
    raises(lambda library: library.nn.utils.vector_to_parameters([1.0], library.nn.Linear(1, 1).parameters()))
