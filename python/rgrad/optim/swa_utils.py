"""Averages of a model's parameters over its training, and what goes with them."""

from __future__ import annotations

from copy import deepcopy

import rgrad
from rgrad._rgrad import Tensor
from rgrad.autograd.grad_mode import no_grad
from rgrad.nn import Module
from rgrad.optim.lr_scheduler.cyclic import annealed, each
from rgrad.optim.lr_scheduler.schedule import LRScheduler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rgrad.optim.lr_scheduler.schedule import Rate
    from rgrad.optim.optimizer import Optimizer

    Average = Callable[[Tensor, Tensor, Any], Tensor]
    Averages = Callable[[list[Tensor], list[Tensor], Any], None]

__all__ = [
    "AveragedModel",
    "SWALR",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """A function that gives `decay` parts of an average and `1 - decay` parts of a new value.

    Raises:
        ValueError: `decay` is not between 0 and 1.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Average:
    """A function that gives the average of all values so far."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Tensor | int) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """As `get_ema_avg_fn`, for lists of tensors and in place.

    Raises:
        ValueError: `decay` is not between 0 and 1.
    """
    return _in_place(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Averages:
    """As `get_swa_avg_fn`, for lists of tensors and in place."""
    return _in_place(get_swa_avg_fn())


def _in_place(average: Average) -> Averages:
    @no_grad()
    def update(averages: list[Tensor], values: list[Tensor], num_averaged: Any) -> None:
        for old, value in zip(averages, values):
            # Counts, as of batches seen, cannot be averaged: they are those of the model.
            old.copy_(average(old, value, num_averaged) if old.is_floating_point() else value)

    return update


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"the decay must be between 0 and 1, not {decay}")


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's.

    Izmailov et al., "Averaging weights leads to wider optima and better generalization" (2018); Polyak and Juditsky
    (1992) for averages that forget.

    Args:
        model: the model, which is copied.
        device: where the averages are; the CPU.
        avg_fn: gives an average from that before, the new value and the number of values so far; by default the
            average of all of them.
        multi_avg_fn: the same for lists of tensors, in place.
        use_buffers: whether buffers are averaged too; otherwise they are those of the model.

    Attributes:
        module: the copy.
        n_averaged: the number of values so far, a tensor.

    Raises:
        AssertionError: both functions are given.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("AveragedModel: either avg_fn or multi_avg_fn can be given, not both")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", rgrad.tensor(0, dtype=rgrad.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the copy gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Let the parameters of `model` enter the averages."""
        averages, values = self._averaged(self.module), self._averaged(model)
        pairs = [(old, value.detach().to(old.dtype)) for old, value in zip(averages, values)]
        with rgrad.no_grad():
            if self.n_averaged.item() == 0:
                for old, value in pairs:
                    old.copy_(value)
            elif self.avg_fn is not None:
                for old, value in pairs:
                    old.copy_(self.avg_fn(old, value, self.n_averaged))
            else:
                update = self.multi_avg_fn or get_swa_multi_avg_fn()
                update([old for old, _ in pairs], [value for _, value in pairs], self.n_averaged)
            if not self.use_buffers:
                for own, other in zip(self.module.buffers(), model.buffers()):
                    own.copy_(other)
            self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Tensor]:
        parameters = [parameter.detach() for parameter in model.parameters()]
        return [*parameters, *model.buffers()] if self.use_buffers else parameters


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the statistics of a model's batch normalizations anew, from the batches of `loader`.

    Args:
        loader: gives batches, of which the first is the input where they are lists or tuples.
        model: the model, which is put into training mode meanwhile.
        device: where batches are brought; the CPU.
    """
    momenta = {}
    for module in model.modules():
        if hasattr(module, "running_mean") and hasattr(module, "momentum"):
            module.reset_running_stats()
            momenta[module] = module.momentum
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.momentum = None  # the average of all batches
    for batch in loader:
        inputs = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(inputs if device is None else inputs.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Brings the learning rates to `swa_lr` within some epochs, and leaves them there.

    Args:
        optimizer: the optimizer.
        swa_lr: the rate to come to, or a list of one for each group.
        anneal_epochs: the number of epochs.
        anneal_strategy: `"cos"` or `"linear"`.
        last_epoch: the epoch to go on from; see `LRScheduler`.

    Raises:
        ValueError: `anneal_strategy` is neither, `anneal_epochs` is not a number of epochs, or there are not as many
            rates as groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for group, rate in zip(optimizer.param_groups, each("swa_lr", optimizer, swa_lr)):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be an int that is not negative, got {anneal_epochs!r}")
        self._strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, epoch: int) -> float:
        """How far from the first rate the rate of an epoch is, as a part of the way."""
        if self.anneal_epochs == 0:
            return 1.0
        part = max(0.0, min(1.0, epoch / self.anneal_epochs))
        return float(annealed(self._strategy, 0.0, 1.0, part))

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        # The rate is taken as one on the way, from which follows where the way began.
        number = self._step_count - 1
        before, now = self._part(max(0, number - 1)), self._part(number)
        rates: list[Rate] = []
        for group in self.optimizer.param_groups:
            goal, rate = group["swa_lr"], group["lr"]
            first = goal if before == 1 else (rate - before * goal) / (1 - before)
            rates.append(goal * now + first * (1 - now))
        return rates
