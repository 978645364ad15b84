"""Schedules along half a period of a cosine, once or again and again."""

from __future__ import annotations

from math import cos, log, pi

from rgrad.optim.lr_scheduler.schedule import LRScheduler, set_rate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad.optim.lr_scheduler.schedule import Rate
    from rgrad.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """Lowers the learning rates to `eta_min` within `T_max` epochs, along a cosine.

    From the first rate `base`, the rate of epoch `t` is
    `eta_min + (base - eta_min) * (1 + cos(pi * t / T_max)) / 2`, as in Loshchilov and Hutter,
    "SGDR: stochastic gradient descent with warm restarts" (2017), equation 5. It is computed from
    the rate before, so that changes made to that by others are kept.

    Args:
        optimizer: the optimizer.
        T_max: the number of epochs until the rate is lowest; it rises again after them.
        eta_min: the lowest rate.
        last_epoch: the epoch to go on from; see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        epoch, half, lowest = self.last_epoch, self.T_max, self.eta_min
        rates = self._current_rates()
        if self._is_initial:
            return rates
        if self._step_count == 1 and epoch > 0:
            return self._get_closed_form_lr()
        if (epoch - 1 - half) % (2 * half) == 0:
            # The rate before was the lowest: the ratio below would divide by zero.
            rise = (1 - cos(pi / half)) / 2
            return [rate + (base - lowest) * rise for rate, base in zip(rates, self.base_lrs)]
        ratio = (1 + cos(pi * epoch / half)) / (1 + cos(pi * (epoch - 1) / half))
        return [ratio * (rate - lowest) + lowest for rate in rates]

    def _get_closed_form_lr(self) -> list[Rate]:
        part = (1 + cos(pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * part for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Lowers the learning rates along a cosine, and begins anew each time they are lowest.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017).

    Args:
        optimizer: the optimizer.
        T_0: the number of epochs of the first fall.
        T_mult: each fall is this many times as long as that before.
        eta_min: the lowest rate.
        last_epoch: the epoch to go on from; see `LRScheduler`.

    Raises:
        ValueError: `T_0` is not a positive int, `T_mult` not an int of at least 1, `eta_min` not a number, or in `step`
            an epoch is negative.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"T_0 must be a positive int, not {T_0!r}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"T_mult must be an int of at least 1, not {T_mult!r}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"eta_min must be a number, not {eta_min!r}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        part = (1 + cos(pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * part for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Set the rates of the next epoch, or of `epoch`, which may lie between two.

        Raises:
            ValueError: `epoch` is negative.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"an epoch must not be negative: {epoch}")
        elif epoch < self.T_0:
            self.T_i = self.T_0
            self.T_cur = epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            falls = int(log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**falls - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**falls
        self.last_epoch = int(epoch // 1)
        self._get_lr_called_within_step = True
        try:
            rates = self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, rates):
            set_rate(group, rate)
        self._last_lr = self._current_rates()
