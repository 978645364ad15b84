"""Adamax, which scales each entry's step by the largest of its decaying gradients."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_betas, check_lr, check_not_negative
from rgrad.optim.stepwise import StepwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["Adamax"]


class Adamax(StepwiseOptimizer):
    """Adamax: Adam with the infinity norm (Kingma and Ba, 2014), algorithm 2.

    With the gradient `g` of a parameter `p`, step number `t` computes

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        p = p - lr / (1 - beta1**t) * m / u

    The source gives the formulas without `eps` and weight decay.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        betas: the part of the running mean of the gradient that is kept, and the decay of its largest value.
        eps: what keeps the divisor from being zero.
        weight_decay: the factor of the parameter that is added to its gradient.
        foreach: accepted; all ways of taking a step are one here.
        maximize: whether the sign of the gradient is turned first.
        differentiable: whether the step is recorded by autograd.
        capturable: accepted; it has no meaning on a CPU.

    Raises:
        ValueError: an option is out of its range, or `lr` has several elements.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["exp_avg"] = rgrad.zeros_like(parameter)
        state["exp_inf"] = rgrad.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        beta1, beta2 = group["betas"]
        mean, largest = state["exp_avg"], state["exp_inf"]
        mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
        largest.copy_(rgrad.maximum(largest * beta2, gradient.abs() + group["eps"]))
        parameter.addcdiv_(mean, largest, value=-float(group["lr"]) / (1 - beta1**step))
