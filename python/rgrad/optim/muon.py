"""Muon, which turns the momentum of a matrix into the nearest orthogonal one."""

from __future__ import annotations

from math import sqrt

import rgrad
from rgrad.autograd.grad_mode import no_grad
from rgrad.optim.optimizer import Optimizer, loss_of
from rgrad.optim.options import check_lr, check_not_negative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum orthogonalized by Newton-Schulz iterations (Jordan et al., 2024), for matrices.

    With the gradient `g` of a matrix `p`, each step computes

        b = momentum * b + (1 - momentum) * g
        u = (1 - momentum) * g + momentum * b    with nesterov, otherwise   u = b
        p = p - lr * weight_decay * p
        p = p - r * lr * orthogonal(u)

    Args:
        params: matrices, named or not, or groups of them; see `Optimizer`.
        lr: the learning rate.
        weight_decay: the part of the parameter that is taken away, as a factor of `lr`.
        momentum: the part of the previous buffer that is kept.
        nesterov: whether the step looks ahead along the buffer.
        ns_coefficients: those of `X`, `X X' X` and `X X' X X' X` in an iteration.
        eps: the least norm to divide by.
        ns_steps: the number of iterations, below 100.
        adjust_lr_fn: what `r` is for a matrix of `n` rows and `m` columns: `"original"`, the default,
            `sqrt(max(1, n / m))`; `"match_rms_adamw"`, `0.2 * sqrt(max(n, m))`.

    The iterations are done in the dtype of the parameter; PyTorch does them in bfloat16.

    Raises:
        ValueError: an option is out of its range, or a parameter is not a matrix.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative("momentum", momentum)
        check_not_negative("weight_decay", weight_decay)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"adjust_lr_fn must be 'original' or 'match_rms_adamw', not {adjust_lr_fn!r}")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.dim() != 2:
                    raise ValueError(f"Muon optimizes matrices, but a parameter has the sizes {tuple(parameter.shape)}")

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = loss_of(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_parameter(parameter, parameter.grad, group)
        return loss

    def _step_parameter(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, momentum, lr = self.state[parameter], group["momentum"], float(group["lr"])
        if not state:
            state["momentum_buffer"] = rgrad.zeros_like(gradient)
        buffer = state["momentum_buffer"]
        buffer.mul_(momentum).add_(gradient, alpha=1 - momentum)
        change = gradient * (1 - momentum) + buffer * momentum if group["nesterov"] else buffer
        change = orthogonalized(change, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = parameter.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            factor = 0.2 * sqrt(max(rows, columns))
        else:
            factor = sqrt(max(1, rows / columns))
        parameter.mul_(1 - lr * group["weight_decay"])
        parameter.add_(change, alpha=-lr * factor)


def orthogonalized(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """A matrix with the singular vectors of `matrix` and singular values near 1.

    Raises:
        ValueError: there are 100 steps or more, or not three coefficients.
    """
    if steps >= 100:
        raise ValueError(f"the number of iterations must be below 100, got {steps}")
    if len(coefficients) != 3:
        raise ValueError(f"three coefficients are needed, got {len(coefficients)}")
    linear, cubic, quintic = coefficients
    tall = matrix.size(0) > matrix.size(1)
    wide = matrix.t() if tall else matrix
    wide = wide / (wide * wide).sum().sqrt().clamp(min=eps)
    for _ in range(steps):
        gram = wide @ wide.t()
        wide = wide * linear + (gram * cubic + gram @ gram * quintic) @ wide
    return wide.t() if tall else wide
