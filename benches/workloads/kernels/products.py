"""Products of matrices, alone and in batches."""

from __future__ import annotations

from workloads import Library, Step, normal, with_gradients, workload


@workload("matmul {n} x {n}", n=[64, 128, 256, 512, 1024, 2048])
def square_product(torch: Library, n: int) -> Step:
    x, y = normal(torch, n, n), normal(torch, n, n, seed=1)
    return lambda: x @ y


PRODUCTS = {
    "thin: 2048 x 8 by 8 x 2048": ((2048, 8), (8, 2048)),
    "tall: 8 x 2048 by 2048 x 8": ((8, 2048), (2048, 8)),
    "65536 x 16 by 16 x 16": ((65536, 16), (16, 16)),
    "batch of 64: 64 x 64 by 64 x 64": ((64, 64, 64), (64, 64, 64)),
    "batch of 8: 256 x 256 by 256 x 256": ((8, 256, 256), (8, 256, 256)),
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


@workload("matmul {n} x {n} and its gradients", n=[64, 256, 512, 1024])
def product_with_gradients(torch: Library, n: int) -> Step:
    x, y = normal(torch, n, n).requires_grad_(), normal(torch, n, n, seed=1).requires_grad_()
    return lambda: torch.autograd.grad((x @ y).sum(), [x, y])


CONTRACTIONS = {
    "bij,bjk->bik": ((16, 64, 64), (16, 64, 64)),
    "bhqd,bhkd->bhqk": ((8, 4, 64, 16), (8, 4, 64, 16)),
    "bqhd,bkhd->bhqk": ((8, 64, 4, 16), (8, 64, 4, 16)),
    "i,j->ij": ((1000,), (1000,)),
    "bi,bi->b": ((1000, 1000), (1000, 1000)),
}


@workload("einsum {subscripts} and its gradients", subscripts=list(CONTRACTIONS))
def contraction(torch: Library, subscripts: str) -> Step:
    first, second = CONTRACTIONS[subscripts]
    x, y = normal(torch, *first), normal(torch, *second, seed=1)
    return with_gradients(torch, lambda x, y: torch.einsum(subscripts, x, y), x, y)


@workload("linear with a bias, 256 x {n} by {n} x {n}, and its gradients", n=[64, 512])
def linear(torch: Library, n: int) -> Step:
    x, weight, bias = normal(torch, 256, n), normal(torch, n, n, seed=1), normal(torch, n, seed=2)
    return with_gradients(torch, torch.nn.functional.linear, x, weight, bias)
