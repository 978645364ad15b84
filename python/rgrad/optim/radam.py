"""RAdam, which is Adam once the variance of its steps can be estimated."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_betas, check_lr, check_not_negative
from rgrad.optim.stepwise import StepwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["RAdam"]


class RAdam(StepwiseOptimizer):
    """RAdam: on the variance of the adaptive learning rate and beyond (Liu et al., 2020), algorithm 2.

    With the gradient `g` of a parameter `p`, step number `t` computes

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        d = 2 / (1 - beta2) - 1
        r = d - 2 * t * beta2**t / (1 - beta2**t)
        p = p - lr / (1 - beta1**t) * m * f * sqrt(1 - beta2**t) / (sqrt(v) + eps)      if r > 5
        p = p - lr / (1 - beta1**t) * m                                                 otherwise

    where `f = sqrt((r - 4) * (r - 2) * d / ((d - 4) * (d - 2) * r))`.

    With `decoupled_weight_decay` the first line is `p = p - lr * weight_decay * p` instead.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        betas: the parts of the running means of the gradient and of its square that are kept.
        eps: what keeps the divisor from being zero.
        weight_decay: the factor of the parameter that is added to its gradient.
        decoupled_weight_decay: whether the parameter decays by itself.
        foreach: accepted; all ways of taking a step are one here.
        maximize: whether the sign of the gradient is turned first.
        capturable: accepted; it has no meaning on a CPU.
        differentiable: whether the step is recorded by autograd.

    Raises:
        ValueError: an option is out of its range, or `lr` has several elements.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("eps", eps)
        check_betas(betas)
        check_not_negative("weight_decay", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["exp_avg"] = rgrad.zeros_like(parameter)
        state["exp_avg_sq"] = rgrad.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        beta1, beta2 = group["betas"]
        mean, square_mean = state["exp_avg"], state["exp_avg_sq"]
        mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
        square_mean.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        kept = 1 - beta2**step
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * step * beta2**step / kept
        change = mean * (float(group["lr"]) / (1 - beta1**step))
        if length > 5:
            rectified = ((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)) ** 0.5
            change = change * (rectified * kept**0.5) / (square_mean.sqrt() + group["eps"])
        parameter.sub_(change)
