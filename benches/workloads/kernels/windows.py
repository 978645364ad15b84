"""What goes over an image, a signal or a volume window by window, and attention, which does over a sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workloads import Library, Step, normal, with_gradients, workload

# Of the input, of the weight, and how the one goes over the other.
Sizes = tuple[tuple[int, ...], tuple[int, ...], dict[str, int]]

CONVOLUTIONS: dict[str, Sizes] = {
    "1d: 8 x 16 x 256 by 32 x 16 x 5": ((8, 16, 256), (32, 16, 5), {"padding": 2}),
    "2d: 8 x 16 x 32 x 32 by 32 x 16 x 3 x 3": ((8, 16, 32, 32), (32, 16, 3, 3), {"padding": 1}),
    "2d: 8 x 64 x 28 x 28 by 64 x 64 x 3 x 3": ((8, 64, 28, 28), (64, 64, 3, 3), {"padding": 1}),
    "2d: 4 x 3 x 64 x 64 by 32 x 3 x 7 x 7, stride 2": ((4, 3, 64, 64), (32, 3, 7, 7), {"padding": 3, "stride": 2}),
    "2d: 8 x 64 x 28 x 28 by 128 x 64 x 1 x 1": ((8, 64, 28, 28), (128, 64, 1, 1), {}),
    "2d in 4 groups: 8 x 32 x 28 x 28 by 32 x 8 x 3 x 3": ((8, 32, 28, 28), (32, 8, 3, 3), {"padding": 1, "groups": 4}),
    "2d, depthwise: 8 x 32 x 28 x 28 by 32 x 1 x 3 x 3": ((8, 32, 28, 28), (32, 1, 3, 3), {"padding": 1, "groups": 32}),
    "3d: 2 x 8 x 16 x 16 x 16 by 16 x 8 x 3 x 3 x 3": ((2, 8, 16, 16, 16), (16, 8, 3, 3, 3), {"padding": 1}),
}
TRANSPOSED: dict[str, Sizes] = {
    "1d: 8 x 16 x 128 by 16 x 16 x 4": ((8, 16, 128), (16, 16, 4), {"stride": 2, "padding": 1}),
    "2d: 8 x 32 x 16 x 16 by 32 x 16 x 4 x 4": ((8, 32, 16, 16), (32, 16, 4, 4), {"stride": 2, "padding": 1}),
}


def convolved(torch: Library, sizes: Sizes, transposed: bool = False) -> tuple[Callable[..., Any], list[Any]]:
    """A convolution of input, weight and bias, and these."""
    size, kernel, options = sizes
    function = getattr(torch.nn.functional, f"conv{'_transpose' if transposed else ''}{len(kernel) - 2}d")
    features = kernel[1] if transposed else kernel[0]
    operands = [normal(torch, *size), normal(torch, *kernel, seed=1), normal(torch, features, seed=2)]
    return lambda x, weight, bias: function(x, weight, bias, **options), operands


@workload("convolution {sizes}", sizes=CONVOLUTIONS)
def convolution(torch: Library, sizes: Sizes) -> Step:
    function, operands = convolved(torch, sizes)
    return lambda: function(*operands)


@workload("convolution {sizes} and its gradients", sizes=CONVOLUTIONS)
def convolution_gradients(torch: Library, sizes: Sizes) -> Step:
    function, operands = convolved(torch, sizes)
    return with_gradients(torch, function, *operands)


@workload("transposed convolution {sizes} and its gradients", sizes=TRANSPOSED)
def transposed_convolution(torch: Library, sizes: Sizes) -> Step:
    function, operands = convolved(torch, sizes, transposed=True)
    return with_gradients(torch, function, *operands)


IMAGE = (8, 16, 32, 32)
POOLS: dict[str, tuple[str, tuple[int, ...], tuple[int, ...]]] = {
    "max_pool1d of 8 x 16 x 1024, 2": ("max_pool1d", (8, 16, 1024), (2,)),
    "max_pool2d of 8 x 16 x 32 x 32, 2": ("max_pool2d", IMAGE, (2,)),
    "max_pool2d of 8 x 16 x 32 x 32, 3 by 2 at the edge": ("max_pool2d", IMAGE, (3, 2, 1)),
    "max_pool3d of 2 x 8 x 16 x 16 x 16, 2": ("max_pool3d", (2, 8, 16, 16, 16), (2,)),
    "avg_pool1d of 8 x 16 x 1024, 2": ("avg_pool1d", (8, 16, 1024), (2,)),
    "avg_pool2d of 8 x 16 x 32 x 32, 2": ("avg_pool2d", IMAGE, (2,)),
    "avg_pool2d of 8 x 16 x 32 x 32, 3 by 2 at the edge": ("avg_pool2d", IMAGE, (3, 2, 1)),
    "avg_pool3d of 2 x 8 x 16 x 16 x 16, 2": ("avg_pool3d", (2, 8, 16, 16, 16), (2,)),
    "adaptive_avg_pool2d of 8 x 16 x 32 x 32 to 7": ("adaptive_avg_pool2d", IMAGE, (7,)),
    "adaptive_avg_pool2d of 8 x 16 x 32 x 32 to 1": ("adaptive_avg_pool2d", IMAGE, (1,)),
    "adaptive_max_pool2d of 8 x 16 x 32 x 32 to 7": ("adaptive_max_pool2d", IMAGE, (7,)),
}


@workload("{pool}", pool=POOLS)
def pool(torch: Library, pool: tuple[str, tuple[int, ...], tuple[int, ...]]) -> Step:
    name, size, options = pool
    function, x = getattr(torch.nn.functional, name), normal(torch, *size)
    return lambda: function(x, *options)


@workload("{pool} and its gradient", pool=POOLS)
def pool_gradient(torch: Library, pool: tuple[str, tuple[int, ...], tuple[int, ...]]) -> Step:
    name, size, options = pool
    function = getattr(torch.nn.functional, name)
    return with_gradients(torch, lambda x: function(x, *options), normal(torch, *size))


MODES = ["nearest", "bilinear", "bicubic"]


@workload("interpolate of 8 x 16 x 32 x 32 to 64 x 64, {mode}, and its gradient", mode=MODES)
def interpolation(torch: Library, mode: str) -> Step:
    x = normal(torch, *IMAGE)
    return with_gradients(torch, lambda x: torch.nn.functional.interpolate(x, scale_factor=2, mode=mode), x)


@workload("unfold of 8 x 16 x 32 x 32 in 3 x 3 and its gradient")
def unfolded(torch: Library) -> Step:
    return with_gradients(torch, lambda x: torch.nn.functional.unfold(x, 3, padding=1), normal(torch, *IMAGE))


@workload("grid_sample of 8 x 16 x 32 x 32 and its gradients")
def sampled(torch: Library) -> Step:
    x, grid = normal(torch, *IMAGE), normal(torch, 8, 32, 32, 2, seed=1) * 0.5
    function = torch.nn.functional.grid_sample
    return with_gradients(torch, lambda x, grid: function(x, grid, align_corners=False), x, grid)


HEADS = {
    "8 x 4 heads, 64 tokens of 16": (8, 4, 64, 16),
    "2 x 8 heads, 256 tokens of 64": (2, 8, 256, 64),
    "1 x 4 heads, 1024 tokens of 64": (1, 4, 1024, 64),
}


@workload("attention: {sizes}{gradients}", sizes=HEADS, gradients={"": False, ", and its gradients": True})
def attention(torch: Library, sizes: tuple[int, ...], gradients: bool) -> Step:
    parts = [normal(torch, *sizes, seed=i) for i in range(3)]
    function = torch.nn.functional.scaled_dot_product_attention
    return with_gradients(torch, function, *parts) if gradients else lambda: function(*parts)


@workload("causal attention: {sizes}, and its gradients", sizes=HEADS)
def causal_attention(torch: Library, sizes: tuple[int, ...]) -> Step:
    function = torch.nn.functional.scaled_dot_product_attention
    parts = (normal(torch, *sizes, seed=i) for i in range(3))
    return with_gradients(torch, lambda q, k, v: function(q, k, v, is_causal=True), *parts)


@workload("attention written out: 8 x 4 heads, 64 tokens of 16, and its gradients")
def written_attention(torch: Library) -> Step:
    def function(query: Any, key: Any, value: Any) -> Any:
        return torch.softmax(query @ key.transpose(-2, -1) / 4.0, dim=-1) @ value

    return with_gradients(torch, function, *(normal(torch, 8, 4, 64, 16, seed=i) for i in range(3)))
