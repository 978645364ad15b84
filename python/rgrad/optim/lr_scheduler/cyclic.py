"""Schedules that let the learning rate rise and fall, and the momentum fall and rise."""

from __future__ import annotations

from math import cos, pi

from rgrad.optim.lr_scheduler.schedule import LRScheduler, require_optimizer, set_rate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rgrad.optim.lr_scheduler.schedule import Rate
    from rgrad.optim.optimizer import Optimizer

__all__ = ["CyclicLR", "OneCycleLR"]


def each(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group: `value` itself if it is a list, otherwise as often as there are groups.

    Raises:
        ValueError: the list has another length.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{name}: {len(value)} values were given for {groups} groups")
    return list(value)


def _set_momentum(group: dict[str, Any], momentum: Any) -> None:
    """Set the momentum of a group, for optimizers of Adam's kind the first beta."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


class CyclicLR(LRScheduler):
    """Lets the learning rates go up and down between two bounds, in every batch.

    Smith, "Cyclical learning rates for training neural networks" (2017).

    Args:
        optimizer: the optimizer.
        base_lr: the lower bound, or a list of one for each group.
        max_lr: the upper bound, or a list of them.
        step_size_up: the steps of a rise.
        step_size_down: the steps of a fall, by default as many.
        mode: `"triangular"`; `"triangular2"`, whose height halves in each cycle; `"exp_range"`, whose height is
            `gamma**step`.
        gamma: the base of that power.
        scale_fn: the height as a function, in place of `mode`.
        scale_mode: whether it is a function of the `"cycle"` or of the `"iterations"`.
        cycle_momentum: whether the momentum moves the other way.
        base_momentum: its lower bound, or a list of them.
        max_momentum: its upper bound, or a list of them.
        last_epoch: the step to go on from; see `LRScheduler`.

    Raises:
        TypeError: `optimizer` is not an `Optimizer`.
        ValueError: `mode` is none of the three, a list has another length than there are groups, or the optimizer
            has no momentum.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        lows = each("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, low in zip(optimizer.param_groups, lows):
                set_rate(group, low)
        self.max_lrs = each("max_lr", optimizer, max_lr)
        down = float(step_size_up if step_size_down is None else step_size_down)
        self.total_size = step_size_up + down
        self.step_ratio = step_size_up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"the mode must be 'triangular', 'triangular2' or 'exp_range', not {mode!r}")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
                raise ValueError("cycle_momentum needs an optimizer with a momentum or betas")
            self.base_momentums = each("base_momentum", optimizer, base_momentum)
            self.max_momentums = each("max_momentum", optimizer, max_momentum)
            if last_epoch == -1:
                for group, momentum in zip(optimizer.param_groups, self.max_momentums):
                    _set_momentum(group, momentum)
                    group["max_momentum"] = momentum
                for group, momentum in zip(optimizer.param_groups, self.base_momentums):
                    group["base_momentum"] = momentum
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows

    def scale_fn(self, x: float) -> float:
        """The height of a cycle or a step, as a factor."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 1 / 2.0 ** (x - 1)  # type: ignore[no-any-return]
        return float(self.gamma**x) if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        cycle = self.last_epoch // self.total_size + 1
        part = 1.0 + self.last_epoch / self.total_size - cycle
        height = part / self.step_ratio if part <= self.step_ratio else (part - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                _set_momentum(group, high - (high - low) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs)]

    def state_dict(self) -> dict[str, Any]:
        """The attributes of the schedule except its optimizer; of a function for the height, nothing is kept."""
        state = super().state_dict()
        function = state.pop("_scale_fn_custom")
        state["_scale_fn_custom"] = None
        if function is not None and not isinstance(function, type(each)):
            state["_scale_fn_custom"] = dict(function.__dict__)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned; a function stays what it is."""
        state = dict(state_dict)
        attributes = state.pop("_scale_fn_custom")
        super().load_state_dict(state)
        if attributes is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(attributes)


class OneCycleLR(LRScheduler):
    """Lets the learning rates rise once, and then fall far below where they began, in every batch.

    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates" (2018).

    Args:
        optimizer: the optimizer.
        max_lr: the highest rate, or a list of one for each group.
        total_steps: the number of steps, or
        epochs: the number of epochs, with
        steps_per_epoch: the number of steps of each.
        pct_start: the part of the steps in which the rates rise.
        anneal_strategy: `"cos"` or `"linear"`.
        cycle_momentum: whether the momentum moves the other way.
        base_momentum: its lower bound, or a list of them.
        max_momentum: its upper bound, or a list of them.
        div_factor: the highest rate is this many times the first.
        final_div_factor: the first rate is this many times the last.
        three_phase: whether the fall to the first rate is as long as the rise, with the rest of it after that.
        last_epoch: the step to go on from; see `LRScheduler`.

    Raises:
        TypeError: `optimizer` is not an `Optimizer`.
        ValueError: the number of steps is not given or not positive, `pct_start` is not between 0 and 1,
            `anneal_strategy` is neither of the two, or the optimizer has no momentum. In `step`: it is one too many.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        self.total_steps = _number_of_steps(total_steps, epochs, steps_per_epoch)
        rise = float(pct_start * self.total_steps) - 1
        if three_phase:
            self._schedule_phases: list[dict[str, Any]] = [
                _phase(rise, "initial_lr", "max_lr", "max_momentum", "base_momentum"),
                _phase(2 * rise, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                _phase(self.total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            self._schedule_phases = [
                _phase(rise, "initial_lr", "max_lr", "max_momentum", "base_momentum"),
                _phase(self.total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"),
            ]
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"pct_start must be a float between 0 and 1, not {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}")
        self._anneal_func_type = anneal_strategy
        highest = each("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, most in zip(optimizer.param_groups, highest):
                group["initial_lr"] = most / div_factor
                group["max_lr"] = most
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
                raise ValueError("cycle_momentum needs an optimizer with a momentum or betas")
            self.use_beta1 = "betas" in optimizer.defaults
            highs = each("max_momentum", optimizer, max_momentum)
            lows = each("base_momentum", optimizer, base_momentum)
            if last_epoch == -1:
                for group, low, high in zip(optimizer.param_groups, lows, highs):
                    _set_momentum(group, high)
                    group["max_momentum"] = high
                    group["base_momentum"] = low
        super().__init__(optimizer, last_epoch)

    def _anneal_func(self, start: Any, end: Any, part: float) -> Any:
        return annealed(self._anneal_func_type, start, end, part)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        number = self.last_epoch
        if number > self.total_steps:
            raise ValueError(f"OneCycleLR: step {number} of {self.total_steps} in all")
        rates: list[Rate] = []
        for group in self.optimizer.param_groups:
            begin = 0.0
            for i, phase in enumerate(self._schedule_phases):
                end = phase["end_step"]
                if number <= end or i == len(self._schedule_phases) - 1:
                    part = (number - begin) / (end - begin)
                    rates.append(self._anneal_func(group[phase["start_lr"]], group[phase["end_lr"]], part))
                    if self.cycle_momentum:
                        start, last = group[phase["start_momentum"]], group[phase["end_momentum"]]
                        _set_momentum(group, self._anneal_func(start, last, part))
                    break
                begin = end
        return rates


def _phase(end: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> dict[str, Any]:
    """A stretch of steps, and the options of a group between which it moves rate and momentum."""
    return {
        "end_step": end,
        "start_lr": start_lr,
        "end_lr": end_lr,
        "start_momentum": start_momentum,
        "end_momentum": end_momentum,
    }


def _number_of_steps(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    numbers: Iterable[tuple[str, Any]] = (("total_steps", total_steps),)
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise ValueError("either total_steps or both epochs and steps_per_epoch must be given")
        numbers = (("epochs", epochs), ("steps_per_epoch", steps_per_epoch))
    product = 1
    for name, number in numbers:
        if not isinstance(number, int) or number <= 0:
            raise ValueError(f"{name} must be a positive int, not {number!r}")
        product *= number
    return product


def annealed(strategy: str, start: Any, end: Any, part: float) -> Any:
    """What lies between two values: for `"cos"` along half a period of a cosine, for `"linear"` along a line."""
    if strategy == "cos":
        return end + (start - end) / 2.0 * (cos(pi * part) + 1)
    return (end - start) * part + start
