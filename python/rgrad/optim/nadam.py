"""NAdam, which is Adam with Nesterov's momentum."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_betas, check_lr, check_not_negative
from rgrad.optim.stepwise import StepwiseOptimizer, count_of_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["NAdam"]


class NAdam(StepwiseOptimizer):
    """NAdam: incorporating Nesterov momentum into Adam (Dozat, 2016).

    With the gradient `g` of a parameter `p`, step number `t` computes

        g = g + weight_decay * p
        mu_t = beta1 * (1 - 0.96**(t * momentum_decay) / 2)
        product = product * mu_t
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        d = sqrt(v / (1 - beta2**t)) + eps
        p = p - lr * (1 - mu_t) / (1 - product) * g / d - lr * mu_(t+1) / (1 - product * mu_(t+1)) * m / d

    With `decoupled_weight_decay` the first line is `p = p - lr * weight_decay * p` instead.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        betas: the parts of the running means of the gradient and of its square that are kept.
        eps: what keeps the divisor from being zero.
        weight_decay: the factor of the parameter that is added to its gradient.
        momentum_decay: how fast the momentum comes near `beta1`.
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
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative("momentum_decay", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        state["mu_product"] = count_of_steps(1.0)
        state["exp_avg"] = rgrad.zeros_like(parameter)
        state["exp_avg_sq"] = rgrad.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        beta1, beta2 = group["betas"]
        mean, square_mean, lr = state["exp_avg"], state["exp_avg_sq"], float(group["lr"])
        now, then = (beta1 * (1 - 0.5 * 0.96 ** (count * group["momentum_decay"])) for count in (step, step + 1))
        state["mu_product"] *= now
        product = state["mu_product"].item()
        mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
        square_mean.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        divisor = (square_mean / (1 - beta2**step)).sqrt() + group["eps"]
        parameter.addcdiv_(gradient, divisor, value=-lr * (1 - now) / (1 - product))
        parameter.addcdiv_(mean, divisor, value=-lr * then / (1 - product * then))
