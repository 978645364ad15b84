"""Stochastic gradient descent, with momentum."""

# The native step. `_optim.sgd_step(parameters, gradients, momentum_buffers, lr, momentum,
# dampening, weight_decay, nesterov, maximize) -> None` updates all parameters of a group, in
# place and unrecorded, counting each parameter's version up:
#
#   parameters        list of tensors, of floating-point or complex dtypes
#   gradients         list of as many tensors, each of its parameter's shape and dtype; unchanged
#   momentum_buffers  list as long, of tensors like the parameters, updated in place. Where an entry
#                     is None, the buffer begins as the gradient, weight decay and sign included,
#                     and the new tensor is stored in the list. Empty if `momentum` is 0.
#   lr, momentum, dampening, weight_decay    floats
#   nesterov, maximize                       bools

from __future__ import annotations

from rgrad._rgrad import Tensor, _optim
from rgrad.optim import recorded
from rgrad.optim.optimizer import Optimizer, loss_of
from rgrad.optim.options import check_flags, check_lr, check_not_negative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent.

    With the gradient `g` of a parameter `p`, each step computes

        g = g + weight_decay * p
        b = momentum * b + (1 - dampening) * g        (b = g in the first step)
        g = g + momentum * b   with nesterov, otherwise   g = b
        p = p - lr * g

    leaving out the lines whose factor is zero. Sutskever et al., "On the importance of
    initialization and momentum in deep learning" (2013), describes both kinds of momentum.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        momentum: the part of the previous buffer that is kept.
        dampening: the part of the gradient that does not enter the buffer.
        weight_decay: the factor of the parameter that is added to its gradient.
        nesterov: whether the step looks ahead along the buffer.
        maximize: whether the sign of the gradient is turned first.
        foreach: accepted; all parameters of a group are updated at once anyway.
        differentiable: whether the step is recorded by autograd, which makes it slower.
        fused: accepted, as `foreach` is.

    Raises:
        ValueError: an option is negative, `lr` has several elements, or `nesterov` is given without
            momentum or with dampening.
        RuntimeError: `fused` is given together with `foreach` or `differentiable`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative("momentum", momentum)
        check_not_negative("weight_decay", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("nesterov needs a momentum above zero and no dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_flags(foreach, fused, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("differentiable", False)
            group.setdefault("fused", False)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = loss_of(closure)
        for group in self.param_groups:
            self._step_group(group)
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        parameters: list[Tensor] = []
        gradients: list[Tensor] = []
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is not None:
                parameters.append(parameter)
                gradients.append(gradient)
        if not parameters:
            return
        momentum = float(group["momentum"])
        states = [self.state[parameter] for parameter in parameters] if momentum else []
        buffers = [state.get("momentum_buffer") for state in states]
        new = [position for position, buffer in enumerate(buffers) if buffer is None]
        step = recorded.sgd_step if group["differentiable"] else _optim.sgd_step
        step(
            parameters,
            gradients,
            buffers,
            float(group["lr"]),
            momentum,
            float(group["dampening"]),
            float(group["weight_decay"]),
            group["nesterov"],
            group["maximize"],
        )
        for position in new:
            states[position]["momentum_buffer"] = buffers[position]
