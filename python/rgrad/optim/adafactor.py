"""Adafactor, which remembers of a matrix of squared gradients only its rows' and its columns' means."""

from __future__ import annotations

import rgrad
from rgrad.optim.options import check_lr, check_not_negative
from rgrad.optim.stepwise import StepwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["Adafactor"]

_EPSILON = {rgrad.float32: 2.0**-23, rgrad.float64: 2.0**-52}


class Adafactor(StepwiseOptimizer):
    """Adafactor: adaptive learning rates with sublinear memory cost (Shazeer and Stern, 2018), algorithms 4 and 5.

    With the gradient `g` of a matrix `p`, step number `t` computes

        p = p - lr * weight_decay * p
        k = t**beta2_decay
        R = (1 - k) * R + k * mean of g**2 along rows
        C = (1 - k) * C + k * mean of g**2 along columns
        u = g / sqrt(R C / mean of R)
        p = p - max(eps2, rms(p)) * min(lr, 1 / sqrt(t)) * u / max(1, rms(u) / d)

    where `rms` is the square root of the mean square. Of a vector all of `v = (1 - k) * v + k * g**2` is remembered.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the largest learning rate, a number or a tensor of one element.
        beta2_decay: the power of the step number by which new squares count less, at most 0.
        eps: what keeps the mean of `R` from being zero, by default the dtype's precision, and the least scale of a
            parameter.
        d: the largest `rms` of a change.
        weight_decay: the part of the parameter that is taken away, as a factor of `lr`.
        foreach: accepted; all ways of taking a step are one here.
        maximize: whether the sign of the gradient is turned first.

    Raises:
        ValueError: an option is out of its range, or `lr` has several elements.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_lr(lr)
        if beta2_decay > 0:
            raise ValueError(f"beta2_decay must not be positive: {beta2_decay}")
        if eps[0] is not None:
            check_not_negative("the first eps", eps[0])
        check_not_negative("the second eps", eps[1])
        if d < 1:
            raise ValueError(f"d must be at least 1: {d}")
        check_not_negative("weight_decay", weight_decay)
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _step_parameter(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if parameter.is_complex():
            raise RuntimeError("Adafactor: rows and columns of complex parameters have no means of squares")
        super()._step_parameter(parameter, gradient, group)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        sizes = list(parameter.shape)
        if len(sizes) > 1:
            state["row_var"] = rgrad.zeros(*sizes[:-1], 1, dtype=parameter.dtype)
            state["col_var"] = rgrad.zeros(*sizes[:-2], 1, sizes[-1], dtype=parameter.dtype)
        else:
            state["variance"] = rgrad.zeros_like(parameter)

    def _decayed(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        return gradient  # the parameter decays once its scale is known

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        first, second = group["eps"]
        first = _EPSILON[parameter.dtype] if first is None else first
        new = step ** group["beta2_decay"]
        lr = float(group["lr"])
        rate = max(second, _root_mean_square(parameter)) * min(lr, step**-0.5)
        if group["weight_decay"]:
            parameter.mul_(1 - lr * group["weight_decay"])
        square = gradient * gradient
        if gradient.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.mul_(1 - new).add_(square.mean(-1, keepdim=True), alpha=new)
            columns.mul_(1 - new).add_(square.mean(-2, keepdim=True), alpha=new)
            variance = rows @ columns / rows.mean(-2, keepdim=True).clamp_(min=first)
        else:
            variance = state["variance"].mul_(1 - new).add_(square, alpha=new)
        change = gradient * variance.clamp(min=first * first).rsqrt()
        parameter.add_(change, alpha=-rate / max(1.0, _root_mean_square(change) / group["d"]))


def _root_mean_square(tensor: Tensor) -> float:
    return float((tensor * tensor).mean().sqrt().item())
