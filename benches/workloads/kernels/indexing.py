"""Elements at places that another tensor names, in an order, or joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workloads import Library, Step, classes, normal, with_gradients, workload

INDEXED = {
    "x[rows]": lambda torch, x, rows: x[rows],
    "index_select": lambda torch, x, rows: torch.index_select(x, 0, rows),
    "gather": lambda torch, x, rows: torch.gather(x, 0, rows[:, None].expand(-1, 64)),
    "index_add": lambda torch, x, rows: torch.index_add(torch.zeros(4096, 64), 0, rows, x),
    "scatter": lambda torch, x, rows: torch.zeros(4096, 64).scatter(1, (rows % 64)[:, None], x),
    "scatter_add": lambda torch, x, rows: torch.zeros(4096, 64).scatter_add(0, rows[:, None].expand(-1, 64), x),
    "gather of columns": lambda torch, x, rows: torch.gather(x, 1, (rows % 64)[:, None].expand(-1, 64)),
    "take_along_dim": lambda torch, x, rows: torch.take_along_dim(x, (rows % 64)[:, None], 1),
    "x[rows, columns]": lambda torch, x, rows: x[rows, rows % 64],
    "x[rows] = 0": lambda torch, x, rows: x.clone().index_fill_(0, rows, 0.0),
    "index_put": lambda torch, x, rows: torch.zeros(4096, 64).index_put((rows,), x, accumulate=True),
    "tril": lambda torch, x, rows: torch.tril(x),
    "roll": lambda torch, x, rows: torch.roll(x, 100, 0),
    "one_hot": lambda torch, x, rows: torch.nn.functional.one_hot(rows[:1024], 4096),
    "x[x > 0]": lambda torch, x, rows: x[x > 0],
    "masked_fill": lambda torch, x, rows: x.masked_fill(x > 0, 0.0),
    "where": lambda torch, x, rows: torch.where(x > 0, x, 0.0),
    "nonzero": lambda torch, x, rows: torch.nonzero(x > 0),
}


@workload("{operation} of 4096 x 64", operation=INDEXED)
def indexed(torch: Library, operation: Callable[..., Any]) -> Step:
    x, rows = normal(torch, 4096, 64), classes(torch, 4096, 4096)
    return lambda: operation(torch, x, rows)


WITH_GRADIENTS = "x[rows]", "index_select", "gather", "gather of columns", "x[rows, columns]"
PICKED = {name: INDEXED[name] for name in WITH_GRADIENTS}


@workload("{operation} of 4096 x 64 and its gradient", operation=PICKED)
def index_gradient(torch: Library, operation: Callable[..., Any]) -> Step:
    x, rows = normal(torch, 4096, 64), classes(torch, 4096, 4096)
    return with_gradients(torch, lambda x: operation(torch, x, rows), x)


@workload("embedding: {count} of {words} words, and its gradient", count=[512, 8192], words=[1000, 30000])
def embedding(torch: Library, count: int, words: int) -> Step:
    table, chosen = normal(torch, words, 64), classes(torch, count, words)
    return with_gradients(torch, lambda table: torch.nn.functional.embedding(chosen, table), table)


ORDERED = {
    "sort": lambda torch, x, dim: torch.sort(x, dim).values,
    "argsort": lambda torch, x, dim: torch.argsort(x, dim=dim, stable=True),
    "topk of 10": lambda torch, x, dim: torch.topk(x, 10, dim).values,
    "kthvalue": lambda torch, x, dim: torch.kthvalue(x, 100, dim).values,
    "median": lambda torch, x, dim: torch.median(x, dim).values,
}


@workload("{operation} of 1000 x 1000 along {dim}", operation=ORDERED, dim=[0, 1])
def ordered(torch: Library, operation: Callable[..., Any], dim: int) -> Step:
    x = normal(torch, 1000, 1000)
    return lambda: operation(torch, x, dim)


@workload("topk of 10 of {n}", n={"1e4": 10_000, "1e6": 1_000_000})
def largest(torch: Library, n: int) -> Step:
    x = normal(torch, n)
    return lambda: torch.topk(x, 10).values


@workload("sort of {n} and its gradient", n={"1e4": 10_000, "1e6": 1_000_000})
def sort_gradient(torch: Library, n: int) -> Step:
    return with_gradients(torch, lambda x: torch.sort(x, stable=True).values, normal(torch, n))


@workload("{operation} of 1e5 classes", operation=["unique", "bincount"])
def counted(torch: Library, operation: str) -> Step:
    x = classes(torch, 100_000, 1000)
    return lambda: getattr(torch, operation)(x)


@workload("searchsorted of 1e5 among 1e4")
def searched(torch: Library) -> Step:
    x, edges = normal(torch, 100_000), normal(torch, 10_000, seed=1).sort().values
    return lambda: torch.searchsorted(edges, x)
