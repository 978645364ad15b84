"""Linear maps and the batch normalisations behind them as one, for evaluation."""

from __future__ import annotations

import copy

import rgrad
from rgrad.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what `conv` and then the batch normalisation `bn` do in evaluation.

    Args:
        conv: the convolution, in evaluation mode.
        bn: the normalisation, in evaluation mode and with running statistics.
        transpose: whether the convolution is a transposed one.

    Raises:
        AssertionError: one of them is in training mode, or there are no running statistics.
    """
    fused = _copy_for_evaluation(conv, bn)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the fused convolution, for those of a convolution and of a normalisation."""
    factor, bias = _fused(conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    sizes = [1] * conv_w.dim()
    sizes[1 if transpose else 0] = -1
    return _like(conv_w * factor.reshape(sizes), conv_w), _like(bias, conv_w if conv_b is None else conv_b)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that does what `linear` and then the batch normalisation `bn` do in evaluation.

    Raises:
        AssertionError: one of them is in training mode, there are no running statistics, or the normalisation is
            neither of as many features as the layer gives nor of one.
    """
    fused = _copy_for_evaluation(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            f"fuse_linear_bn_eval: {linear.out_features} features cannot be normalised as {bn.num_features}"
        )
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the fused linear layer, for those of a layer and of a normalisation."""
    factor, bias = _fused(linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    return _like(linear_w * factor.unsqueeze(-1), linear_w), _like(bias, linear_w if linear_b is None else linear_b)


def _copy_for_evaluation(layer: Any, bn: Any) -> Any:
    if layer.training or bn.training:
        raise AssertionError("layer and normalisation have to be in evaluation mode to be fused")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("a normalisation without running statistics cannot be fused")
    return copy.deepcopy(layer)


def _fused(
    bias: Tensor | None, mean: Tensor, variance: Tensor, eps: float, weight: Tensor | None, shift: Tensor | None
) -> tuple[Tensor, Tensor]:
    """What the weights are multiplied by, and the new bias."""
    factor = (variance + eps).rsqrt()
    if weight is not None:
        factor = factor * weight
    moved = -mean if bias is None else bias - mean
    fused = moved * factor
    return factor, fused if shift is None else fused + shift


def _like(values: Tensor, replaced: Tensor) -> Parameter:
    with rgrad.no_grad():
        return Parameter(values.detach().to(replaced.dtype), replaced.requires_grad)
