"""`LRScheduler`, the base class of all schedules."""

from __future__ import annotations

import warnings

from rgrad._rgrad import Tensor
from rgrad.optim.optimizer import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Rate = float | Tensor

__all__ = ["LRScheduler", "set_rate"]


class LRScheduler:
    """Sets the learning rate of each group of an optimizer anew at each `step`.

    Subclasses define `get_lr`, which computes the rates of epoch `last_epoch` from those in the
    groups, and may define `_get_closed_form_lr`, which computes them from `base_lrs` alone.

    Args:
        optimizer: the optimizer. Its `step` is to be called before that of the schedule.
        last_epoch: the epoch to go on from; -1 begins with the rates of the groups.

    Attributes:
        base_lrs: the rate of each group that the schedule began with.
        last_epoch: the number of the current epoch.

    Raises:
        TypeError: `optimizer` is not an `Optimizer`.
        KeyError: with another `last_epoch` than -1, a group has no `"initial_lr"`.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _detached(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"to go on from epoch {last_epoch}, group {number} needs an 'initial_lr': load "
                    "the state of the optimizer before making the schedule"
                )
        self.base_lrs: list[Rate] = [_detached(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[Rate]:
        """The rates of the current epoch, computed from those before; for subclasses to define."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def get_last_lr(self) -> list[Rate]:
        """The rates set last, one for each group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch, or of `epoch`, which is deprecated."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                "the first step of a schedule came before the first step of its optimizer, which "
                "skips the first learning rate",
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch()
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                closed_form = getattr(self, "_get_closed_form_lr", self.get_lr)
                rates = closed_form()
        finally:
            self._get_lr_called_within_step = False
        groups = self.optimizer.param_groups
        for group, rate in zip(groups, rates):
            set_rate(group, rate)
        self._last_lr: list[Rate] = [_detached(group["lr"]) for group in groups]

    def _current_rates(self) -> list[Rate]:
        return [_detached(group["lr"]) for group in self.optimizer.param_groups]

    def _warn_outside_step(self) -> None:
        """For `get_lr`: outside `step` it computes the rates of a step too many."""
        if not self._get_lr_called_within_step:
            warnings.warn("call get_last_lr() for the rates that were set last", stacklevel=3)

    def state_dict(self) -> dict[str, Any]:
        """The attributes of the schedule except its optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)


def require_optimizer(optimizer: object) -> None:
    """Raise `TypeError` unless a schedule can change the rates of `optimizer`."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"a schedule needs an Optimizer, not a {type(optimizer).__name__}")


def set_rate(group: dict[str, Any], rate: Rate) -> None:
    """Set the learning rate of a group, in place if it is a tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def warn_of_epoch() -> None:
    """Warn that `step` was given an epoch."""
    warnings.warn("passing an epoch to the step of a schedule is deprecated: leave it out", stacklevel=3)


def _detached(rate: Rate) -> Rate:
    """The rate, which later changes of the group leave alone."""
    return rate.detach().clone() if isinstance(rate, Tensor) else rate
