"""Adagrad, which scales each entry's step by all of its gradients so far."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_flags, check_lr, check_not_negative
from rgrad.optim.stepwise import StepwiseOptimizer, count_of_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["Adagrad"]


class Adagrad(StepwiseOptimizer):
    """Adagrad: adaptive subgradient methods for online learning (Duchi, Hazan and Singer, 2011).

    With the gradient `g` of a parameter `p`, step number `t` computes

        g = g + weight_decay * p
        s = s + g**2
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    The sums `s` are there from the beginning, also of parameters without a gradient.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        lr_decay: how fast the learning rate falls.
        weight_decay: the factor of the parameter that is added to its gradient.
        initial_accumulator_value: what the sums begin with.
        eps: what keeps the divisor from being zero.
        foreach: accepted; all ways of taking a step are one here.
        maximize: whether the sign of the gradient is turned first.
        differentiable: whether the step is recorded by autograd.
        fused: accepted, as `foreach` is.

    Raises:
        ValueError: an option is negative, or `lr` has several elements.
        RuntimeError: `fused` is given together with `foreach` or `differentiable`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative("lr_decay", lr_decay)
        check_not_negative("weight_decay", weight_decay)
        check_not_negative("initial_accumulator_value", initial_accumulator_value)
        check_not_negative("eps", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_flags(foreach, fused, differentiable)
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                state["step"] = count_of_steps()
                self._begin_state(state, parameter, group)

    def share_memory(self) -> None:
        """Do nothing: the memory of tensors is not shared between processes."""

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["sum"] = rgrad.full_like(parameter, group["initial_accumulator_value"], requires_grad=False)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        total = state["sum"]
        total.addcmul_(gradient, gradient, value=1)
        rate = float(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        parameter.addcdiv_(gradient, total.sqrt() + group["eps"], value=-rate)
