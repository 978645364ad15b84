"""`StepwiseOptimizer`, the base class of optimizers that update one parameter after the other in tensor operations."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.optim.optimizer import Optimizer, loss_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["StepwiseOptimizer", "count_of_steps", "real_numbers"]


def count_of_steps(count: float = 0.0) -> Tensor:
    """The count of steps as a state has it: a tensor, of float64 if that is the default dtype, otherwise of float32."""
    double = rgrad.get_default_dtype() == rgrad.float64
    return rgrad.tensor(float(count), dtype=rgrad.float64 if double else rgrad.float32)


def real_numbers(tensor: Tensor) -> Tensor:
    """The entries of a tensor, complex ones as two real numbers along a dimension more; a view."""
    return rgrad.view_as_real(tensor) if tensor.is_complex() else tensor


class StepwiseOptimizer(Optimizer):
    """Counts the steps of each parameter, and turns and decays its gradient as the group's options say.

    Subclasses define `_begin`, which makes the state of a parameter, and `_update`, which changes the parameter. For
    both a complex parameter is one of real numbers, twice as many.
    """

    #: Options that states saved by older versions may not have.
    _later_options: dict[str, Any] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for option, default in self._later_options.items():
                if option in self.defaults:
                    group.setdefault(option, default)
            for parameter in group["params"]:
                remembered = self.state.get(parameter)
                # Older states count the steps with a plain number.
                if remembered and not isinstance(remembered["step"], Tensor):
                    remembered["step"] = count_of_steps(remembered["step"])

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = loss_of(closure)
        with rgrad.set_grad_enabled(bool(self.defaults.get("differentiable", False))):
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._step_parameter(parameter, parameter.grad, group)
        return loss

    def _step_parameter(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = count_of_steps()
            self._begin_state(state, parameter, group)
        if group.get("differentiable"):
            # The last step's tensors are part of its recording: this one does not change them.
            state.update({name: value.clone() for name, value in state.items() if isinstance(value, Tensor)})
        state["step"] += 1
        if group["maximize"]:
            gradient = -gradient
        gradient = self._decayed(parameter, gradient, group)
        count = state["step"].item()
        if parameter.is_complex():
            state = {name: real_numbers(value) if isinstance(value, Tensor) else value for name, value in state.items()}
        self._update(real_numbers(parameter), real_numbers(gradient), state, group, count)

    def _begin_state(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        """`_begin`, after which what is remembered of a complex parameter is complex too."""
        self._begin(state, real_numbers(parameter), group)
        if parameter.is_complex():
            for name, value in state.items():
                if isinstance(value, Tensor) and value.dim() > parameter.dim():
                    state[name] = rgrad.view_as_complex(value)

    def _decayed(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
        """The gradient with the weight decay in it, unless the parameter decays by itself, which it does here."""
        decay = float(group.get("weight_decay", 0))
        if not decay:
            return gradient
        if group.get("decoupled_weight_decay"):
            parameter.mul_(1 - float(group["lr"]) * decay)
            return gradient
        return gradient.add(parameter, alpha=decay)

    def _begin(self, state: dict[str, Any], parameter: Tensor, group: dict[str, Any]) -> None:
        """Put into `state` what has to be remembered of a parameter before its first step."""
        raise NotImplementedError

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any], step: float
    ) -> None:
        """Change `parameter` and `state` in place; `step` counts from 1."""
        raise NotImplementedError
