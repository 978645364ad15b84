"""ASGD: gradient descent that averages its parameters."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_lr, check_not_negative
from rgrad.optim.stepwise import StepwiseOptimizer, count_of_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["ASGD"]


class ASGD(StepwiseOptimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky, 1992).

    With the gradient `g` of a parameter `p`, step number `t` computes

        g = g + weight_decay * p
        p = p - lambd * eta * p - eta * g
        average = average + mu * (p - average)
        eta = lr / (1 + lambd * lr * t)**alpha
        mu = 1 / max(1, t - t0)

    `eta` begins as `lr` and `mu` as 1; the average is `state[p]["ax"]`.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        lambd: how fast parameters decay and steps become smaller.
        alpha: the power by which they do.
        t0: the step from which on parameters are averaged.
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
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("weight_decay", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["eta"] = count_of_steps(float(group["lr"]))
        state["mu"] = count_of_steps(1.0)
        state["ax"] = rgrad.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        lambd, lr, average = group["lambd"], float(group["lr"]), state["ax"]
        eta, mu = state["eta"].item(), state["mu"].item()
        parameter.mul_(1 - lambd * eta)
        parameter.add_(gradient, alpha=-eta)
        if mu == 1:
            average.copy_(parameter)
        else:
            average.add_((parameter - average) * mu)
        state["eta"].fill_(lr / (1 + lambd * lr * step) ** group["alpha"])
        state["mu"].fill_(1 / max(1, step - group["t0"]))
