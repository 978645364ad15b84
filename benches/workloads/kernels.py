"""Numeric loops on larger tensors: products, elementwise functions, broadcasting, reductions, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workloads import Library, Step, classes, normal, workload


@workload("matmul {n} x {n}", n=[64, 128, 256, 512, 1024, 2048])
def square_product(torch: Library, n: int) -> Step:
    x, y = normal(torch, n, n), normal(torch, n, n, seed=1)
    return lambda: x @ y


PRODUCTS = {
    "thin: 2048 x 8 by 8 x 2048": ((2048, 8), (8, 2048)),
    "tall: 8 x 2048 by 2048 x 8": ((8, 2048), (2048, 8)),
    "65536 x 16 by 16 x 16": ((65536, 16), (16, 16)),
    "batch of 64: 64 x 64 by 64 x 64": ((64, 64, 64), (64, 64, 64)),
    "batch of 1024: 8 x 8 by 8 x 8": ((1024, 8, 8), (1024, 8, 8)),
    "1024 x 1024 by a vector": ((1024, 1024), (1024,)),
    "a vector by 1024 x 1024": ((1024,), (1024, 1024)),
}


@workload("matmul {sizes}", sizes=PRODUCTS)
def product(torch: Library, sizes: tuple[tuple[int, ...], tuple[int, ...]]) -> Step:
    x, y = normal(torch, *sizes[0]), normal(torch, *sizes[1], seed=1)
    return lambda: x @ y


@workload("matmul 512 x 512 by a transposed matrix")
def transposed_product(torch: Library) -> Step:
    x, y = normal(torch, 512, 512), normal(torch, 512, 512, seed=1)
    return lambda: x @ y.t()


@workload("matmul 512 x 512 and its gradients")
def product_with_gradients(torch: Library) -> Step:
    x, y = normal(torch, 512, 512).requires_grad_(), normal(torch, 512, 512, seed=1).requires_grad_()
    return lambda: torch.autograd.grad((x @ y).sum(), [x, y])


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
    "tanh": lambda torch, x: torch.tanh(x),
    "sin": lambda torch, x: torch.sin(x),
    "sigmoid": lambda torch, x: torch.sigmoid(x),
    "sqrt": lambda torch, x: torch.sqrt(x),
    "x ** 2": lambda torch, x: x**2,
    "x ** 2.5": lambda torch, x: x**2.5,
    "relu": lambda torch, x: torch.relu(x),
    "x > 1": lambda torch, x: x > 1,
    "x.to(float64)": lambda torch, x: x.to(torch.float64),
}


@workload("{function} of {n}", function=FUNCTIONS, n={"1e4": 10_000, "1e6": 1_000_000})
def elementwise(torch: Library, function: Callable[..., Any], n: int) -> Step:
    x = normal(torch, n).abs() + 0.1
    return lambda: function(torch, x)


@workload("add_ of 1e6")
def in_place(torch: Library) -> Step:
    x, y = normal(torch, 1_000_000), torch.zeros(1_000_000)
    return lambda: x.add_(y)


BROADCASTS = {"a row": (1, 1000), "a column": (1000, 1), "a row and a column": None}


@workload("1000 x 1000 plus {operand}", operand=BROADCASTS)
def broadcast(torch: Library, operand: tuple[int, int] | None) -> Step:
    if operand is None:
        row, column = normal(torch, 1, 1000), normal(torch, 1000, 1)
        return lambda: row + column
    x, y = normal(torch, 1000, 1000), normal(torch, *operand)
    return lambda: x + y


@workload("gradient of a row added to 1000 x 1000")
def broadcast_gradient(torch: Library) -> Step:
    x, row = normal(torch, 1000, 1000), normal(torch, 1000).requires_grad_()
    seed = normal(torch, 1000, 1000, seed=2)
    return lambda: torch.autograd.grad(x + row, row, seed)


REDUCTIONS = {
    "sum": lambda torch, x, dim: x.sum(dim),
    "mean": lambda torch, x, dim: x.mean(dim),
    "max": lambda torch, x, dim: x.max(dim),
    "argmax": lambda torch, x, dim: x.argmax(dim),
    "var": lambda torch, x, dim: x.var(dim),
    "softmax": lambda torch, x, dim: torch.softmax(x, dim),
    "log_softmax": lambda torch, x, dim: torch.log_softmax(x, dim),
    "logsumexp": lambda torch, x, dim: torch.logsumexp(x, dim),
}


@workload("{reduction} of 1000 x 1000 along {dim}", reduction=REDUCTIONS, dim=[0, 1])
def reduction(torch: Library, reduction: Callable[..., Any], dim: int) -> Step:
    x = normal(torch, 1000, 1000)
    return lambda: reduction(torch, x, dim)


@workload("sum of 100 x 100 x 100 along {dim}", dim=[0, 1, 2])
def sum_of_three(torch: Library, dim: int) -> Step:
    x = normal(torch, 100, 100, 100)
    return lambda: x.sum(dim)


@workload("{reduction} of {n}", reduction=["sum", "mean", "max"], n={"1e4": 10_000, "1e7": 10_000_000})
def whole_reduction(torch: Library, reduction: str, n: int) -> Step:
    x = normal(torch, n)
    return lambda: getattr(x, reduction)()


@workload("softmax of 1000 x 1000 and its gradient")
def softmax_gradient(torch: Library) -> Step:
    x, seed = normal(torch, 1000, 1000).requires_grad_(), normal(torch, 1000, 1000, seed=1)
    return lambda: torch.autograd.grad(torch.softmax(x, 1), x, seed)


@workload("cumsum of 1000 x 1000 along 1")
def cumulative_sum(torch: Library) -> Step:
    x = normal(torch, 1000, 1000)
    return lambda: torch.cumsum(x, 1)


@workload("sort of 1e5")
def sort(torch: Library) -> Step:
    x = normal(torch, 100_000)
    return lambda: torch.sort(x).values


@workload("copy of 1000 x 1000, transposed")
def transposed_copy(torch: Library) -> Step:
    x = normal(torch, 1000, 1000)
    return lambda: x.t().contiguous()


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


INDEXED = {
    "x[rows]": lambda torch, x, rows: x[rows],
    "index_select": lambda torch, x, rows: torch.index_select(x, 0, rows),
    "gather": lambda torch, x, rows: torch.gather(x, 0, rows[:, None].expand(-1, 64)),
    "index_add": lambda torch, x, rows: torch.index_add(torch.zeros(4096, 64), 0, rows, x),
    "x[x > 0]": lambda torch, x, rows: x[x > 0],
    "masked_fill": lambda torch, x, rows: x.masked_fill(x > 0, 0.0),
    "where": lambda torch, x, rows: torch.where(x > 0, x, 0.0),
    "nonzero": lambda torch, x, rows: torch.nonzero(x > 0),
}


@workload("{operation} of 4096 x 64", operation=INDEXED)
def indexed(torch: Library, operation: Callable[..., Any]) -> Step:
    x, rows = normal(torch, 4096, 64), classes(torch, 4096, 4096)
    return lambda: operation(torch, x, rows)


@workload("gradient of x[rows], 4096 x 64")
def index_gradient(torch: Library) -> Step:
    x, rows = normal(torch, 4096, 64).requires_grad_(), classes(torch, 4096, 4096)
    seed = normal(torch, 4096, 64, seed=1)
    return lambda: torch.autograd.grad(x[rows], x, seed)


@workload("randn of {n}", n={"1e3": 1_000, "1e6": 1_000_000})
def random_numbers(torch: Library, n: int) -> Step:
    # Only how many there are can be compared.
    return lambda: torch.randn(n).numel()


@workload("2d convolution: 8 x 16 x 32 x 32 by 32 x 16 x 3 x 3")
def convolution(torch: Library) -> Step:
    x, weight = normal(torch, 8, 16, 32, 32), normal(torch, 32, 16, 3, 3, seed=1)
    return lambda: torch.nn.functional.conv2d(x, weight, padding=1)


@workload("layer norm of 512 x 256")
def layer_norm(torch: Library) -> Step:
    x = normal(torch, 512, 256)
    return lambda: torch.nn.functional.layer_norm(x, (256,))
