"""Recurrent networks step by step."""

from __future__ import annotations

import math

import rgrad
from rgrad.nn import init
from rgrad.nn.module import Module
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What cells share; the parameters are first drawn uniformly up to `sqrt(1 / hidden_size)` around zero.

    Args:
        input_size: the size of the last dimension of the input.
        hidden_size: the size of the state.
        bias: whether there are biases.
        num_chunks: how many times `hidden_size` the rows of the weights are.
        device: where the parameters are.
        dtype: their dtype.

    Attributes:
        weight_ih: the weights of the input, of shape `(num_chunks * hidden_size, input_size)`.
        weight_hh: those of the state, of shape `(num_chunks * hidden_size, hidden_size)`.
        bias_ih: of shape `(num_chunks * hidden_size)`, or `None`; so is `bias_hh`.
    """

    input_size: int
    hidden_size: int
    bias: bool
    weight_ih: Parameter
    weight_hh: Parameter

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(rgrad.empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(rgrad.empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(rgrad.empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            shown += f", nonlinearity={self.nonlinearity}"
        return shown

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _require_dimensions(self, what: str, tensor: Tensor) -> None:
        if tensor.dim() not in (1, 2):
            raise ValueError(f"{type(self).__name__}: {what} of 1 or 2 dimensions is needed, not {tensor.dim()}")

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _step(self, function: Any, input: Tensor, hx: Tensor | None) -> Tensor:
        """The new state by a function of batches."""
        self._require_dimensions("an input", input)
        if hx is not None:
            self._require_dimensions("a state", hx)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            hx = input.new_zeros((input.size(0), self.hidden_size))
        elif not batched:
            hx = hx.unsqueeze(0)
        state: Tensor = function(input, hx, *self._weights())
        return state if batched else state.squeeze(0)


class RNNCell(RNNCellBase):
    """One step of `RNN`, with its `nonlinearity`, `"tanh"` or `"relu"`."""

    nonlinearity: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The new state, `(N, hidden_size)` or `(hidden_size)`, for an input `(N, input_size)` or `(input_size)`.

        Raises:
            ValueError: input or state has another number of dimensions.
            RuntimeError: the nonlinearity is unknown.
        """
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"RNNCell: the nonlinearity has to be 'tanh' or 'relu', not {self.nonlinearity!r}")
        function = rgrad.rnn_tanh_cell if self.nonlinearity == "tanh" else rgrad.rnn_relu_cell
        return self._step(function, input, hx)


class GRUCell(RNNCellBase):
    """One step of `GRU`."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The new state; shapes and errors as in `RNNCell`."""
        return self._step(rgrad.gru_cell, input, hx)


class LSTMCell(RNNCellBase):
    """One step of `LSTM`."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """The new state and the new cells, each of shape `(N, hidden_size)` or `(hidden_size)`."""
        self._require_dimensions("an input", input)
        if hx is not None:
            for what, tensor in zip(("a state", "cells"), hx):
                self._require_dimensions(what, tensor)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            zeros = input.new_zeros((input.size(0), self.hidden_size))
            hx = (zeros, zeros)
        elif not batched:
            hx = (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        state, cells = rgrad.lstm_cell(input, hx, *self._weights())
        return (state, cells) if batched else (state.squeeze(0), cells.squeeze(0))
