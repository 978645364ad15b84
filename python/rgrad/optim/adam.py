"""Adam, which scales each entry's step by running means of its gradient, and AdamW."""

# The native step. `_optim.adam_step(parameters, gradients, exp_avgs, exp_avg_sqs, max_exp_avg_sqs,
# steps, lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, amsgrad, maximize) -> None`
# updates all parameters of a group, in place and unrecorded, counting each parameter's version up:
#
#   parameters             list of tensors, of floating-point or complex dtypes
#   gradients              list of as many tensors, each of its parameter's shape and dtype
#   exp_avgs, exp_avg_sqs  lists as long, of tensors like the parameters, updated in place; zero
#                          before the first step
#   max_exp_avg_sqs        list of the same kind. Empty unless `amsgrad`.
#   steps                  list as long, of tensors of one element and of a floating-point dtype;
#                          each is counted up by one before it is used
#   lr, beta1, beta2, eps, weight_decay          floats
#   decoupled_weight_decay, amsgrad, maximize    bools

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor, _optim
from rgrad.optim import recorded
from rgrad.optim.optimizer import Optimizer, loss_of
from rgrad.optim.options import check_betas, check_flags, check_lr, check_not_negative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["Adam"]


class Adam(Optimizer):
    """Adam: a method for stochastic optimization (Kingma and Ba, 2014), algorithm 1.

    With the gradient `g` of a parameter `p`, step number `t` computes

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        p = p - lr / (1 - beta1**t) * m / (sqrt(v) / sqrt(1 - beta2**t) + eps)

    With `decoupled_weight_decay` the first line is `p = p - lr * weight_decay * p` instead, and
    with `amsgrad` the largest `v` so far takes the place of `v` in the last.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        betas: the parts of the running means of the gradient and of its square that are kept, both
            numbers or both tensors of one element.
        eps: what keeps the divisor from being zero.
        weight_decay: the factor of the parameter that is added to its gradient.
        amsgrad: whether to use the largest mean of squares so far. Reddi et al., "On the
            convergence of Adam and beyond" (2018).
        foreach: accepted; all parameters of a group are updated at once anyway.
        maximize: whether the sign of the gradient is turned first.
        capturable: accepted; it has no meaning on a CPU.
        differentiable: whether the step is recorded by autograd, which makes it slower.
        fused: accepted, as `foreach` is.
        decoupled_weight_decay: whether the parameter decays by itself, as in `AdamW`.

    Raises:
        ValueError: an option is out of its range, `lr` or a beta has several elements, or `lr` is a
            tensor with `foreach` but not `capturable`.
        RuntimeError: `fused` is given together with `foreach` or `differentiable`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_lr(lr)
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("with foreach, lr can only be a tensor if capturable is given too")
        check_not_negative("eps", eps)
        check_betas(betas)
        check_not_negative("weight_decay", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_flags(foreach, fused, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("amsgrad", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("capturable", False)
            group.setdefault("differentiable", False)
            group.setdefault("fused", None)
            group.setdefault("decoupled_weight_decay", False)
            for parameter in group["params"]:
                remembered = self.state.get(parameter)
                # Older states count the steps with a plain number.
                if remembered and not isinstance(remembered["step"], Tensor):
                    remembered["step"] = rgrad.tensor(float(remembered["step"]), dtype=rgrad.float32)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = loss_of(closure)
        for group in self.param_groups:
            self._step_group(group)
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        parameters: list[Tensor] = []
        gradients: list[Tensor] = []
        states: list[dict[str, Any]] = []
        amsgrad = group["amsgrad"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                _begin(state, parameter, amsgrad)
            parameters.append(parameter)
            gradients.append(gradient)
            states.append(state)
        if not parameters:
            return
        beta1, beta2 = group["betas"]
        step = recorded.adam_step if group["differentiable"] else _optim.adam_step
        step(
            parameters,
            gradients,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [state["max_exp_avg_sq"] for state in states] if amsgrad else [],
            [state["step"] for state in states],
            float(group["lr"]),
            float(beta1),
            float(beta2),
            float(group["eps"]),
            float(group["weight_decay"]),
            group["decoupled_weight_decay"],
            amsgrad,
            group["maximize"],
        )


def _begin(state: dict[str, Any], parameter: Tensor, amsgrad: bool) -> None:
    """What is remembered of a parameter before its first step."""
    # Saved states, here and in PyTorch, count the steps in a tensor of this dtype.
    state["step"] = rgrad.tensor(0.0, dtype=rgrad.float32)
    names = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    for name in names if amsgrad else names[:2]:
        state[name] = rgrad.zeros_like(parameter)
