"""SparseAdam, which needs gradients that are sparse: there are none here."""

from __future__ import annotations

from rgrad.optim.optimizer import Optimizer, loss_of
from rgrad.optim.options import check_betas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that updates only the entries in which a sparse gradient has values.

    Tensors are never sparse here, so that a step is refused as soon as there is a gradient; `Adam` takes it.

    Args:
        params: parameters, named parameters or groups; see `Optimizer`.
        lr: the learning rate, a number or a tensor of one element.
        betas: the parts of the running means of the gradient and of its square that are kept.
        eps: what keeps the divisor from being zero.
        maximize: whether the sign of the gradient is turned first.

    Raises:
        ValueError: an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        for option, value in (("lr", lr), ("eps", eps)):
            if not value > 0:
                raise ValueError(f"{option} must be positive: {value}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Refused if there is a gradient, which is dense.

        Raises:
            RuntimeError: there is one.
        """
        loss = loss_of(closure)
        for group in self.param_groups:
            if any(parameter.grad is not None for parameter in group["params"]):
                raise RuntimeError("SparseAdam takes sparse gradients, but these are dense; use Adam")
        return loss
