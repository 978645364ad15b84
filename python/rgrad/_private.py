"""Functions of the top level that PyTorch does not document and programs call all the same."""

from __future__ import annotations

import math

import rgrad
from rgrad import _rgrad
from rgrad._rgrad import Tensor, _nn
from rgrad._toplevel import norm_except_dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "_adaptive_avg_pool2d",
    "_adaptive_avg_pool3d",
    "_addmm_activation",
    "_aminmax",
    "_assert",
    "_batch_norm_with_update",
    "_chunk_cat",
    "_convolution",
    "_euclidean_dist",
    "_int_mm",
    "_is_all_true",
    "_is_any_true",
    "_log_softmax",
    "_log_softmax_backward_data",
    "_native_batch_norm_legit",
    "_pack_padded_sequence",
    "_pad_packed_sequence",
    "_prelu_kernel",
    "_safe_softmax",
    "_sample_dirichlet",
    "_shape_as_tensor",
    "_softmax",
    "_softmax_backward_data",
    "_stack",
    "_standard_gamma",
    "_trilinear",
    "_unique2",
    "_unsafe_index",
    "_unsafe_index_put",
    "_unsafe_masked_index",
    "_unsafe_masked_index_put_accumulate",
    "_upsample_bilinear2d_aa",
    "_weight_norm",
    "affine_grid_generator",
    "embedding_renorm_",
    "hash_tensor",
    "grid_sampler",
    "grid_sampler_2d",
    "grid_sampler_3d",
    "native_channel_shuffle",
    "native_group_norm",
    "sigmoid_backward",
    "tanh_backward",
    "threshold_backward",
]

_GRID_MODES = ("bilinear", "nearest", "bicubic")
_GRID_PADDINGS = ("zeros", "border", "reflection")


def _softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    """`softmax`, of 16-bit floats in single precision if `half_to_float`."""
    return _rgrad.softmax(input, dim, rgrad.float32 if half_to_float else None)


def _log_softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    """`log_softmax`, of 16-bit floats in single precision if `half_to_float`."""
    return _rgrad.log_softmax(input, dim, rgrad.float32 if half_to_float else None)


def _safe_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """`softmax` with 0 where all elements along the dimension are -inf."""
    result = _rgrad.softmax(input, dim, dtype)
    return result.masked_fill((input == -math.inf).all(dim, keepdim=True), 0)


def _softmax_backward_data(grad_output: Tensor, output: Tensor, dim: int, input_dtype: Any) -> Tensor:
    """The gradient of `softmax` from its result."""
    product = grad_output * output
    return (product - output * product.sum(dim, keepdim=True)).to(input_dtype)


def _log_softmax_backward_data(grad_output: Tensor, output: Tensor, dim: int, input_dtype: Any) -> Tensor:
    """The gradient of `log_softmax` from its result."""
    return (grad_output - output.exp() * grad_output.sum(dim, keepdim=True)).to(input_dtype)


def sigmoid_backward(grad_output: Tensor, output: Tensor) -> Tensor:
    """The gradient of `sigmoid` from its result."""
    return grad_output * ((1 - output) * output).conj()


def tanh_backward(grad_output: Tensor, output: Tensor) -> Tensor:
    """The gradient of `tanh` from its result."""
    return grad_output * (1 - output * output).conj()


def threshold_backward(grad_output: Tensor, input: Tensor, threshold: float) -> Tensor:
    """The gradient of `threshold`."""
    return grad_output.masked_fill(input <= threshold, 0)


def _aminmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """`aminmax`."""
    return _rgrad.aminmax(input, dim=dim, keepdim=keepdim)


def _is_all_true(input: Tensor) -> Tensor:
    """Whether all elements of a bool tensor are true."""
    return input.all()


def _is_any_true(input: Tensor) -> Tensor:
    """Whether some element of a bool tensor is true."""
    return input.any()


def _assert(condition: Any, message: str) -> None:
    """Raise AssertionError with the message unless the condition is true."""
    assert condition, message


def _shape_as_tensor(input: Tensor) -> Tensor:
    """The sizes of a tensor as an int64 vector."""
    return _rgrad.tensor(list(input.shape), dtype=rgrad.int64)


def _stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """`stack`."""
    return _rgrad.stack(tensors, dim)


def _unique2(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """`unique`, with empty tensors for what is not asked for."""
    values, inverse, counts = rgrad.unique(input, sorted, True, True)
    nothing = _rgrad.empty(0, dtype=rgrad.int64)
    return values, inverse if return_inverse or return_counts else nothing, counts if return_counts else nothing


def _int_mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of two int8 matrices in int32."""
    if input.dtype != rgrad.int8 or mat2.dtype != rgrad.int8:
        raise RuntimeError(f"_int_mm(): int8 matrices are expected, got {input.dtype} and {mat2.dtype}")
    return _rgrad._store("_int_mm", _rgrad.mm(input.int(), mat2.int()), out)


def _addmm_activation(
    input: Tensor,
    mat1: Tensor,
    mat2: Tensor,
    *,
    beta: Any = 1,
    alpha: Any = 1,
    use_gelu: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """`relu`, or `gelu`, of `addmm`."""
    result = _rgrad.addmm(input, mat1, mat2, beta=beta, alpha=alpha)
    return _rgrad._store("_addmm_activation", _nn.gelu(result) if use_gelu else result.relu(), out)


def _euclidean_dist(x1: Tensor, x2: Tensor) -> Tensor:
    """The distances of the rows of two matrices."""
    return _rgrad.cdist(x1, x2)


def _chunk_cat(tensors: Sequence[Tensor], dim: int, num_chunks: int, *, out: Tensor | None = None) -> Tensor:
    """Cut each tensor, filled up with zeros, into chunks along a dimension, and put those of each place side by side.

    The result has a dimension for the chunks in the place of `dim`, and behind it one for all that is in a chunk.
    """
    if num_chunks < 1 or not tensors:
        raise RuntimeError(f"_chunk_cat(): at least one chunk and one tensor are needed, got {num_chunks} chunks")
    dim %= tensors[0].dim()
    parts = []
    for tensor in tensors:
        missing = -tensor.shape[dim] % num_chunks
        filled = rgrad.cat([tensor, tensor.new_zeros([*tensor.shape[:dim], missing, *tensor.shape[dim + 1 :]])], dim)
        parts.append(filled.reshape([*tensor.shape[:dim], num_chunks, -1]))
    return _rgrad._store("_chunk_cat", rgrad.cat(parts, dim + 1), out)


def _unsafe_index(input: Tensor, indices: Any) -> Tensor:
    """The elements at some places; those without an index are taken whole."""
    return input[tuple(slice(None) if index is None else index for index in indices)]


def _unsafe_index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """`index_put`."""
    return input.index_put(tuple(indices), values, accumulate)


def _clamped(input: Tensor, indices: Any) -> list[Any]:
    return [
        None if index is None else index.clamp(-size, size - 1) if size else index
        for index, size in zip(indices, input.shape)
    ]


def _unsafe_masked_index(input: Tensor, mask: Tensor, indices: Any, fill: Any) -> Tensor:
    """The elements at some places, and `fill` where the mask is not true, whatever the place is there."""
    if input.numel() == 0:
        return _unsafe_index(input.new_zeros([max(size, 1) for size in input.shape]), indices).masked_fill(~mask, fill)
    return _unsafe_index(input, _clamped(input, indices)).masked_fill(~mask, fill)


def _unsafe_masked_index_put_accumulate(input: Tensor, mask: Tensor, indices: Any, values: Tensor) -> Tensor:
    """The input with values added at some places where the mask is true, whatever the place is elsewhere."""
    if input.numel() == 0:
        return input.clone()
    places = _clamped(input, indices)
    last = max(i for i, index in enumerate(places) if index is not None) + 1
    return input.index_put(tuple(places[:last]), values.masked_fill(~mask, 0), True)


def _trilinear(
    i1: Tensor,
    i2: Tensor,
    i3: Tensor,
    expand1: Sequence[int],
    expand2: Sequence[int],
    expand3: Sequence[int],
    sumdim: Sequence[int],
    unroll_dim: int = 1,
) -> Tensor:
    """The product of three tensors, each with new dimensions at some places, summed over others."""
    for d in sorted(expand1):
        i1 = i1.unsqueeze(d)
    for d in sorted(expand2):
        i2 = i2.unsqueeze(d)
    for d in sorted(expand3):
        i3 = i3.unsqueeze(d)
    product = i1 * i2 * i3
    return product.sum(tuple(sumdim)) if sumdim else product


def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    *switches: bool,
    **more: bool,
) -> Tensor:
    """`convolution`; switches of other devices have no effect."""
    return _rgrad.convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """`v` with the norms `g` over all dimensions but one."""
    return v * (g / norm_except_dim(v, 2, dim))


def _prelu_kernel(input: Tensor, weight: Tensor) -> Tensor:
    """`input` where it is positive, else times `weight`, which broadcasts."""
    return _rgrad.where(input > 0, input, weight * input)


def _adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """`nn.functional.adaptive_avg_pool2d`."""
    return _nn.adaptive_avg_pool2d(input, output_size)


def _adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """`nn.functional.adaptive_avg_pool3d`."""
    return _nn.adaptive_avg_pool3d(input, output_size)


def _upsample_bilinear2d_aa(
    input: Tensor, output_size: Any, align_corners: bool, scales_h: float | None = None, scales_w: float | None = None
) -> Tensor:
    """`nn.functional.interpolate` between elements with averages where the result is smaller."""
    factors = [] if scales_h is None or scales_w is None else [scales_h, scales_w]
    return _nn._upsample(input, "bilinear", list(output_size), align_corners, factors, True)


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """`nn.functional.affine_grid`."""
    return rgrad.nn.functional.affine_grid(theta, size, align_corners)


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`nn.functional.grid_sample`, with numbers for the modes."""
    return _nn.grid_sample(input, grid, _GRID_MODES[interpolation_mode], _GRID_PADDINGS[padding_mode], align_corners)


grid_sampler_2d = grid_sampler_3d = grid_sampler


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """`channel_shuffle`."""
    return _rgrad.channel_shuffle(input, groups)


def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`group_norm`, with the means and one divided by the standard deviations of the groups."""
    rows = input.detach().reshape(N, group, -1)
    mean = rows.mean(2)
    scale = (rows.var(2, correction=0) + eps).rsqrt()
    return _rgrad.group_norm(input, group, weight, bias, eps), mean, scale


def _native_batch_norm_legit(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, *rest: Any, **keywords: Any
) -> tuple[Tensor, Tensor, Tensor]:
    """`native_batch_norm`; without running statistics, these are left out."""
    names = ("running_mean", "running_var", "training", "momentum", "eps")
    statistics = "running_mean" in keywords or (bool(rest) and not isinstance(rest[0], bool))
    given = dict(zip(names if statistics else names[2:], rest), **keywords)
    return _rgrad.native_batch_norm(
        input,
        weight,
        bias,
        given.get("running_mean"),
        given.get("running_var"),
        given["training"],
        given["momentum"],
        given["eps"],
    )


def _batch_norm_with_update(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`native_batch_norm` in training, with an empty tensor behind its results."""
    results = _rgrad.native_batch_norm(input, weight, bias, running_mean, running_var, True, momentum, eps)
    return (*results, _rgrad.empty(0, dtype=rgrad.uint8))


def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Shorten the rows that are named to the norm `max_norm`, in place."""
    with rgrad.no_grad():
        rows = indices.reshape(-1).unique()
        chosen = input[rows]
        length = chosen.norm(norm_type, 1, keepdim=True)
        input[rows] = _rgrad.where(length > max_norm, chosen * (max_norm / (length + 1e-7)), chosen)
    return input


def hash_tensor(input: Tensor, dim: Any = (), *, keepdim: bool = False, mode: int = 0) -> Tensor:
    """The bits of the elements, as float64 or int64, joined by exclusive or over dimensions; a uint64 tensor.

    Args:
        dim: the dimensions to reduce, by default all.
        keepdim: whether these stay, with size 1.
        mode: 0.

    Raises:
        RuntimeError: another mode.
    """
    if mode != 0:
        raise RuntimeError(f"hash_tensor(): the mode 0 is known, not {mode}")
    dims = [dim] if isinstance(dim, int) else list(dim)
    chosen = sorted(d % max(input.dim(), 1) for d in dims) or list(range(input.dim()))
    if dims and any(input.shape[d] == 0 for d in chosen):
        raise IndexError(f"hash_tensor(): there is nothing to reduce in a tensor of shape {list(input.shape)}")
    floating = input.is_floating_point()
    bits = input.detach().to(rgrad.float64).view(rgrad.int64) if floating else input.to(rgrad.int64)
    rest = [d for d in range(input.dim()) if d not in chosen]
    bits = bits.permute([*rest, *chosen]).reshape([*(input.shape[d] for d in rest), -1])
    while bits.shape[-1] > 1:
        half = bits.shape[-1] // 2
        joined = bits[..., :half] ^ bits[..., half : 2 * half]
        bits = rgrad.cat([joined, bits[..., 2 * half :]], -1)
    result = bits[..., 0] if bits.shape[-1] else bits.new_zeros(bits.shape[:-1])
    if keepdim:
        result = result.reshape([1 if d in chosen else size for d, size in enumerate(input.shape)])
    return result.contiguous().view(rgrad.uint64)


def _standard_gamma(input: Tensor, generator: Any = None) -> Tensor:
    """Gamma numbers of rate 1 with the shapes in `input`, differentiable in these without a `generator`."""
    from rgrad.distributions.gamma import _StandardGamma

    if generator is not None:
        return _rgrad._standard_gamma(input, generator)
    return _StandardGamma.apply(input)  # type: ignore[no-any-return]


def _sample_dirichlet(input: Tensor, generator: Any = None) -> Tensor:
    """Rows of Dirichlet numbers with the concentrations in `input`."""
    return _rgrad._sample_dirichlet(input, generator)


def _pack_padded_sequence(input: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Tensor, Tensor]:
    """The steps of sequences of falling lengths, those of one time side by side, and how many there are each time."""
    packed = rgrad.nn.utils.rnn.pack_padded_sequence(input, lengths, batch_first)
    return packed.data, packed.batch_sizes


def _pad_packed_sequence(
    data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Tensor, Tensor]:
    """Sequences that were packed, filled up to one length, and their lengths."""
    packed = rgrad.nn.utils.rnn.PackedSequence(data, batch_sizes)
    total = total_length if total_length > 0 else None
    return rgrad.nn.utils.rnn.pad_packed_sequence(packed, batch_first, padding_value, total)


if not TYPE_CHECKING:
    for _name in __all__:
        globals()[_name] = _rgrad._overridable(globals()[_name])
