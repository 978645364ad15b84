"""``torch._C._nn``: functions of `nn.functional` under the names, and with the arguments, of PyTorch's kernels.

Reductions are numbers: 0 for none, 1 for the mean, 2 for the sum.
"""

from __future__ import annotations

import rgrad
from rgrad._rgrad import _nn
from rgrad._toplevel import reduction_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rgrad._rgrad import Tensor

# Functions that are called as those of `nn.functional`.
_SAME = """
    adaptive_avg_pool2d adaptive_avg_pool3d avg_pool2d avg_pool3d elu elu_ gelu glu hardsigmoid hardswish hardtanh
    hardtanh_ leaky_relu leaky_relu_ linear mish one_hot pad relu6 scaled_dot_product_attention silu softplus softshrink
""".split()

# Those whose last dimensions are padded in one way.
_PADDINGS = {
    f"{name}_pad{rank}d": mode
    for name, mode in (("reflection", "reflect"), ("replication", "replicate"))
    for rank in (1, 2, 3)
}

# Interpolations: the mode, and whether it has `align_corners`.
_RESIZINGS = {
    "_upsample_bicubic2d_aa": ("bicubic", True),
    "_upsample_bilinear2d_aa": ("bilinear", True),
    "_upsample_nearest_exact1d": ("nearest-exact", False),
    "_upsample_nearest_exact2d": ("nearest-exact", False),
    "_upsample_nearest_exact3d": ("nearest-exact", False),
    "upsample_bicubic2d": ("bicubic", True),
    "upsample_bilinear2d": ("bilinear", True),
    "upsample_linear1d": ("linear", True),
    "upsample_nearest1d": ("nearest", False),
    "upsample_nearest2d": ("nearest", False),
    "upsample_nearest3d": ("nearest", False),
    "upsample_trilinear3d": ("trilinear", True),
}

# Activations that store their result in the input.
_IN_PLACE = ("gelu", "hardsigmoid", "hardswish", "mish", "relu6", "silu")

# Losses of an input and a target, and what else they take: before the reduction and behind it.
_LOSSES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "binary_cross_entropy": (("weight",), ()),
    "huber_loss": ((), ("delta",)),
    "l1_loss": ((), ()),
    "mse_loss": ((), ()),
    "multi_margin_loss": (("p", "margin", "weight"), ()),
    "multilabel_margin_loss": ((), ()),
    "nll_loss": (("weight",), ("ignore_index",)),
    "smooth_l1_loss": ((), ("beta",)),
    "soft_margin_loss": ((), ()),
}

# Pools that give the places of the largest elements, too.
_POOLS = {
    "adaptive_max_pool2d": "adaptive_max_pool2d",
    "adaptive_max_pool3d": "adaptive_max_pool3d",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
}


def log_sigmoid(input: Tensor) -> Tensor:
    """`nn.functional.logsigmoid`."""
    return _nn.logsigmoid(input)


def cross_entropy_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: int = 1,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:
    """`nn.functional.cross_entropy`."""
    return _nn.cross_entropy(input, target, weight, ignore_index, reduction_named(reduction), label_smoothing)


def col2im(input: Tensor, output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Tensor:
    """`nn.functional.fold`."""
    return _nn.fold(input, output_size, kernel_size, dilation, padding, stride)


def im2col(input: Tensor, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Tensor:
    """`nn.functional.unfold`."""
    return _nn.unfold(input, kernel_size, dilation, padding, stride)


def flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """The elements of all tensors, one behind the other."""
    return rgrad.cat([tensor.reshape(-1) for tensor in tensors])


def unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What `flatten_dense_tensors` put together, in the sizes of `tensors`."""
    parts = flat.split([tensor.numel() for tensor in tensors])
    return tuple(part.view(tensor.shape) for part, tensor in zip(parts, tensors))


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """`nn.utils.rnn.pad_sequence`."""
    return rgrad.nn.utils.rnn.pad_sequence(sequences, batch_first, padding_value, padding_side)


if not TYPE_CHECKING:

    def _described(function: Callable[..., Any], name: str, documentation: str) -> Callable[..., Any]:
        function.__name__ = function.__qualname__ = name
        function.__doc__ = documentation
        return function

    def _padding(name, mode):
        rank = int(name[-2])

        def padded(input, padding):
            if len(padding) != 2 * rank:
                raise RuntimeError(f"{name}(): {2 * rank} numbers are expected in padding, got {len(padding)}")
            return _nn.pad(input, padding, mode)

        return _described(padded, name, f'`nn.functional.pad` with the mode "{mode}".')

    def _resizing(name, mode, aligned):
        def resized(input, output_size=None, *rest, align_corners=False, scale_factors=None, **scales):
            if aligned and rest:
                align_corners, *rest = rest
            if output_size is None:
                output_size = [int(n * f) for n, f in zip(input.shape[2:], scale_factors or rest[0])]
            factors = [factor for factor in (*rest, *scales.values()) if isinstance(factor, float)]
            return _nn._upsample(input, mode, list(output_size), bool(align_corners), factors, name.endswith("_aa"))

        return _described(resized, name, f'`nn.functional.interpolate` with the mode "{mode}".')

    def _in_place(name):
        original = getattr(_nn, name)

        def in_place(input, **keywords):
            return input.copy_(original(input, **keywords))

        return _described(in_place, f"{name}_", f"`nn.functional.{name}` stored in the input.")

    def _loss(name, before, behind):
        names = ("input", "target", *before, "reduction", *behind)

        def loss(*arguments, **keywords):
            given = dict(zip(names, arguments), **keywords)
            given["reduction"] = reduction_named(given.get("reduction", 1))
            return getattr(rgrad.nn.functional, name)(given.pop("input"), given.pop("target"), **given)

        return _described(loss, name, f"`nn.functional.{name}`.")

    def _pool(name, original):
        def pooled(*arguments, **keywords):
            return getattr(rgrad.nn.functional, original)(*arguments, **keywords, return_indices=True)

        return _described(pooled, name, f"`nn.functional.{original}` with the places of the largest elements.")

    globals().update({name: getattr(rgrad.nn.functional, name) for name in _SAME})
    globals().update({name: _padding(name, mode) for name, mode in _PADDINGS.items()})
    globals().update({name: _resizing(name, *row) for name, row in _RESIZINGS.items()})
    globals().update({f"{name}_": _in_place(name) for name in _IN_PLACE})
    globals().update({name: _loss(name, *row) for name, row in _LOSSES.items()})
    globals().update({name: _pool(name, original) for name, original in _POOLS.items()})
