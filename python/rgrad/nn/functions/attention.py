"""Attention with several heads."""

from __future__ import annotations

import math

from rgrad import _rgrad
from rgrad._rgrad import _nn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes: the output, and the weights of the attention if they are needed.

    A. Vaswani et al., "Attention is all you need", 2017.

    Args:
        query: of shape `(targets, batch, size)`, or `(targets, size)` for one example.
        key: of shape `(sources, batch, size)`, or without the batch.
        value: like `key`.
        embed_dim_to_check: what the size of the query has to be.
        num_heads: how many heads share the size.
        in_proj_weight: the weights that make query, key and value of theirs, one below the other.
        in_proj_bias: the biases that go with them.
        bias_k: a key that is put behind the others, of shape `(1, 1, size)`.
        bias_v: a value that is put behind the others.
        add_zero_attn: whether a key and a value of zeros are put behind the others.
        dropout_p: the part of the weights that is dropped in training.
        out_proj_weight: the weight that makes the output.
        out_proj_bias: its bias.
        training: whether weights are dropped.
        key_padding_mask: which keys do not count, `(batch, sources)`, or a float mask that is added.
        need_weights: whether the weights are returned.
        attn_mask: which pairs do not count, `(targets, sources)` or `(batch * heads, targets, sources)`, or floats.
        use_separate_proj_weight: whether the three weights are given apart:
        q_proj_weight: that of the query,
        k_proj_weight: of the key,
        v_proj_weight: of the value.
        static_k: keys that are used as they are, of shape `(batch * heads, sources, size / heads)`.
        static_v: values that are used as they are.
        average_attn_weights: whether the returned weights are the mean over heads.
        is_causal: a promise that `attn_mask` hides what comes later; it has to be given all the same.

    Raises:
        AssertionError: shapes do not fit.
        RuntimeError: `attn_mask` has the wrong shape, or `is_causal` is given without it.
    """
    batched = _checked_batch(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = (tensor.unsqueeze(1) for tensor in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    targets, batch, size = query.shape
    sources = key.shape[0]
    head = size // num_heads
    _assert(size == embed_dim_to_check, f"the query has size {size}, {embed_dim_to_check} was expected")
    _assert(head * num_heads == size, f"{num_heads} heads cannot share a size of {size}")
    if is_causal and attn_mask is None:
        raise RuntimeError("multi_head_attention_forward: is_causal is a promise about attn_mask, which is missing")
    key_padding_mask = _added(key_padding_mask, "key_padding_mask", query)
    attn_mask = _added(attn_mask, "attn_mask", query)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        is_causal = False

    if use_separate_proj_weight:
        _assert(key.shape[:2] == value.shape[:2], f"key {tuple(key.shape)} and value {tuple(value.shape)} do not fit")
        for name, weight in (("q", q_proj_weight), ("k", k_proj_weight), ("v", v_proj_weight)):
            _assert(weight is not None, f"{name}_proj_weight is missing")
        maps: tuple[Any, ...] = (q_proj_weight, k_proj_weight, v_proj_weight)
    else:
        _assert(key.shape == value.shape, f"key {tuple(key.shape)} and value {tuple(value.shape)} do not fit")
        if in_proj_weight is None:
            raise AssertionError("multi_head_attention_forward: in_proj_weight is missing")
        maps = in_proj_weight.chunk(3)
    biases: tuple[Any, ...] = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
    q, k, v = (_nn.linear(x, w, b) for x, w, b in zip((query, key, value), maps, biases, strict=True))

    if attn_mask is not None:
        shape = (targets, sources) if attn_mask.dim() == 2 else (batch * num_heads, targets, sources)
        if attn_mask.dim() not in (2, 3) or tuple(attn_mask.shape) != shape:
            raise RuntimeError(
                f"multi_head_attention_forward: attn_mask has shape {tuple(attn_mask.shape)}, {shape} was expected"
            )
        attn_mask = attn_mask.unsqueeze(0) if attn_mask.dim() == 2 else attn_mask

    if bias_k is not None and bias_v is not None:
        _assert(static_k is None and static_v is None, "a bias cannot be added to static keys and values")
        k = _rgrad.cat([k, bias_k.expand(1, batch, size)])
        v = _rgrad.cat([v, bias_v.expand(1, batch, size)])
        attn_mask, key_padding_mask = _widened(attn_mask), _widened(key_padding_mask)
    else:
        _assert(bias_k is None and bias_v is None, "bias_k and bias_v go together")

    def by_heads(tensor: Tensor) -> Tensor:
        return tensor.reshape(tensor.shape[0], batch * num_heads, head).transpose(0, 1)

    q = by_heads(q)
    k = by_heads(k) if static_k is None else _checked_static("static_k", static_k, batch * num_heads, head)
    v = by_heads(v) if static_v is None else _checked_static("static_v", static_v, batch * num_heads, head)
    if add_zero_attn:
        zeros = _rgrad.zeros(batch * num_heads, 1, head, dtype=k.dtype)
        k, v = _rgrad.cat([k, zeros], 1), _rgrad.cat([v, zeros], 1)
        attn_mask, key_padding_mask = _widened(attn_mask), _widened(key_padding_mask)
    sources = k.shape[1]

    if key_padding_mask is not None:
        shape = (batch, sources)
        _assert(
            tuple(key_padding_mask.shape) == shape, f"key_padding_mask {tuple(key_padding_mask.shape)} is not {shape}"
        )
        padded = key_padding_mask.reshape(batch, 1, 1, sources).expand(batch, num_heads, 1, sources)
        padded = padded.reshape(batch * num_heads, 1, sources)
        attn_mask = padded if attn_mask is None else attn_mask + padded
    if not training:
        dropout_p = 0.0

    weights: Tensor | None = None
    if need_weights:
        scores = _rgrad.bmm(q * math.sqrt(1.0 / head), k.transpose(1, 2))
        if attn_mask is not None:
            scores = scores + attn_mask
        weights = _nn.softmax(scores, -1)
        if dropout_p > 0.0:
            weights = _nn.dropout(weights, dropout_p)
        output = _rgrad.bmm(weights, v)
        weights = weights.reshape(batch, num_heads, targets, sources)
        weights = weights.mean(1) if average_attn_weights else weights
    else:
        apart = (batch, num_heads)
        if attn_mask is not None:
            many = attn_mask.shape[0] != 1
            attn_mask = attn_mask.reshape(*apart, -1, sources) if many else attn_mask.unsqueeze(0)
        output = _nn.scaled_dot_product_attention(
            q.reshape(*apart, targets, head),
            k.reshape(*apart, sources, head),
            v.reshape(*apart, sources, head),
            attn_mask,
            dropout_p,
            is_causal,
        ).reshape(batch * num_heads, targets, head)
    output = output.transpose(0, 1).reshape(targets * batch, size)
    output = _nn.linear(output, out_proj_weight, out_proj_bias).reshape(targets, batch, -1)
    if not batched:
        output = output.squeeze(1)
        weights = None if weights is None else weights.squeeze(0)
    return output, weights


def _assert(fits: bool, message: str) -> None:
    if not fits:
        raise AssertionError(f"multi_head_attention_forward: {message}")


def _checked_batch(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Whether there is a batch; all tensors have to agree on that."""
    ndim = query.dim()
    _assert(ndim in (2, 3), f"a query of two or three dimensions is expected, got {ndim}")
    _assert(
        key.dim() == ndim and value.dim() == ndim,
        f"a query of {ndim} dimensions needs such keys and values, got {key.dim()} and {value.dim()}",
    )
    if key_padding_mask is not None:
        _assert(
            key_padding_mask.dim() == ndim - 1,
            f"key_padding_mask needs {ndim - 1} dimensions, it has {key_padding_mask.dim()}",
        )
    if attn_mask is not None:
        _assert(attn_mask.dim() in (2, 3), f"attn_mask needs two or three dimensions, it has {attn_mask.dim()}")
        if ndim == 2 and attn_mask.dim() == 3:
            shape = (num_heads, query.shape[0], key.shape[0])
            _assert(tuple(attn_mask.shape) == shape, f"attn_mask has shape {tuple(attn_mask.shape)}, not {shape}")
    return ndim == 3


def _added(mask: Tensor | None, name: str, query: Tensor) -> Tensor | None:
    """A mask as numbers to be added."""
    if mask is None:
        return None
    if mask.dtype == _rgrad.bool:
        return _rgrad.zeros(*mask.shape, dtype=query.dtype).masked_fill(mask, -math.inf)
    _assert(mask.is_floating_point(), f"{name} has to be of bool or a floating-point dtype, it is {mask.dtype}")
    return mask


def _widened(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else _nn.pad(mask, (0, 1))


def _checked_static(name: str, tensor: Tensor, rows: int, size: int) -> Tensor:
    fits = tensor.shape[0] == rows and tensor.shape[2] == size
    _assert(fits, f"{name} has shape {tuple(tensor.shape)}, ({rows}, sources, {size}) was expected")
    return tensor
