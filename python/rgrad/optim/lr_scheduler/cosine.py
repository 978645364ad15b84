"""A schedule along half a period of a cosine."""

from __future__ import annotations

from math import cos, pi

from rgrad.optim.lr_scheduler.schedule import LRScheduler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad.optim.lr_scheduler.schedule import Rate
    from rgrad.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR"]


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
