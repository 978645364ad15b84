"""Adadelta, whose steps need no learning rate."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_lr, check_not_negative
from rgrad.optim.stepwise import StepwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["Adadelta"]


class Adadelta(StepwiseOptimizer):
    """Adadelta: an adaptive learning rate method (Zeiler, 2012), algorithm 1.

    With the gradient `g` of a parameter `p`, each step computes

        g = g + weight_decay * p
        v = rho * v + (1 - rho) * g**2
        d = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho * u + (1 - rho) * d**2
        p = p - lr * d

    The source has no `lr`, which is 1 by default.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: a factor of the steps, a number or a tensor of one element.
        rho: the part of the running means that is kept.
        eps: what keeps the divisor from being zero.
        weight_decay: the factor of the parameter that is added to its gradient.
        foreach: accepted; all ways of taking a step are one here.
        capturable: accepted; it has no meaning on a CPU.
        maximize: whether the sign of the gradient is turned first.
        differentiable: whether the step is recorded by autograd.

    Raises:
        ValueError: an option is out of its range, or `lr` has several elements.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"rho must be between 0 and 1: {rho}")
        check_not_negative("eps", eps)
        check_not_negative("weight_decay", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["square_avg"] = rgrad.zeros_like(parameter)
        state["acc_delta"] = rgrad.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        rho, eps = group["rho"], group["eps"]
        square_mean, changes = state["square_avg"], state["acc_delta"]
        square_mean.mul_(rho).addcmul_(gradient, gradient, value=1 - rho)
        change = (changes + eps).sqrt() / (square_mean + eps).sqrt() * gradient
        changes.mul_(rho).addcmul_(change, change, value=1 - rho)
        parameter.add_(change, alpha=-float(group["lr"]))
