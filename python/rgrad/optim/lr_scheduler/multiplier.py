"""Schedules that multiply the learning rate by a function of the epoch: the first one, or that before."""

from __future__ import annotations

from rgrad.optim.lr_scheduler.schedule import LRScheduler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rgrad.optim.lr_scheduler.schedule import Rate
    from rgrad.optim.optimizer import Optimizer

__all__ = ["LambdaLR", "MultiplicativeLR"]


class LambdaLR(LRScheduler):
    """Sets each learning rate to the first one times `lr_lambda` of the epoch.

    Args:
        optimizer: the optimizer.
        lr_lambda: a function, or a list or tuple of one for each group.
        last_epoch: the epoch to go on from; see `LRScheduler`.

    Raises:
        ValueError: the number of functions is not that of the groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        if isinstance(lr_lambda, (list, tuple)):
            if len(lr_lambda) != groups:
                raise ValueError(f"{len(lr_lambda)} functions were given for {groups} groups")
            self.lr_lambdas = list(lr_lambda)
        else:
            self.lr_lambdas = [lr_lambda] * groups
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        return [base * multiplier(self.last_epoch) for base, multiplier in zip(self.base_lrs, self.lr_lambdas)]

    def state_dict(self) -> dict[str, Any]:
        """The attributes of the schedule except its optimizer.

        A function is left out and `None` put in its place; of any other callable object the
        attributes are kept.
        """
        state = super().state_dict()
        state["lr_lambdas"] = [
            dict(multiplier.__dict__) if _has_state(multiplier) else None for multiplier in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned; functions stay what they are."""
        state = dict(state_dict)
        saved = state.pop("lr_lambdas")
        super().load_state_dict(state)
        for multiplier, attributes in zip(self.lr_lambdas, saved):
            if attributes is not None:
                multiplier.__dict__.update(attributes)


class MultiplicativeLR(LambdaLR):
    """Multiplies each learning rate by `lr_lambda` of the epoch; arguments as of `LambdaLR`."""

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        rates = self._current_rates()
        if self._is_initial:
            return rates
        return [rate * multiplier(self.last_epoch) for rate, multiplier in zip(rates, self.lr_lambdas)]


def _has_state(multiplier: Callable[[int], float]) -> bool:
    return not isinstance(multiplier, type(_has_state))
