"""Reductions, and what runs along a dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workloads import Library, Step, classes, normal, with_gradients, workload

REDUCTIONS = {
    "sum": lambda torch, x, dim: x.sum(dim),
    "mean": lambda torch, x, dim: x.mean(dim),
    "max": lambda torch, x, dim: x.max(dim),
    "amin": lambda torch, x, dim: x.amin(dim),
    "argmax": lambda torch, x, dim: x.argmax(dim),
    "var": lambda torch, x, dim: x.var(dim),
    "norm": lambda torch, x, dim: x.norm(dim=dim),
    "prod": lambda torch, x, dim: x.prod(dim),
    "any": lambda torch, x, dim: (x > 3).any(dim),
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


DIFFERENTIATED = {name: REDUCTIONS[name] for name in ("sum", "mean", "amin", "var", "norm", "softmax", "log_softmax")}


@workload("{reduction} of 1000 x 1000 along {dim} and its gradient", reduction=DIFFERENTIATED, dim=[0, 1])
def reduction_gradient(torch: Library, reduction: Callable[..., Any], dim: int) -> Step:
    return with_gradients(torch, lambda x: reduction(torch, x, dim), normal(torch, 1000, 1000))


NORMS = {
    "layer norm of 512 x 256": ("layer_norm", (512, 256), (256,)),
    "layer norm of 8 x 64 x 64": ("layer_norm", (8, 64, 64), (64,)),
    "rms norm of 512 x 256": ("rms_norm", (512, 256), (256,)),
    "group norm of 8 x 32 x 32 x 32 in 8 groups": ("group_norm", (8, 32, 32, 32), 8),
    "batch norm of 1024 x 128": ("batch_norm", (1024, 128), None),
    "batch norm of 8 x 32 x 32 x 32": ("batch_norm", (8, 32, 32, 32), None),
}


def normalized(torch: Library, name: str, size: tuple[int, ...], shape: Any) -> tuple[Callable[..., Any], list[Any]]:
    """A normalization of three operands, and the operands."""
    functional = torch.nn.functional
    width = shape if isinstance(shape, tuple) else size[1:2]
    weight, bias = normal(torch, *width, seed=1) + 1, normal(torch, *width, seed=2)
    x = normal(torch, *size)
    if name == "batch_norm":
        return lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True), [x, weight, bias]
    if name == "rms_norm":
        return lambda x, w: functional.rms_norm(x, shape, w), [x, weight]
    return lambda x, w, b: getattr(functional, name)(x, shape, w, b), [x, weight, bias]


@workload("{norm}", norm=NORMS)
def norm(torch: Library, norm: tuple[str, tuple[int, ...], Any]) -> Step:
    function, operands = normalized(torch, *norm)
    return lambda: function(*operands)


@workload("{norm} and its gradients", norm=NORMS)
def norm_gradients(torch: Library, norm: tuple[str, tuple[int, ...], Any]) -> Step:
    function, operands = normalized(torch, *norm)
    return with_gradients(torch, function, *operands)


@workload("cross entropy of {rows} x {kinds} and its gradient", rows=[128, 2048], kinds=[10, 1000])
def cross_entropy(torch: Library, rows: int, kinds: int) -> Step:
    x, target = normal(torch, rows, kinds).requires_grad_(), classes(torch, rows, kinds)
    return lambda: torch.autograd.grad(torch.nn.functional.cross_entropy(x, target), x)


RUNNING = {
    "cumsum": lambda torch, x, dim: torch.cumsum(x, dim),
    "cumprod": lambda torch, x, dim: torch.cumprod(x, dim),
    "cummax": lambda torch, x, dim: torch.cummax(x, dim).values,
    "logcumsumexp": lambda torch, x, dim: torch.logcumsumexp(x, dim),
}


@workload("{function} of 1000 x 1000 along {dim}", function=RUNNING, dim=[0, 1])
def running(torch: Library, function: Callable[..., Any], dim: int) -> Step:
    x = normal(torch, 1000, 1000)
    return lambda: function(torch, x, dim)


@workload("cumsum of 1000 x 1000 along {dim} and its gradient", dim=[0, 1])
def cumulative_gradient(torch: Library, dim: int) -> Step:
    return with_gradients(torch, lambda x: torch.cumsum(x, dim), normal(torch, 1000, 1000))


@workload("cumsum of 1e6")
def long_cumulative_sum(torch: Library) -> Step:
    x = normal(torch, 1_000_000)
    return lambda: torch.cumsum(x, 0)
