"""Affine layers."""

from __future__ import annotations

from math import sqrt

import rgrad
from rgrad.nn import functional, init
from rgrad.nn.module import Module
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["Identity", "Linear"]


class Identity(Module):
    """Returns its input; takes and ignores any arguments, to stand in for another layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """Maps `x` of shape `(..., in_features)` to `x @ weight.T + bias`, `(..., out_features)`.

    The entries of `weight` and `bias` are first drawn uniformly between `-sqrt(1 / in_features)`
    and `sqrt(1 / in_features)`.

    Args:
        in_features: the size of the last dimension of the input.
        out_features: the size of the last dimension of the output.
        bias: whether there is a bias.
        device: where the parameters are.
        dtype: their dtype, a floating-point or complex one.

    Attributes:
        weight: of shape `(out_features, in_features)`.
        bias: of shape `(out_features)`, or `None`.
    """

    in_features: int
    out_features: int
    weight: Parameter

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(rgrad.empty((out_features, in_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(rgrad.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        # With a = sqrt(5) the bound sqrt(6 / ((1 + a**2) * fan_in)) is sqrt(1 / fan_in).
        init.kaiming_uniform_(self.weight, a=sqrt(5))
        if self.bias is not None:
            bound = 1 / sqrt(self.in_features) if self.in_features > 0 else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
