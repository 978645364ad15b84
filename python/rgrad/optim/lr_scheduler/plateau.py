"""A schedule that waits until a metric stops improving."""

from __future__ import annotations

from math import inf

from rgrad.optim.lr_scheduler.schedule import (
    LRScheduler,
    require_optimizer,
    set_rate,
    warn_of_epoch,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsFloat

    from rgrad.optim.optimizer import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the learning rates by `factor` once a metric has not improved for some epochs.

    Args:
        optimizer: the optimizer.
        mode: `"min"` if a lower metric is better, `"max"` if a higher one is.
        factor: what the rates are multiplied by, below 1.
        patience: how many epochs without improvement are let pass.
        threshold: by how much the metric has to improve.
        threshold_mode: `"rel"` if that is a part of the best value, `"abs"` if a difference.
        cooldown: how many epochs after a reduction are not counted.
        min_lr: the lowest rate, or a list of one for each group.
        eps: a reduction by no more than this is not made.

    Raises:
        TypeError: `optimizer` is not an `Optimizer`.
        ValueError: `factor` is not below 1, `mode` or `threshold_mode` is none of theirs, or the
            number of lowest rates is not that of the groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"the factor must be below 1, not {factor}")
        require_optimizer(optimizer)
        groups = len(optimizer.param_groups)
        self.factor = factor
        self.optimizer = optimizer
        if isinstance(min_lr, (list, tuple)):
            if len(min_lr) != groups:
                raise ValueError(f"{len(min_lr)} lowest rates were given for {groups} groups")
            self.default_min_lr: float | None = None
            self.min_lrs = list(min_lr)
        else:
            self.default_min_lr = min_lr
            self.min_lrs = [min_lr] * groups
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = self._current_rates()
        self._init_is_better(mode, threshold, threshold_mode)
        self._reset()

    def _init_is_better(self, mode: str, threshold: float, threshold_mode: str) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"the mode must be 'min' or 'max', not {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"the threshold mode must be 'rel' or 'abs', not {threshold_mode!r}")
        self.mode_worse = inf if mode == "min" else -inf
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode

    def _reset(self) -> None:
        """Forget the metrics seen so far."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(  # type: ignore[override]
        self, metrics: SupportsFloat, epoch: int | None = None
    ) -> None:
        """Note the metric of an epoch and lower the rates if it is time.

        Args:
            metrics: the metric, a number or a tensor of one element.
            epoch: the number of the epoch, which is deprecated.
        """
        metric = float(metrics)
        if epoch is None:
            epoch = self.last_epoch + 1
        else:
            warn_of_epoch()
        self.last_epoch = epoch
        if self._is_better(metric, self.best):
            self.best = metric
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr(epoch)
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._current_rates()

    def _reduce_lr(self, epoch: int) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"{len(self.min_lrs)} lowest rates were given, but there are {len(groups)} groups by now"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs):
            rate = float(group["lr"])
            lowered = max(rate * self.factor, lowest)
            if rate - lowered > self.eps:
                set_rate(group, lowered)

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted at present."""
        return self.cooldown_counter > 0

    def _is_better(self, metric: float, best: float) -> bool:
        relative = self.threshold_mode == "rel"
        if self.mode == "min":
            return metric < (best * (1 - self.threshold) if relative else best - self.threshold)
        return metric > (best * (1 + self.threshold) if relative else best + self.threshold)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        super().load_state_dict(state_dict)
        self._init_is_better(self.mode, self.threshold, self.threshold_mode)
