"""Elementwise functions, broadcasting, and copies of any layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workloads import Library, Step, normal, with_gradients, workload

SIZES = {"1e3": 1_000, "1e4": 10_000, "1e5": 100_000, "1e6": 1_000_000, "1e7": 10_000_000}


@workload("(x * y + x) / 2 - y of {n}", n=SIZES)
def pointwise_chain(torch: Library, n: int) -> Step:
    x, y = normal(torch, n), normal(torch, n, seed=1)
    return lambda: (x * y + x) / 2 - y


@workload("(x * y).tanh() of {n} and its gradients", n=SIZES)
def pointwise_gradients(torch: Library, n: int) -> Step:
    x, y = normal(torch, n).requires_grad_(), normal(torch, n, seed=1).requires_grad_()
    return lambda: torch.autograd.grad((x * y).tanh().sum(), [x, y])


FUNCTIONS = {
    "exp": lambda torch, x: torch.exp(x),
    "log": lambda torch, x: torch.log(x),
    "log1p": lambda torch, x: torch.log1p(x),
    "tanh": lambda torch, x: torch.tanh(x),
    "sin": lambda torch, x: torch.sin(x),
    "cos": lambda torch, x: torch.cos(x),
    "erf": lambda torch, x: torch.erf(x),
    "sigmoid": lambda torch, x: torch.sigmoid(x),
    "sqrt": lambda torch, x: torch.sqrt(x),
    "x ** 2": lambda torch, x: x**2,
    "x ** 2.5": lambda torch, x: x**2.5,
    "relu": lambda torch, x: torch.relu(x),
    "abs": lambda torch, x: x.abs(),
    "clamp": lambda torch, x: x.clamp(0.5, 1.0),
    "x > 1": lambda torch, x: x > 1,
    "x.to(float64)": lambda torch, x: x.to(torch.float64),
}


@workload("{function} of {n}", function=FUNCTIONS, n={"1e4": 10_000, "1e6": 1_000_000})
def elementwise(torch: Library, function: Callable[..., Any], n: int) -> Step:
    x = normal(torch, n).abs() + 0.1
    return lambda: function(torch, x)


ACTIVATIONS = {
    "relu": lambda torch, x: torch.relu(x),
    "gelu": lambda torch, x: torch.nn.functional.gelu(x),
    "gelu (tanh)": lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
    "silu": lambda torch, x: torch.nn.functional.silu(x),
    "softplus": lambda torch, x: torch.nn.functional.softplus(x),
    "elu": lambda torch, x: torch.nn.functional.elu(x),
    "leaky_relu": lambda torch, x: torch.nn.functional.leaky_relu(x, 0.1),
    "hardswish": lambda torch, x: torch.nn.functional.hardswish(x),
    "sigmoid": lambda torch, x: torch.sigmoid(x),
    "exp": lambda torch, x: torch.exp(x),
    "clamp": lambda torch, x: x.clamp(-1.0, 1.0),
    "x ** 3": lambda torch, x: x**3,
    "where": lambda torch, x: torch.where(x > 0, x, x * 0.5),
}


@workload("{function} of {n} and its gradient", function=ACTIVATIONS, n={"1e4": 10_000, "1e6": 1_000_000})
def activation(torch: Library, function: Callable[..., Any], n: int) -> Step:
    return with_gradients(torch, lambda x: function(torch, x), normal(torch, n))


LOSSES = ["mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits"]


@workload("{loss} of 1000 x 100 and its gradient", loss=LOSSES)
def pointwise_loss(torch: Library, loss: str) -> Step:
    x, target = normal(torch, 1000, 100).requires_grad_(), normal(torch, 1000, 100, seed=1).sigmoid()
    function = getattr(torch.nn.functional, loss)
    return lambda: torch.autograd.grad(function(x, target), x)


@workload("add_ of 1e6")
def in_place(torch: Library) -> Step:
    x, y = normal(torch, 1_000_000), torch.zeros(1_000_000)
    return lambda: x.add_(y)


BROADCASTS = {"a row": (1, 1000), "a column": (1000, 1)}


@workload("1000 x 1000 plus {operand}", operand={**BROADCASTS, "a row and a column": None})
def broadcast(torch: Library, operand: tuple[int, int] | None) -> Step:
    if operand is None:
        row, column = normal(torch, 1, 1000), normal(torch, 1000, 1)
        return lambda: row + column
    x, y = normal(torch, 1000, 1000), normal(torch, *operand)
    return lambda: x + y


@workload("gradient of {operand} {joined} 1000 x 1000", operand=["a row", "a column"], joined=["added to", "times"])
def broadcast_gradient(torch: Library, operand: str, joined: str) -> Step:
    x, part = normal(torch, 1000, 1000), normal(torch, *BROADCASTS[operand]).requires_grad_()
    seed = normal(torch, 1000, 1000, seed=2)
    return lambda: torch.autograd.grad(x + part if joined == "added to" else x * part, part, seed)


PERMUTED = {
    "1000 x 1000, transposed": ((1000, 1000), (1, 0)),
    "8 x 64 x 4 x 16, heads before tokens": ((8, 64, 4, 16), (0, 2, 1, 3)),
    "8 x 16 x 64 x 64, channels last": ((8, 16, 64, 64), (0, 2, 3, 1)),
    "100 x 100 x 100, reversed": ((100, 100, 100), (2, 1, 0)),
}


@workload("copy of {layout}", layout=PERMUTED)
def permuted_copy(torch: Library, layout: tuple[tuple[int, ...], tuple[int, ...]]) -> Step:
    x = normal(torch, *layout[0]).permute(layout[1])
    return lambda: x.contiguous()


@workload("flip of 1000 x 1000 along {dim}", dim=[0, 1])
def flip(torch: Library, dim: int) -> Step:
    x = normal(torch, 1000, 1000)
    return lambda: x.flip(dim)


@workload("{padding} padding of 8 x 16 x 32 x 32 and its gradient", padding=["constant", "reflect", "replicate"])
def padding(torch: Library, padding: str) -> Step:
    x = normal(torch, 8, 16, 32, 32)
    return with_gradients(torch, lambda x: torch.nn.functional.pad(x, (1, 1, 1, 1), mode=padding), x)


@workload("copy of 1e6")
def copy(torch: Library) -> Step:
    x = normal(torch, 1_000_000)
    return lambda: x.clone()


@workload("sum of two, one transposed: 1000 x 1000")
def mixed_strides(torch: Library) -> Step:
    x, y = normal(torch, 1000, 1000), normal(torch, 1000, 1000, seed=1)
    return lambda: x + y.t()


@workload("cat of 8 x 1e5")
def joined(torch: Library) -> Step:
    parts = [normal(torch, 100_000, seed=i) for i in range(8)]
    return lambda: torch.cat(parts)


@workload("randn of {n}", n={"1e3": 1_000, "1e6": 1_000_000})
def random_numbers(torch: Library, n: int) -> Step:
    # Only how many there are can be compared.
    return lambda: torch.randn(n).numel()
