"""Convolutions and their transposes, in one to three dimensions."""

from __future__ import annotations

import math

import rgrad
from rgrad.nn import functional, init
from rgrad.nn.module import Module
from rgrad.nn.modules.utils import _ntuple, _reverse_repeat_tuple
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What convolutions of any number of dimensions share; sizes are tuples with an entry for each dimension.

    Weight and bias are first drawn uniformly between `-sqrt(1 / fan_in)` and `sqrt(1 / fan_in)`.

    Raises:
        ValueError: `groups` is not positive or divides one of the numbers of channels with a remainder, `padding` is a
            string other than `"same"` and `"valid"`, or `"same"` with strides, or `padding_mode` is unknown.
    """

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Any
    dilation: tuple[int, ...]
    transposed: bool
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError(f"the number of groups has to be positive, not {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups != 0:
                raise ValueError(f"{name}={channels} cannot be split into {groups} groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"padding has to be numbers, 'same' or 'valid', not {padding!r}")
            if padding == "same" and any(step != 1 for step in stride):
                raise ValueError(f"padding='same' goes with strides of 1 only, not {stride}")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode has to be one of {_PADDING_MODES}, not {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = self._padding_from_last()
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (first, second // groups, *kernel_size)
        self.weight = Parameter(rgrad.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(rgrad.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _padding_from_last(self) -> Sequence[int]:
        """The padding on both sides as `functional.pad` takes it: the last dimension comes first."""
        if not isinstance(self.padding, str):
            return _reverse_repeat_tuple(self.padding, 2)
        sides: list[int] = []
        for step, size in zip(reversed(self.dilation), reversed(self.kernel_size)):
            total = step * (size - 1) if self.padding == "same" else 0
            sides += [total // 2, total - total // 2]
        return sides

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        # With a = sqrt(5) the bound sqrt(6 / ((1 + a**2) * fan_in)) is sqrt(1 / fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        ones, zeros = (1,) * len(self.kernel_size), (0,) * len(self.kernel_size)
        shown = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != zeros:
            shown += f", padding={self.padding}"
        if self.dilation != ones:
            shown += f", dilation={self.dilation}"
        if self.output_padding != zeros:
            shown += f", output_padding={self.output_padding}"
        if self.groups != 1:
            shown += f", groups={self.groups}"
        if self.bias is None:
            shown += ", bias=False"
        if self.padding_mode != "zeros":
            shown += f", padding_mode={self.padding_mode}"
        return shown

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")  # not yet in what older versions saved

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """The input and the padding to convolve it with: none if what it is padded with is not zeros."""
        if self.padding_mode == "zeros":
            return input, self.padding
        padded = functional.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        return padded, (0,) * len(self.kernel_size)


class _Conv(_ConvNd):
    """What convolutions that are no transposes share: their arguments."""

    _dimensions: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        of_each = _ntuple(self._dimensions)
        super().__init__(
            in_channels,
            out_channels,
            of_each(kernel_size),
            of_each(stride),
            padding if isinstance(padding, str) else of_each(padding),
            of_each(dilation),
            False,
            of_each(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Convolves `(N, C_in, L)` or `(C_in, L)` with `out_channels` kernels.

    Args:
        in_channels: the size of the channel dimension of the input.
        out_channels: that of the output.
        kernel_size: the length of a kernel.
        stride: the step from one window to the next.
        padding: how far the input is continued on both sides; `"valid"` for none, `"same"` for an output as long as
            the input.
        dilation: the distance of a window's entries.
        groups: channels are split into so many groups, each convolved for itself.
        bias: whether a number is added to each output channel.
        padding_mode: what the input is continued by: `"zeros"`, `"reflect"`, `"replicate"` or `"circular"`.
        device: where the parameters are.
        dtype: their dtype.

    Attributes:
        weight: of shape `(out_channels, in_channels / groups, kernel_size)`.
        bias: of shape `(out_channels)`, or `None`.
    """

    _dimensions = 1

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        input, padding = self._padded(input)
        return functional.conv1d(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Conv):
    """Convolves `(N, C_in, H, W)` or `(C_in, H, W)`; arguments as in `Conv1d`, sizes once or for each dimension."""

    _dimensions = 2

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        input, padding = self._padded(input)
        return functional.conv2d(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv3d(_Conv):
    """Convolves `(N, C_in, D, H, W)` or `(C_in, D, H, W)`; arguments as in `Conv2d`."""

    _dimensions = 3

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        input, padding = self._padded(input)
        return functional.conv3d(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class _ConvTransposeNd(_ConvNd):
    """What transposed convolutions share: they pad with zeros only, and may be asked for an output size."""

    _dimensions: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f"{type(self).__name__} pads with zeros only, not by {padding_mode!r}")
        of_each = _ntuple(self._dimensions)
        super().__init__(
            in_channels,
            out_channels,
            of_each(kernel_size),
            of_each(stride),
            of_each(padding),
            of_each(dilation),
            True,
            of_each(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(
        self,
        input: Tensor,
        output_size: Sequence[int] | None,
        stride: Sequence[int],
        padding: Sequence[int],
        kernel_size: Sequence[int],
        num_spatial_dims: int,
        dilation: Sequence[int] | None = None,
    ) -> Sequence[int]:
        """What has to be added at the ends for an output of `output_size`, given with or without the channels.

        Raises:
            ValueError: the number of sizes or one of them is impossible.
        """
        if output_size is None:
            return self.output_padding
        others = input.dim() - num_spatial_dims
        sizes = list(output_size)
        if len(sizes) == others + num_spatial_dims:
            sizes = sizes[others:]
        if len(sizes) != num_spatial_dims:
            raise ValueError(
                f"{type(self).__name__}: output_size has to have {num_spatial_dims} or {input.dim()} entries, "
                f"got {len(output_size)}"
            )
        steps = dilation if dilation is not None else (1,) * num_spatial_dims
        added = []
        for position, wanted in enumerate(sizes):
            least = (
                (input.shape[others + position] - 1) * stride[position]
                - 2 * padding[position]
                + steps[position] * (kernel_size[position] - 1)
                + 1
            )
            if not 0 <= wanted - least < stride[position]:
                raise ValueError(
                    f"{type(self).__name__}: the output size {wanted} in dimension {others + position} is impossible: "
                    f"it can be {least} to {least + stride[position] - 1}"
                )
            added.append(wanted - least)
        return added

    def _added(self, input: Tensor, output_size: Sequence[int] | None) -> Sequence[int]:
        """The output padding of this call."""
        if self.padding_mode != "zeros":
            raise ValueError(f"{type(self).__name__} pads with zeros only, not by {self.padding_mode!r}")
        return self._output_padding(
            input, output_size, self.stride, self.padding, self.kernel_size, self._dimensions, self.dilation
        )


class ConvTranspose1d(_ConvTransposeNd):
    """The transpose of `Conv1d` as a linear map, from `(N, C_in, L)` or `(C_in, L)`.

    `output_padding` lengthens the output at its end; `forward` takes an `output_size` in its place. Other arguments
    are as in `Conv1d`, whose input is the output here.

    Attributes:
        weight: of shape `(in_channels, out_channels / groups, kernel_size)`.
        bias: of shape `(out_channels)`, or `None`.
    """

    _dimensions = 1

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        added = self._added(input, output_size)
        return functional.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding, added, self.groups, self.dilation
        )


class ConvTranspose2d(_ConvTransposeNd):
    """The transpose of `Conv2d`; arguments as in `ConvTranspose1d`."""

    _dimensions = 2

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        added = self._added(input, output_size)
        return functional.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding, added, self.groups, self.dilation
        )


class ConvTranspose3d(_ConvTransposeNd):
    """The transpose of `Conv3d`; arguments as in `ConvTranspose1d`."""

    _dimensions = 3

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        added = self._added(input, output_size)
        return functional.conv_transpose3d(
            input, self.weight, self.bias, self.stride, self.padding, added, self.groups, self.dilation
        )
