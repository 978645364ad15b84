"""Layers and losses as plain functions."""

from __future__ import annotations

import warnings
from types import FunctionType

from rgrad._rgrad import Tensor, _nn, _overridable, _store, cat, empty_like, stack, zeros_like
from rgrad.nn.losses import (
    cosine_embedding_loss,
    gaussian_nll_loss,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    poisson_nll_loss,
    smooth_l1_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from rgrad.nn.reduction import reduction_meant, warn_of_broadcast

from .functions.attention import multi_head_attention_forward
from .functions.embedding import embedding, embedding_bag
from .functions.helpers import (
    _canonical_mask as _canonical_mask,
)
from .functions.helpers import (
    _get_softmax_dim as _get_softmax_dim,
)
from .functions.helpers import (
    _in_projection as _in_projection,
)
from .functions.helpers import (
    _in_projection_packed as _in_projection_packed,
)
from .functions.helpers import (
    _none_or_dtype as _none_or_dtype,
)
from .functions.helpers import (
    _unpool_output_size as _unpool_output_size,
)
from .functions.helpers import (
    _verify_batch_size as _verify_batch_size,
)
from .functions.helpers import (
    _verify_spatial_size as _verify_spatial_size,
)
from .functions.helpers import (
    adaptive_max_pool1d_with_indices as adaptive_max_pool1d_with_indices,
)
from .functions.helpers import (
    adaptive_max_pool2d_with_indices as adaptive_max_pool2d_with_indices,
)
from .functions.helpers import (
    adaptive_max_pool3d_with_indices as adaptive_max_pool3d_with_indices,
)
from .functions.helpers import (
    fractional_max_pool2d_with_indices as fractional_max_pool2d_with_indices,
)
from .functions.helpers import (
    fractional_max_pool3d_with_indices as fractional_max_pool3d_with_indices,
)
from .functions.helpers import (
    max_pool1d_with_indices as max_pool1d_with_indices,
)
from .functions.helpers import (
    max_pool2d_with_indices as max_pool2d_with_indices,
)
from .functions.helpers import (
    max_pool3d_with_indices as max_pool3d_with_indices,
)
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

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "affine_grid",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "celu_",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "elu_",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "fold",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "grid_sample",
    "grouped_mm",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "linear_cross_entropy",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mish",
    "mse_loss",
    "multi_head_attention_forward",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rms_norm",
    "rrelu",
    "rrelu_",
    "scaled_dot_product_attention",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

linear = _nn.linear
dropout = _nn.dropout

# Activations, of which those that end in _ store their result in the input.
celu = _nn.celu
celu_ = _nn.celu_
elu = _nn.elu
elu_ = _nn.elu_
gelu = _nn.gelu
glu = _nn.glu
hardshrink = _nn.hardshrink
hardsigmoid = _nn.hardsigmoid
hardswish = _nn.hardswish
hardtanh = _nn.hardtanh
hardtanh_ = _nn.hardtanh_
leaky_relu = _nn.leaky_relu
leaky_relu_ = _nn.leaky_relu_
logsigmoid = _nn.logsigmoid
mish = _nn.mish
prelu = _nn.prelu
relu = _nn.relu
relu6 = _nn.relu6
relu_ = _nn.relu_
rrelu = _nn.rrelu
rrelu_ = _nn.rrelu_
selu = _nn.selu
selu_ = _nn.selu_
sigmoid = _nn.sigmoid
silu = _nn.silu
softplus = _nn.softplus
softshrink = _nn.softshrink
softsign = _nn.softsign
tanh = _nn.tanh
tanhshrink = _nn.tanhshrink
threshold = _nn.threshold
threshold_ = _nn.threshold_

# Vectors.
cosine_similarity = _nn.cosine_similarity
one_hot = _nn.one_hot
pairwise_distance = _nn.pairwise_distance
pdist = _nn.pdist

# Layers.
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


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """`softmax` of `-input`; arguments as there."""
    if dim is None:
        dim = _implicit_dimension("softmin", input.dim(), _stacklevel)
    return _nn.softmax(-input, dim, dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """Samples of categories as points near the corners of a simplex, differentiable in the unnormalized `logits`.

    E. Jang et al., "Categorical reparameterization with Gumbel-softmax", 2017.

    Args:
        logits: logarithms of unnormalized probabilities, of any shape.
        tau: the temperature: the lower, the nearer to a corner.
        hard: whether to give the corner itself, with the gradient of the point.
        eps: has no effect.
        dim: the dimension of the categories.
    """
    noise = -empty_like(logits).exponential_().log()
    soft = _nn.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    corner = zeros_like(logits).scatter_(dim, index, 1.0)
    return corner - soft.detach() + soft


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """`input` divided by its `p`-norm along `dim`, or by `eps` if that is larger.

    Args:
        input: a floating-point tensor of any shape.
        p: the norm.
        dim: the dimension of the vectors.
        eps: the least divisor.
        out: a tensor that gets the result.
    """
    return _store("normalize", _nn.normalize(input, p, dim, eps), out)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole rows of `(N, C, L)` or `(C, L)` set to 0 with probability `p`, the others divided by `1 - p`.

    Raises:
        ValueError: `p` is not from 0 to 1.
        RuntimeError: the input has another number of dimensions.
    """
    _check_probability("dropout1d", p)
    if input.dim() not in (2, 3):
        raise RuntimeError(f"dropout1d: (N, C, L) or (C, L) is needed, the input has {input.dim()} dimensions")
    return _drop_channels(input, p, training, inplace, single=input.dim() == 2)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole images of `(N, C, H, W)` set to 0 with probability `p`, the others divided by `1 - p`.

    Raises:
        ValueError: `p` is not from 0 to 1.
    """
    _check_probability("dropout2d", p)
    if input.dim() not in (3, 4):
        _warn_of_dimensions("dropout2d", input.dim())
    return _drop_channels(input, p, training, inplace, single=False)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole volumes of `(N, C, D, H, W)` or `(C, D, H, W)` set to 0 with probability `p`, others divided by `1 - p`.

    Raises:
        ValueError: `p` is not from 0 to 1.
    """
    _check_probability("dropout3d", p)
    if input.dim() not in (4, 5):
        _warn_of_dimensions("dropout3d", input.dim())
    return _drop_channels(input, p, training, inplace, single=input.dim() != 5)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout for `selu`, which keeps mean and variance: dropped entries get its limit, all are scaled and shifted.

    Raises:
        ValueError: `p` is not from 0 to 1.
    """
    _check_probability("alpha_dropout", p)
    return _nn.alpha_dropout(input, p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels, which the first two dimensions tell apart."""
    _check_probability("feature_alpha_dropout", p)
    return _nn.feature_alpha_dropout(input, p, training, inplace)


def _check_probability(function: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"{function}: the probability has to be from 0 to 1, got {p}")


def _warn_of_dimensions(function: str, dimensions: int) -> None:
    warnings.warn(f"{function} of a tensor of {dimensions} dimensions is deprecated: use dropout", stacklevel=3)


def _drop_channels(input: Tensor, p: float, training: bool, inplace: bool, single: bool) -> Tensor:
    """Dropout of channels; a single example gets a dimension before its own meanwhile."""
    result = _nn.feature_dropout(input.unsqueeze(0) if single else input, p, training, inplace)
    return result.squeeze(0) if single else result


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
    warn_of_broadcast("mse_loss", input, target)
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
    warn_of_broadcast("l1_loss", input, target)
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


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """`cross_entropy` of scores that a linear map gives.

    Args:
        input: what is mapped, of shape `(N, features)` or `(features)`.
        linear_weight: the map, of shape `(C, features)`, or `(C, d1, ..., features)` for scores `(N, C, d1, ...)`.
        target: as in `cross_entropy`.
        linear_bias: what is added to the scores, of the shape of the map without its features.
        weight: as in `cross_entropy`.
        reduction: as in `cross_entropy`.
        ignore_index: as in `cross_entropy`; -100 for class indices if it is not given.
        label_smoothing: as in `cross_entropy`.
        options: has no effect: the scores are computed as a whole.
    """
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    scores = _nn.linear(input, linear_weight.reshape(-1, linear_weight.shape[-1]), bias)
    scores = scores.reshape([*input.shape[:-1], *linear_weight.shape[:-1]])
    ignored = -100 if ignore_index is None else ignore_index
    return _nn.cross_entropy(scores, target, weight, ignored, reduction, label_smoothing)


def grouped_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    *,
    offs: Tensor | None = None,
    bias: Tensor | None = None,
    out_dtype: Any = None,
) -> Tensor:
    """Products of groups of rows or columns, each with a matrix of its own.

    Args:
        mat_a: matrices in the last two of three dimensions, or two dimensions of which one is cut into groups: the
            rows if `mat_b` has three dimensions, the columns if it has two.
        mat_b: the other factors; of two dimensions, its columns are cut if `mat_a` has three, its rows if it has two.
        offs: where each group ends, an int32 vector; what is behind the last one counts as 0.
        bias: what is added to each product.
        out_dtype: the dtype of the result, by default that of `mat_a`.

    Raises:
        RuntimeError: `offs` is missing where something is cut, or given where nothing is; or a dtype other than
            float32, bfloat16 and float16.
    """
    if str(mat_a.dtype).partition(".")[2] not in ("float32", "bfloat16", "float16"):
        raise RuntimeError(f"grouped_mm: float32, bfloat16 or float16 is expected, got {mat_a.dtype}")
    if (offs is None) != (mat_a.dim() == 3 and mat_b.dim() == 3):
        raise RuntimeError("grouped_mm: offs goes with a matrix that is cut into groups")
    if offs is None:
        result = mat_a.bmm(mat_b)
    else:
        ends = offs.tolist()
        parts = list(enumerate(zip([0, *ends[:-1]], ends)))
        if mat_a.dim() == 2 and mat_b.dim() == 2:
            result = stack([mat_a[:, i:j] @ mat_b[i:j] for _, (i, j) in parts])
        elif mat_a.dim() == 2:
            rows = [mat_a[i:j] @ mat_b[n] for n, (i, j) in parts]
            result = cat([*rows, mat_a.new_zeros(mat_a.shape[0] - ends[-1], mat_b.shape[-1])])
        else:
            columns = [mat_a[n] @ mat_b[:, i:j] for n, (i, j) in parts]
            result = cat([*columns, mat_b.new_zeros(mat_a.shape[1], mat_b.shape[1] - ends[-1])], 1)
    result = result if bias is None else result + bias
    return result if out_dtype is None else result.to(out_dtype)


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

if not TYPE_CHECKING:
    # Names that code made from PyTorch's takes from here; their homes are imported when one is asked for.
    _HOMES = {
        "rgrad.nn.modules.utils": ("_list_with_default", "_pair", "_quadruple", "_single", "_triple"),
        "rgrad.overrides": (
            "handle_torch_function",
            "has_torch_function",
            "has_torch_function_unary",
            "has_torch_function_variadic",
        ),
        "rgrad": ("native_channel_shuffle",),
    }

    def __getattr__(name):
        from importlib import import_module

        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        raise AttributeError(f"module 'rgrad.nn.functional' has no attribute '{name}'")
