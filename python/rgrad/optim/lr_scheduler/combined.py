"""Schedules made of others: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right

from rgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from rgrad.optim.lr_scheduler.schedule import LRScheduler, set_rate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rgrad.optim.optimizer import Optimizer

__all__ = ["ChainedScheduler", "SequentialLR"]


class SequentialLR(LRScheduler):
    """Schedules of the same optimizer that take turns, each from its milestone on.

    Args:
        optimizer: the optimizer.
        schedulers: the schedules, in their order.
        milestones: the epochs at which the second, the third, ... begin.
        last_epoch: the epoch to go on from.

    Raises:
        ValueError: there are no schedules, one is of another optimizer or goes by a metric, or there is not one
            milestone fewer.
        TypeError: a schedule has no optimizer.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        _check(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(f"{len(schedulers)} schedules need one milestone fewer, not {len(milestones)}")
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # Each schedule has set its first rates by now: the first one begins again.
        for group in optimizer.param_groups:
            set_rate(group, group["initial_lr"])
        for scheduler in schedulers:
            _take_back(scheduler)
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Set the rates of the next epoch."""
        self.last_epoch += 1
        number = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[number]
        if number > 0 and self._milestones[number - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """The attributes of the schedule except its optimizer, with the states of the schedules it is made of."""
        return _combined_state(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        _load_combined_state(self, state_dict)


class ChainedScheduler(LRScheduler):
    """Schedules of the same optimizer that all take a step in each epoch.

    Args:
        schedulers: the schedules, in the order of their steps.
        optimizer: their optimizer, by default that of the first.

    Raises:
        ValueError: there are no schedules, or one is of another optimizer or goes by a metric.
        TypeError: a schedule has no optimizer.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if len(schedulers) < 1:
            raise ValueError("a chain needs at least one schedule")
        optimizer = optimizer or schedulers[0].optimizer
        _check(schedulers, optimizer)
        self._schedulers = schedulers
        self.optimizer = optimizer
        self._last_lr = schedulers[-1]._current_rates()

    def step(self) -> None:  # type: ignore[override]
        """Set the rates of the next epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._schedulers[-1]._current_rates()

    def state_dict(self) -> dict[str, Any]:
        """The attributes of the schedule except its optimizer, with the states of the schedules it is made of."""
        return _combined_state(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        _load_combined_state(self, state_dict)


def _check(schedulers: Sequence[LRScheduler], optimizer: Optimizer) -> None:
    if len(schedulers) < 1:
        raise ValueError("at least one schedule is needed")
    for number, scheduler in enumerate(schedulers):
        if not hasattr(scheduler, "optimizer"):
            raise TypeError(f"schedule {number}, a {type(scheduler).__name__}, has no optimizer")
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(f"schedule {number}, a {type(scheduler).__name__}, needs a metric in each step")
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"schedule {number} is of another optimizer")


def _take_back(scheduler: LRScheduler) -> None:
    """Undo the first step of a schedule, and of those it is made of."""
    if hasattr(scheduler, "_schedulers"):
        for inner in scheduler._schedulers:
            _take_back(inner)
    else:
        scheduler.last_epoch -= 1


def _combined_state(scheduler: Any) -> dict[str, Any]:
    state = {name: value for name, value in scheduler.__dict__.items() if name not in ("optimizer", "_schedulers")}
    state["_schedulers"] = [inner.state_dict() for inner in scheduler._schedulers]
    return state


def _load_combined_state(scheduler: Any, state_dict: dict[str, Any]) -> None:
    state = dict(state_dict)
    inner_states = state.pop("_schedulers")
    scheduler.__dict__.update(state)
    for inner, inner_state in zip(scheduler._schedulers, inner_states):
        inner.load_state_dict(inner_state)
