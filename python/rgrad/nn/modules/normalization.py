"""Normalisation within a sample: of layers, groups of channels and neighbouring channels."""

from __future__ import annotations

from numbers import Integral

import rgrad
from rgrad.nn import functional, init
from rgrad.nn.module import Module
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class LocalResponseNorm(Module):
    """Divides each entry by a power of the squares of `size` neighbouring channels, `(k + alpha * mean)**beta`.

    Krizhevsky et al., "ImageNet classification with deep convolutional neural networks" (2012).
    """

    size: int
    alpha: float
    beta: float
    k: float

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """`LocalResponseNorm` of images `(N, C, H, W)` with other windows: of odd sizes, and with the first channel."""

    size: int
    alpha: float
    beta: float
    k: float

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        # A window reaches equally far on both sides, and the first channel, as in PyTorch, is in every one.
        half = (self.size - 1) // 2
        squares = input.pow(2)
        sums = []
        for channel in range(input.shape[1]):
            start = max(channel - half, 0)
            window = squares[:, start : channel + half + 1].sum(1)
            sums.append(window if start == 0 else window + squares[:, 0])
        scale = rgrad.stack(sums, 1) * (self.alpha / self.size) + self.k
        return input * scale.pow(-self.beta)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class LayerNorm(Module):
    """Normalises the last dimensions to mean zero and variance one, then scales and moves each entry.

    Ba et al., "Layer normalization" (2016).

    Args:
        normalized_shape: the sizes of those dimensions; a number for the last alone.
        eps: added to the variance.
        elementwise_affine: whether entries are scaled and moved by parameters, first ones and zeros.
        bias: whether there is a parameter to move by.
        device: where the parameters are.
        dtype: their dtype.

    Attributes:
        weight: of shape `normalized_shape`, or `None`.
        bias: of shape `normalized_shape`, or `None`.
    """

    normalized_shape: tuple[int, ...]
    eps: float
    elementwise_affine: bool
    weight: Any
    bias: Any

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            entries = Parameter(rgrad.empty(self.normalized_shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, entries)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Neither scale nor move any more."""
        if self.elementwise_affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """Normalises each of `num_groups` groups of channels of each sample, then scales and moves each channel.

    Wu and He, "Group normalization" (2018).

    Args:
        num_groups: the number of groups.
        num_channels: the number of channels, the size of the second dimension.
        eps: added to the variance.
        affine: whether channels are scaled and moved by parameters, first ones and zeros.
        device: where the parameters are.
        dtype: their dtype.
        bias: whether there is a parameter to move by.

    Attributes:
        weight: of shape `(num_channels)`, or `None`.
        bias: of shape `(num_channels)`, or `None`.

    Raises:
        ValueError: the channels cannot be split into the groups.
    """

    num_groups: int
    num_channels: int
    eps: float
    affine: bool
    weight: Any
    bias: Any

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(f"GroupNorm: {num_channels} channels cannot be split into {num_groups} groups")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            values = Parameter(rgrad.empty(num_channels, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, values)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Neither scale nor move any more."""
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Divides by the root of the mean square over the last dimensions, then scales each entry.

    Zhang and Sennrich, "Root mean square layer normalization" (2019).

    Args:
        normalized_shape: the sizes of those dimensions; a number for the last alone.
        eps: added to the mean square; the machine's for the dtype if `None`.
        elementwise_affine: whether entries are scaled by a parameter, first ones.
        device: where the parameter is.
        dtype: its dtype.

    Attributes:
        weight: of shape `normalized_shape`, or `None`.
    """

    normalized_shape: tuple[int, ...]
    eps: float | None
    elementwise_affine: bool
    weight: Any

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        if elementwise_affine:
            self.weight = Parameter(rgrad.empty(self.normalized_shape, device=device, dtype=dtype))
        else:
            self.register_parameter("weight", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale no more."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _shape(sizes: Any) -> tuple[int, ...]:
    return (int(sizes),) if isinstance(sizes, Integral) else tuple(sizes)
