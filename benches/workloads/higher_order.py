"""Derivatives of derivatives, and derivatives along a direction."""

from __future__ import annotations

from typing import Any

from workloads import Library, Step, normal, workload
from workloads.training import perceptron


def rosenbrock(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


@workload("gradient penalty of 64-64-64-1, batch {batch}", batch=[8, 128])
def gradient_penalty(torch: Library, batch: int) -> Step:
    model = perceptron(torch, 64, 64, 1)
    x = normal(torch, batch, 64).requires_grad_()
    parameters = list(model.parameters())

    def step() -> object:
        (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        penalty = ((slope.pow(2).sum(1).sqrt() - 1) ** 2).mean()
        # The last bias has no part in the slope.
        return torch.autograd.grad(penalty, parameters[:-1], allow_unused=True, materialize_grads=True)

    return step


@workload("Hessian of a function of 30 numbers, row by row")
def hessian(torch: Library) -> Step:
    x = normal(torch, 30).requires_grad_()

    def step() -> object:
        (gradient,) = torch.autograd.grad(rosenbrock(x), x, create_graph=True)
        return torch.stack([torch.autograd.grad(part, x, retain_graph=True)[0] for part in gradient])

    return step


@workload("Hessian times a vector, 1000 numbers")
def hessian_product(torch: Library) -> Step:
    x, v = normal(torch, 1000).requires_grad_(), normal(torch, 1000, seed=1)

    def step() -> object:
        (gradient,) = torch.autograd.grad(rosenbrock(x), x, create_graph=True)
        return torch.autograd.grad(gradient, x, v)

    return step


@workload("derivatives 1 to 5 of a function of 8 numbers")
def five_derivatives(torch: Library) -> Step:
    x = normal(torch, 8).requires_grad_()

    def step() -> object:
        y = torch.sin(x) * torch.exp(x * 0.5)
        for _ in range(5):
            (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return y

    return step


@workload("second derivative of tanh, 1e5 elements")
def second_derivative(torch: Library) -> Step:
    x = normal(torch, 100_000).requires_grad_()

    def step() -> object:
        (first,) = torch.autograd.grad(torch.tanh(x).sum(), x, create_graph=True)
        return torch.autograd.grad(first.sum(), x)

    return step


@workload("forward mode through 64-64-64-10, batch {batch}", batch=[1, 128])
def forward_mode(torch: Library, batch: int) -> Step:
    forward = torch.autograd.forward_ad
    model = perceptron(torch, 64, 64, 10)
    x, v = normal(torch, batch, 64), normal(torch, batch, 64, seed=1)

    def step() -> object:
        with torch.no_grad(), forward.dual_level():
            return tuple(forward.unpack_dual(model(forward.make_dual(x, v))))

    return step


@workload("forward mode over the gradient: Hessian times a vector, 1000 numbers")
def forward_over_reverse(torch: Library) -> Step:
    forward = torch.autograd.forward_ad
    x, v = normal(torch, 1000).requires_grad_(), normal(torch, 1000, seed=1)

    def step() -> object:
        with forward.dual_level():
            dual = forward.make_dual(x, v)
            (gradient,) = torch.autograd.grad(rosenbrock(dual), dual, create_graph=True)
            return forward.unpack_dual(gradient).tangent

    return step
