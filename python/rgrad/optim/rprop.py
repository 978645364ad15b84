"""Rprop, which goes by the signs of gradients alone."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_lr
from rgrad.optim.stepwise import StepwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["Rprop"]


class Rprop(StepwiseOptimizer):
    """Resilient backpropagation (Riedmiller and Braun, 1993).

    With the gradient `g` of a parameter `p` and that of the step before, `h`, each step computes entry by entry

        s = min(s * etaplus, largest)          if g * h > 0
        s = max(s * etaminus, smallest)        if g * h < 0, and then g = 0
        p = p - s * sign(g)

    The step sizes `s` begin as `lr`.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        etas: the factors `etaminus` and `etaplus` of a step size, below and above 1.
        step_sizes: the smallest and the largest step size.
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
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"the etas must be between 0 and 1, and above 1: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["prev"] = rgrad.zeros_like(parameter)
        state["step_size"] = rgrad.full_like(parameter, float(group["lr"]))

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        slower, faster = group["etas"]
        smallest, largest = group["step_sizes"]
        before, size = state["prev"], state["step_size"]
        agreement = gradient * before
        back = agreement < 0
        factor = rgrad.ones_like(gradient).masked_fill(agreement > 0, faster).masked_fill(back, slower)
        size.mul_(factor).clamp_(smallest, largest)
        gradient = gradient.masked_fill(back, 0)
        parameter.addcmul_(gradient.sign(), size, value=-1)
        before.copy_(gradient)
