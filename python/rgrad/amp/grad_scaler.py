"""`GradScaler`, which scales a loss so that small gradients are not lost, and the gradients back."""

from __future__ import annotations

import warnings
from enum import Enum

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad.optim import Optimizer

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """What has been done to the gradients of an optimizer since the last update."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class GradScaler:
    """Scales losses up before `backward`, and gradients down before a step, which it skips if one is not finite.

    Micikevicius et al., "Mixed precision training" (2018). After `growth_interval` steps in a row that were taken the
    scale grows, after one that was skipped it falls.

    Args:
        device: the device of the optimizers; on another than the CPU the scaler is disabled with a warning.
        init_scale: the first scale.
        growth_factor: the factor by which it grows, above 1.
        backoff_factor: the factor by which it falls, below 1.
        growth_interval: the number of steps after which it grows.
        enabled: whether anything is scaled; without it losses pass as they are, and `step` is the optimizer's.

    Raises:
        ValueError: a factor is not in its range.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device != "cpu":
            warnings.warn(f"GradScaler() is disabled: device {device!r} is not available", stacklevel=2)
            enabled = False
        if enabled and growth_factor <= 1:
            raise ValueError(f"GradScaler(): growth_factor must be above 1, got {growth_factor}")
        if enabled and backoff_factor >= 1:
            raise ValueError(f"GradScaler(): backoff_factor must be below 1, got {backoff_factor}")
        self._enabled = enabled
        self._device = device
        self._scale = float(init_scale)
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._scaled = False
        self._states: dict[int, OptState] = {}
        self._overflow: dict[int, bool] = {}

    def scale(self, outputs: Any) -> Any:
        """A tensor, or an iterable of tensors however nested, times the scale.

        Raises:
            ValueError: something else is in it.
        """
        if not self._enabled:
            return outputs
        self._scaled = True
        return self._times_scale(outputs)

    def _times_scale(self, outputs: Any) -> Any:
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            scaled = [self._times_scale(output) for output in outputs]
            return type(outputs)(*scaled) if hasattr(outputs, "_fields") else type(outputs)(scaled)
        if hasattr(outputs, "__iter__") and not isinstance(outputs, str):
            return map(self._times_scale, outputs)
        raise ValueError(f"scale(): tensors are expected, got {type(outputs).__name__}")

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients of an optimizer by the scale, once before its step.

        Raises:
            RuntimeError: this has been done since the last update, or the step has been taken.
        """
        if not self._enabled:
            return
        self._require_scaled("unscale_")
        state = self._states.get(id(optimizer), OptState.READY)
        if state is OptState.UNSCALED:
            raise RuntimeError("unscale_() has been called for this optimizer since the last update()")
        if state is OptState.STEPPED:
            raise RuntimeError("unscale_() comes after step()")
        self._unscale(optimizer)

    def _unscale(self, optimizer: Optimizer) -> None:
        gradients = [
            parameter.grad
            for group in optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        overflow = False
        with rgrad.no_grad():
            for gradient in gradients:
                overflow = overflow or not bool(gradient.isfinite().all())
                gradient.mul_(1.0 / self._scale)
        self._overflow[id(optimizer)] = overflow
        self._states[id(optimizer)] = OptState.UNSCALED

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """Take a step of an optimizer unless one of its gradients is not finite; give what the step returns.

        Raises:
            RuntimeError: the step has been taken since the last update, a closure is given, or there are no gradients.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("step(): closures are not possible with a GradScaler")
        self._require_scaled("step")
        state = self._states.get(id(optimizer), OptState.READY)
        if state is OptState.STEPPED:
            raise RuntimeError("step() has been called for this optimizer since the last update()")
        if state is OptState.READY:
            self._unscale(optimizer)
        result = None if self._overflow[id(optimizer)] else optimizer.step(*args, **kwargs)
        self._states[id(optimizer)] = OptState.STEPPED
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Let the scale grow or fall by how the steps since the last update went, or set it to `new_scale`.

        Raises:
            RuntimeError: no gradient has been looked at since the last update.
        """
        if not self._enabled:
            return
        self._require_scaled("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._overflow:
            raise RuntimeError("update(): no step has been taken since the last update()")
        elif any(self._overflow.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale *= self._growth_factor
                self._growth_tracker = 0
        self._states.clear()
        self._overflow.clear()

    def _require_scaled(self, method: str) -> None:
        if not self._scaled:
            raise RuntimeError(f"{method}(): no loss has been scaled yet")

    def get_scale(self) -> float:
        """The scale, 1 if disabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """The factor by which the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Change the factor by which the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """The factor by which the scale falls."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Change the factor by which the scale falls."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """The number of steps after which the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Change the number of steps after which the scale grows."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether anything is scaled."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The scale and what decides about it, empty if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned.

        Raises:
            RuntimeError: it is empty, as that of a disabled scaler is.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("load_state_dict(): the state is empty, as that of a disabled GradScaler is")
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]
