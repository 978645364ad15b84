"""Layers and losses as plain functions."""

from __future__ import annotations

import warnings
from types import FunctionType

from rgrad._rgrad import _nn, _overridable

from .functions.attention import multi_head_attention_forward
from .functions.embedding import embedding, embedding_bag
from .functions.pooling import (
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    fractional_max_pool2d,
    fractional_max_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from .functions.resizing import affine_grid, interpolate, upsample, upsample_bilinear, upsample_nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "affine_grid",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "embedding",
    "embedding_bag",
    "fold",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
    "grid_sample",
    "group_norm",
    "instance_norm",
    "interpolate",
    "l1_loss",
    "layer_norm",
    "linear",
    "local_response_norm",
    "log_softmax",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mse_loss",
    "multi_head_attention_forward",
    "nll_loss",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "relu",
    "rms_norm",
    "scaled_dot_product_attention",
    "sigmoid",
    "softmax",
    "tanh",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

linear = _nn.linear
relu = _nn.relu
sigmoid = _nn.sigmoid
tanh = _nn.tanh
dropout = _nn.dropout

adaptive_avg_pool1d = _nn.adaptive_avg_pool1d
avg_pool1d = _nn.avg_pool1d
avg_pool2d = _nn.avg_pool2d
avg_pool3d = _nn.avg_pool3d
batch_norm = _nn.batch_norm
bilinear = _nn.bilinear
channel_shuffle = _nn.channel_shuffle
conv1d = _nn.conv1d
conv2d = _nn.conv2d
conv3d = _nn.conv3d
conv_tbc = _nn.conv_tbc
conv_transpose1d = _nn.conv_transpose1d
conv_transpose2d = _nn.conv_transpose2d
conv_transpose3d = _nn.conv_transpose3d
ctc_loss = _nn.ctc_loss
fold = _nn.fold
grid_sample = _nn.grid_sample
group_norm = _nn.group_norm
instance_norm = _nn.instance_norm
layer_norm = _nn.layer_norm
local_response_norm = _nn.local_response_norm
lp_pool1d = _nn.lp_pool1d
lp_pool2d = _nn.lp_pool2d
lp_pool3d = _nn.lp_pool3d
max_unpool1d = _nn.max_unpool1d
max_unpool2d = _nn.max_unpool2d
max_unpool3d = _nn.max_unpool3d
pad = _nn.pad
pixel_shuffle = _nn.pixel_shuffle
pixel_unshuffle = _nn.pixel_unshuffle
rms_norm = _nn.rms_norm
scaled_dot_product_attention = _nn.scaled_dot_product_attention
unfold = _nn.unfold


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Exponentials of `input` divided by their sum along `dim`; same shape as `input`.

    Args:
        input: a tensor of any shape.
        dim: the dimension whose entries add up to one. Leaving it out is deprecated.
        _stacklevel: where the deprecation is reported.
        dtype: the floating-point dtype `input` is converted to first.

    Raises:
        IndexError: `input` has no dimension `dim`.
    """
    if dim is None:
        dim = _implicit_dimension("softmax", input.dim(), _stacklevel)
    return _nn.softmax(input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, computed without overflow; arguments as there."""
    if dim is None:
        dim = _implicit_dimension("log_softmax", input.dim(), _stacklevel)
    return _nn.log_softmax(input, dim, dtype)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared differences of `input` and `target`, weighted and reduced.

    Args:
        input: a floating-point tensor of any shape.
        target: a tensor of the same shape; another shape is broadcast with a warning.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`, the latter two giving a scalar.
        weight: a factor for each difference, of the same shape; the mean is then divided by their sum instead of their
            number.

    Raises:
        ValueError: `reduction` is none of the three.
    """
    _warn_of_broadcast("mse_loss", input, target)
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.mse_loss(input, target, reduction, weight)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute differences of `input` and `target`; arguments as in `mse_loss`."""
    _warn_of_broadcast("l1_loss", input, target)
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.l1_loss(input, target, reduction, weight)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of the classes in `target`.

    Args:
        input: log-probabilities of shape `(C)`, `(N, C)` or `(N, C, d1, ...)`.
        target: class indices, `int64`, of shape `()`, `(N)` or `(N, d1, ...)`.
        weight: a factor for each class, of shape `(C)`.
        size_average: deprecated; see `reduction`.
        ignore_index: a class whose entries count neither in the sum nor in the mean.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, of the shape of `target`; `"sum"`; or `"mean"`, the sum divided by the
            weights of the classes in `target`.

    Raises:
        IndexError: a class is out of range.
        ValueError: `reduction` is none of the three.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.nll_loss(input, target, weight, ignore_index, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """`nll_loss` of the `log_softmax` of `input` over its classes.

    Args:
        input: scores of shape `(C)`, `(N, C)` or `(N, C, d1, ...)`.
        target: class indices as in `nll_loss`, or probabilities of the shape of `input`.
        weight: as in `nll_loss`.
        size_average: deprecated; see `reduction`.
        ignore_index: as in `nll_loss`; for class indices only.
        reduce: deprecated; see `reduction`.
        reduction: as in `nll_loss`.
        label_smoothing: how much of each target, from 0 to 1, is spread evenly over the classes.

    Raises:
        IndexError: a class is out of range.
        ValueError: `reduction` is none of the three.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The cross-entropy of the probabilities `input` with `target`.

    Each entry is `-(target * log(input) + (1 - target) * log(1 - input))`, the logarithms being
    held above -100.

    Args:
        input: probabilities, of any shape.
        target: what they should be, of the same shape.
        weight: a factor for each entry, broadcast to that shape.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`, the latter two giving a scalar.

    Raises:
        ValueError: the shapes differ, or `reduction` is none of the three.
        RuntimeError: an entry of `input` is not between 0 and 1.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of the sigmoid of `input`, computed without overflow.

    Args:
        input: scores, of any shape.
        target: probabilities, of the same shape.
        weight: a factor for each entry, broadcast to that shape.
        size_average: deprecated; see `reduction`.
        reduce: deprecated; see `reduction`.
        reduction: `"none"`, `"sum"` or `"mean"`, the latter two giving a scalar.
        pos_weight: a factor for the part of each entry due to `target`, broadcast to that shape.

    Raises:
        ValueError: the shapes differ, or `reduction` is none of the three.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_meant(size_average, reduce)
    return _nn.binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)


def reduction_meant(size_average: bool | None, reduce: bool | None) -> str:
    """The `reduction` that the two arguments it has replaced stand for; both default to true."""
    if reduce is False:
        reduction = "none"
    elif size_average is False:
        reduction = "sum"
    else:
        reduction = "mean"
    warnings.warn(f"size_average and reduce are deprecated: write reduction={reduction!r}", stacklevel=3)
    return reduction


def _warn_of_broadcast(function: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        warnings.warn(
            f"{function}: the input of size {tuple(input.shape)} and the target of size {tuple(target.shape)} are "
            "broadcast, which is seldom meant",
            stacklevel=3,
        )


def _implicit_dimension(function: str, dimensions: int, stacklevel: int) -> int:
    dim = 0 if dimensions in (0, 1, 3) else 1
    warnings.warn(
        f"leaving out the dimension of {function} is deprecated: write dim={dim}",
        stacklevel=stacklevel,
    )
    return dim


# Of tensors with a `__torch_function__`, each function is asked for as a whole.
for _name in __all__:
    if isinstance(globals()[_name], FunctionType):
        globals()[_name] = _overridable(globals()[_name])
