"""Attention with several heads."""

from __future__ import annotations

import rgrad
from rgrad.nn import functional, init
from rgrad.nn.module import Module
from rgrad.nn.modules.linear import NonDynamicallyQuantizableLinear
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attends with each query to all keys, in `num_heads` subspaces at once, and combines the values so weighted.

    Vaswani et al., "Attention is all you need" (2017).

    Args:
        embed_dim: the size of the last dimension of queries and outputs, divisible by `num_heads`.
        num_heads: the number of heads.
        dropout: the probability with which a weight of attention is dropped in training.
        bias: whether the projections have biases.
        add_bias_kv: whether a learnt key and a learnt value are added to the sequence.
        add_zero_attn: whether a key and a value of zeros are added.
        kdim: the size of the last dimension of keys, `embed_dim` if `None`.
        vdim: that of values.
        batch_first: whether inputs and outputs are `(N, L, E)` instead of `(L, N, E)`.
        device: where the parameters are.
        dtype: their dtype.

    Attributes:
        in_proj_weight: the three input projections of shape `(3 * embed_dim, embed_dim)`; `None` if keys or values
            have a size of their own, and then `q_proj_weight`, `k_proj_weight` and `v_proj_weight` are there.
        in_proj_bias: of shape `(3 * embed_dim)`, or `None`.
        out_proj: the output projection, a `Linear`.
        bias_k: the learnt key, of shape `(1, 1, embed_dim)`, or `None`.
        bias_v: the learnt value, likewise.

    Raises:
        ValueError: `embed_dim` or `num_heads` is not positive.
        AssertionError: `embed_dim` cannot be divided by `num_heads`.
    """

    embed_dim: int
    num_heads: int
    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"MultiheadAttention: embed_dim and num_heads have to be positive, got {embed_dim} and {num_heads}"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(f"MultiheadAttention: embed_dim={embed_dim} cannot be divided among {num_heads} heads")

        def weights(*shape: int) -> Parameter:
            return Parameter(rgrad.empty(shape, device=device, dtype=dtype))

        separate = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        if self._qkv_same_embed_dim:
            self.in_proj_weight = weights(3 * embed_dim, embed_dim)
        for name, size in separate.items():
            self.register_parameter(name, None if self._qkv_same_embed_dim else weights(embed_dim, size))
        if not self._qkv_same_embed_dim:
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", weights(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        self.bias_k = weights(1, 1, embed_dim) if add_bias_kv else None
        self.bias_v = weights(1, 1, embed_dim) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the input projections and the learnt key and value; set the biases to zero."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            bias: Any = self.out_proj.bias
            init.constant_(bias, 0.0)
        for learnt in (self.bias_k, self.bias_v):
            if learnt is not None:
                init.xavier_normal_(learnt)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What older versions saved had one size for all.
        state.setdefault("_qkv_same_embed_dim", True)
        super().__setstate__(state)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The combined values and the weights of attention, or `None` for these if not `need_weights`.

        Args:
            query: of shape `(L, N, embed_dim)`, `(N, L, embed_dim)` if `batch_first`, or `(L, embed_dim)`.
            key: of shape `(S, N, kdim)` or likewise.
            value: of shape `(S, N, vdim)` or likewise.
            key_padding_mask: of shape `(N, S)` or `(S)`; true where a key is to be passed over, or floats to be added.
            need_weights: whether the weights are given.
            attn_mask: of shape `(L, S)` or `(N * num_heads, L, S)`; true where attention is not allowed, or floats.
            average_attn_weights: whether the weights given are the mean over the heads, of shape `(N, L, S)`; else
                `(N, num_heads, L, S)`.
            is_causal: whether `attn_mask` is known to be that of a causal model.
        """
        turned = self.batch_first and query.dim() == 3
        if turned:
            # What is one tensor remains one: projections of the same input are made at once.
            same = key is query, value is key
            query = query.transpose(1, 0)
            key = query if same[0] else key.transpose(1, 0)
            value = key if same[1] else value.transpose(1, 0)
        options: dict[str, Any] = {}
        if not self._qkv_same_embed_dim:
            options = {
                "use_separate_proj_weight": True,
                "q_proj_weight": self.q_proj_weight,
                "k_proj_weight": self.k_proj_weight,
                "v_proj_weight": self.v_proj_weight,
            }
        output, attention = functional.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            **options,
        )
        return (output.transpose(1, 0) if turned else output), attention
