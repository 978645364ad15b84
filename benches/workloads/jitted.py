"""Some of the workloads for jax, compiled whole by its `jit`: what is to be gained from seeing all of a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from workloads import Build, Library, Step, combinations
from workloads.kernels.elementwise import SIZES

PROGRAMS: dict[str, Callable[[Library], Step]] = {}


def jitted(name: str, **choices: Iterable[Any] | Mapping[str, Any]) -> Callable[[Build], Build]:
    """Enter a function as jax's version of the workloads of that name."""

    def enter(build: Build) -> Build:
        for label, values in combinations(name, choices):
            PROGRAMS[label] = partial(build, **values)
        return build

    return enter


def normal(jax: Library, *size: int, seed: int = 0) -> Any:
    """The numbers of `workloads.normal`."""
    return jax.numpy.asarray(np.random.default_rng(seed).standard_normal(size, dtype=np.float32))


def compiled(jax: Library, function: Callable[..., Any], *arguments: Any) -> Step:
    """A call of the function compiled, which waits for the result that jax computes in the background."""
    fast = jax.jit(function)
    return lambda: jax.block_until_ready(fast(*arguments))


@jitted("exp of 8 elements")
def exp(jax: Library) -> Step:
    return compiled(jax, jax.numpy.exp, normal(jax, 8))


@jitted("matmul 4 x 4")
def small_product(jax: Library) -> Step:
    return compiled(jax, lambda x: x @ x, normal(jax, 4, 4))


@jitted("matmul {n} x {n}", n=[64, 128, 256, 512, 1024, 2048])
def product(jax: Library, n: int) -> Step:
    return compiled(jax, jax.numpy.matmul, normal(jax, n, n), normal(jax, n, n, seed=1))


@jitted("(x * y + x) / 2 - y of {n}", n=SIZES)
def pointwise_chain(jax: Library, n: int) -> Step:
    return compiled(jax, lambda x, y: (x * y + x) / 2 - y, normal(jax, n), normal(jax, n, seed=1))


@jitted("softmax of 1000 x 1000 along {dim}", dim=[0, 1])
def softmax(jax: Library, dim: int) -> Step:
    return compiled(jax, partial(jax.nn.softmax, axis=dim), normal(jax, 1000, 1000))


@jitted("100 operations and their backward pass")
def chain(jax: Library) -> Step:
    def total(x: Any) -> Any:
        for _ in range(50):
            x = jax.numpy.tanh(x * 0.9)
        return x.sum()

    return compiled(jax, jax.grad(total), normal(jax, 8))


@jitted("the loss of the notes and its gradients")
def notes(jax: Library) -> Step:
    def loss(w: Any, b: Any, x: Any) -> Any:
        # Against zeros, the cross entropy of a logit is its softplus.
        return jax.nn.softplus(x @ w + b).mean()

    def loss_and_gradients(w: Any, b: Any, x: Any) -> Any:
        value, gradients = jax.value_and_grad(loss, argnums=(0, 1))(w, b, x)
        return value, *gradients

    return compiled(jax, loss_and_gradients, normal(jax, 5, 3), normal(jax, 3), jax.numpy.ones(5))


@jitted("64-64-64-10, batch {batch}, SGD", batch=[1, 32, 128, 512])
def small_perceptron(jax: Library, batch: int) -> Step:
    return classifier(jax, batch, 64, 64, 10)


@jitted("784-128-128-10, batch {batch}, SGD", batch=[1, 32, 128, 512])
def larger_perceptron(jax: Library, batch: int) -> Step:
    return classifier(jax, batch, 784, 128, 10)


def classifier(jax: Library, batch: int, inputs: int, hidden: int, outputs: int) -> Step:
    sizes = (hidden, inputs), (hidden,), (hidden, hidden), (hidden,), (outputs, hidden), (outputs,)
    parameters = [normal(jax, *size, seed=i) * 0.1 for i, size in enumerate(sizes)]
    x = normal(jax, batch, inputs)
    target = np.random.default_rng(1).integers(0, outputs, batch)

    def loss(parameters: list[Any], x: Any) -> Any:
        for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2]):
            x = jax.nn.relu(x @ weight.T + bias)
        scores = jax.nn.log_softmax(x @ parameters[-2].T + parameters[-1])
        return -scores[np.arange(batch), target].mean()

    def update(parameters: list[Any], x: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(parameters, x)
        return value, [parameter - 1e-3 * slope for parameter, slope in zip(parameters, slopes)]

    fast = jax.jit(update)

    def step() -> object:
        nonlocal parameters
        value, parameters = jax.block_until_ready(fast(parameters, x))
        return value, parameters[0]

    return step


@jitted("Hessian of a function of 30 numbers, row by row")
def hessian(jax: Library) -> Step:
    def rosenbrock(x: Any) -> Any:
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()

    return compiled(jax, jax.hessian(rosenbrock), normal(jax, 30))
