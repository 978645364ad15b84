"""Recurrent networks over whole sequences."""

from __future__ import annotations

import math
import numbers
import warnings

import rgrad
from rgrad.nn import init
from rgrad.nn.module import Module
from rgrad.nn.modules.rnn_cell import GRUCell, LSTMCell, RNNCell, RNNCellBase
from rgrad.nn.parameter import Parameter
from rgrad.nn.utils.rnn import PackedSequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

    States = tuple[Tensor, ...]

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

#: How many gates each kind has, which is how many times `hidden_size` the rows of its weights are.
_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What recurrent networks share.

    The parameters are first drawn uniformly between `-sqrt(1 / hidden_size)` and `sqrt(1 / hidden_size)`.

    Args:
        mode: `"LSTM"`, `"GRU"`, `"RNN_TANH"` or `"RNN_RELU"`.
        input_size: the size of the last dimension of the input.
        hidden_size: the size of the state.
        num_layers: the number of layers, each of which reads the output of the one before.
        bias: whether there are biases.
        batch_first: whether sequences are `(N, L, ...)` instead of `(L, N, ...)`.
        dropout: the probability of dropout between layers, in training.
        bidirectional: whether each layer reads the sequence backwards too.
        proj_size: the size that the state of an LSTM is projected to; 0 for no projection.
        device: where the parameters are.
        dtype: their dtype.

    Attributes:
        weight_ih_l0: the weights of the input in layer 0, of shape `(gates * hidden_size, input_size)`.
        weight_hh_l0: those of the state, of shape `(gates * hidden_size, hidden_size)`.
        bias_ih_l0: of shape `(gates * hidden_size)`; so is `bias_hh_l0`.
        weight_hr_l0: those of the projection, of shape `(proj_size, hidden_size)`, if there is one.

    The names of other layers end in their numbers, and of backward directions in `_reverse`.

    Raises:
        ValueError: `dropout` is no probability, a size is not positive or `proj_size` not below `hidden_size`.
        TypeError: a size is not an integer.
    """

    mode: str
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool
    proj_size: int

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._check_arguments(mode, hidden_size, num_layers, dropout, proj_size)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        rows = _GATES[mode] * hidden_size
        directions = 2 if bidirectional else 1
        for layer in range(num_layers):
            columns = input_size if layer == 0 else self._output_size * directions
            for suffix in ("", "_reverse")[:directions]:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, columns),
                    "weight_hh": (rows, self._output_size),
                }
                if bias:
                    shapes.update(bias_ih=(rows,), bias_hh=(rows,))
                if proj_size > 0:
                    shapes.update(weight_hr=(proj_size, hidden_size))
                names = [f"{kind}_l{layer}{suffix}" for kind in shapes]
                for name, shape in zip(names, shapes.values()):
                    setattr(self, name, Parameter(rgrad.empty(shape, device=device, dtype=dtype)))
                self._all_weights.append(names)
        self.reset_parameters()

    def _check_arguments(self, mode: str, hidden_size: int, num_layers: int, dropout: float, proj_size: int) -> None:
        name = type(self).__name__
        if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout has to be a probability between 0 and 1, not {dropout!r}")
        if dropout > 0 and num_layers == 1:
            warnings.warn(f"{name}: dropout acts between layers, of which there is only one", stacklevel=4)
        if not isinstance(hidden_size, int):
            raise TypeError(f"{name}: hidden_size has to be an integer, not {type(hidden_size).__name__}")
        if hidden_size <= 0:
            raise ValueError(f"{name}: hidden_size has to be positive, not {hidden_size}")
        if num_layers <= 0:
            raise ValueError(f"{name}: num_layers has to be positive, not {num_layers}")
        if proj_size < 0:
            raise ValueError(f"{name}: proj_size has to be positive, or 0 for no projection, not {proj_size}")
        if proj_size >= hidden_size:
            raise ValueError(f"{name}: proj_size={proj_size} has to be below hidden_size={hidden_size}")
        if mode not in _GATES:
            raise ValueError(f"no recurrent network {mode!r} is known")

    @property
    def _output_size(self) -> int:
        """The size of the state that is given out and read again."""
        return self.proj_size if self.proj_size > 0 else self.hidden_size

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing to do: only GPUs want the parameters in one piece."""

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise `ValueError` or `RuntimeError` unless `input` has the dtype, dimensions and size that are needed."""
        name = type(self).__name__
        dtype = getattr(self, self._all_weights[0][0]).dtype
        if input.dtype != dtype:
            raise ValueError(f"{name}: the input is of {input.dtype}, but the parameters are of {dtype}")
        dimensions = 2 if batch_sizes is not None else 3
        if input.dim() != dimensions:
            raise RuntimeError(f"{name}: an input of {dimensions} dimensions is needed, not {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"{name}: the last dimension of the input has to be input_size={self.input_size}, not {input.size(-1)}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape that a state has to have for that input."""
        return self._layers_and_batch(input, batch_sizes) + (self._output_size,)

    def _layers_and_batch(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int]:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = int(input.size(0 if self.batch_first else 1))
        return self.num_layers * (2 if self.bidirectional else 1), batch

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, ...], msg: str = "the state has to have shape {}, not {}"
    ) -> None:
        """Raise `RuntimeError` unless a state has that shape."""
        if tuple(hx.shape) != tuple(expected_hidden_size):
            raise RuntimeError(f"{type(self).__name__}: " + msg.format(expected_hidden_size, tuple(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise unless input and state go together and with this network."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its samples in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            shown += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            shown += f", num_layers={self.num_layers}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        if self.batch_first is not False:
            shown += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            shown += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            shown += f", bidirectional={self.bidirectional}"
        return shown

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)  # not yet in what older versions saved

    def _first_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        """Zeros for a state that is not given."""
        return input.new_zeros(self.get_expected_hidden_size(input, batch_sizes))

    def _each_state(self, function: Any, hx: Any) -> Any:
        """What `function` makes of the state, or of each of its tensors."""
        return function(hx)

    def _compute(self, input: Tensor, batch_sizes: Tensor | None, hx: Any) -> tuple[Tensor, Any]:
        """The output and the last state for sequences in step, or packed if there are `batch_sizes`."""
        function: Any = getattr(rgrad, self.mode.lower())
        options = (self._flat_weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        if batch_sizes is None:
            output, *states = function(input, hx, *options, self.batch_first)
        else:
            output, *states = function(input, batch_sizes, hx, *options)
        return output, states[0] if len(states) == 1 else tuple(states)

    def _run(self, input: Any, hx: Any) -> tuple[Any, Any]:
        """What `forward` gives, for states in order of the samples as the caller has them."""
        if isinstance(input, PackedSequence):
            data, batch_sizes, sorted_indices, unsorted_indices = input
            if hx is None:
                hx = self._first_state(data, batch_sizes)
            else:
                # The samples of a packed sequence are sorted by length, so those of the state have to be.
                hx = self.permute_hidden(hx, sorted_indices)
            self.check_forward_args(data, hx, batch_sizes)
            output, last = self._compute(data, batch_sizes, hx)
            packed = PackedSequence(output, batch_sizes, sorted_indices, unsorted_indices)
            return packed, self.permute_hidden(last, unsorted_indices)
        if input.dim() not in (2, 3):
            raise ValueError(f"{type(self).__name__}: an input of 2 or 3 dimensions is needed, not {input.dim()}")
        batched = input.dim() == 3
        at = 0 if self.batch_first else 1
        if not batched:
            input = input.unsqueeze(at)
        if hx is None:
            hx = self._first_state(input, None)
        else:
            self._each_state(lambda state: self._check_dimensions(state, batched), hx)
            if not batched:
                hx = self._each_state(lambda state: state.unsqueeze(1), hx)
        self.check_forward_args(input, hx, None)
        output, last = self._compute(input, None, hx)
        if not batched:
            return output.squeeze(at), self._each_state(lambda state: state.squeeze(1), last)
        return output, last

    def _check_dimensions(self, state: Tensor, batched: bool) -> None:
        if state.dim() != (3 if batched else 2):
            raise RuntimeError(
                f"{type(self).__name__}: with an input of {3 if batched else 2} dimensions goes a state of as many, "
                f"not of {state.dim()}"
            )


class RNN(RNNBase):
    """The recurrent network of Elman: the new state is `nonlinearity(W_ih x + b_ih + W_hh h + b_hh)`.

    Arguments are those of `RNNBase`, and `nonlinearity`: `"tanh"` or `"relu"`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        proj_size: int = 0,
    ) -> None:
        if proj_size > 0:
            raise ValueError("RNN: only an LSTM has a proj_size")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: the nonlinearity has to be 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """The last layer's states `(L, N, D * hidden_size)` and every layer's last, `(D * num_layers, N, hidden_size)`.

        Args:
            input: `(L, N, input_size)`, `(N, L, input_size)` if `batch_first`, `(L, input_size)`, or packed.
            hx: the first states, zeros if `None`.
        """
        return self._run(input, hx)


class GRU(RNNBase):
    """The gated recurrent unit: gates `r` and `z` and the new state `(1 - z) * n + z * h`.

    `n` is `tanh(W_in x + b_in + r * (W_hn h + b_hn))`; the rows of the weights are in the order `r`, `z`, `n`. Cho et
    al., "Learning phrase representations using RNN encoder-decoder" (2014). Arguments are those of `RNNBase`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        proj_size: int = 0,
    ) -> None:
        if proj_size > 0:
            raise ValueError("GRU: only an LSTM has a proj_size")
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """The last layer's states and every layer's last; shapes as those of `RNN`."""
        return self._run(input, hx)


class LSTM(RNNBase):
    """Long short-term memory: gates `i`, `f` and `o`, the new cell `f * c + i * g` and the new state `o * tanh(c)`.

    The rows of the weights are in the order `i`, `f`, `g`, `o`. Hochreiter and Schmidhuber, "Long short-term memory"
    (1997). Arguments are those of `RNNBase`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape that the cells have to have for that input."""
        return self._layers_and_batch(input, batch_sizes) + (self.hidden_size,)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise unless input, state and cells go together and with this network."""
        self.check_input(input, batch_sizes)
        state, cells = hidden
        self.check_hidden_size(state, self.get_expected_hidden_size(input, batch_sizes))
        self.check_hidden_size(
            cells, self.get_expected_cell_size(input, batch_sizes), "the cells have to have shape {}, not {}"
        )

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """State and cells with their samples in another order."""
        return hx if permutation is None else tuple(state.index_select(1, permutation) for state in hx)

    def _first_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        return (
            input.new_zeros(self.get_expected_hidden_size(input, batch_sizes)),
            input.new_zeros(self.get_expected_cell_size(input, batch_sizes)),
        )

    def _each_state(self, function: Any, hx: Any) -> Any:
        state, cells = hx
        return function(state), function(cells)

    def forward(self, input: Any, hx: States | None = None) -> tuple[Any, States]:
        """The last layer's states, and every layer's last state and cells; shapes as those of `RNN`.

        Args:
            input: as in `RNN`.
            hx: the first states and cells, zeros if `None`.
        """
        return self._run(input, hx)
