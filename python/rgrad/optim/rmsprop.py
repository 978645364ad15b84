"""RMSprop, which scales each entry's step by a running mean of its squared gradient."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_lr, check_not_negative
from rgrad.optim.stepwise import StepwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["RMSprop"]


class RMSprop(StepwiseOptimizer):
    """RMSprop (Hinton, "Neural networks for machine learning", lecture 6, 2012).

    With the gradient `g` of a parameter `p`, each step computes

        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g**2
        m = alpha * m + (1 - alpha) * g                only if centered
        d = sqrt(v - m**2) + eps   if centered, otherwise   d = sqrt(v) + eps
        b = momentum * b + g / d
        p = p - lr * b

    Graves, "Generating sequences with recurrent neural networks" (2013), has the centred kind.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        alpha: the part of the running means that is kept.
        eps: what keeps the divisor from being zero.
        weight_decay: the factor of the parameter that is added to its gradient.
        momentum: the part of the previous step that is kept.
        centered: whether the variance of the gradient takes the place of its mean square.
        capturable: accepted; it has no meaning on a CPU.
        foreach: accepted; all ways of taking a step are one here.
        maximize: whether the sign of the gradient is turned first.
        differentiable: whether the step is recorded by autograd.

    Raises:
        ValueError: an option is out of its range, or `lr` has several elements.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("eps", eps)
        check_not_negative("momentum", momentum)
        check_not_negative("weight_decay", weight_decay)
        check_not_negative("alpha", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["square_avg"] = rgrad.zeros_like(parameter)
        if group["momentum"] > 0:
            state["momentum_buffer"] = rgrad.zeros_like(parameter)
        if group["centered"]:
            state["grad_avg"] = rgrad.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        alpha, lr = group["alpha"], float(group["lr"])
        square_mean = state["square_avg"]
        square_mean.mul_(alpha).addcmul_(gradient, gradient, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            mean.mul_(alpha).add_(gradient, alpha=1 - alpha)
            divisor = square_mean.addcmul(mean, mean, value=-1).sqrt() + group["eps"]
        else:
            divisor = square_mean.sqrt() + group["eps"]
        if group["momentum"] > 0:
            buffer = state["momentum_buffer"]
            buffer.mul_(group["momentum"]).addcdiv_(gradient, divisor)
            parameter.add_(buffer, alpha=-lr)
        else:
            parameter.addcdiv_(gradient, divisor, value=-lr)
