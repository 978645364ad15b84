"""L-BFGS, a quasi-Newton method that remembers its last steps."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.autograd.grad_mode import no_grad
from rgrad.optim.line_search import strong_wolfe
from rgrad.optim.optimizer import Optimizer
from rgrad.optim.options import check_lr
from rgrad.optim.stepwise import real_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS (Liu and Nocedal, 1989): each step makes up to `max_iter` iterations, calling its closure again and again.

    Args:
        params: parameters, of one group.
        lr: the length of a step along a direction, a number or a tensor of one element.
        max_iter: the number of iterations in a step.
        max_eval: the number of calls of the closure in a step, by default 5/4 of the iterations.
        tolerance_grad: the largest entry of the gradient at which it is small enough.
        tolerance_change: the change of the loss, or of a parameter, that is too small to go on.
        history_size: the number of steps that are remembered.
        line_search_fn: `"strong_wolfe"`, or `None` for steps of the length `lr`.

    Raises:
        ValueError: there are several groups, or `lr` is negative or has several elements.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(f"LBFGS has one group of parameters, not {len(self.param_groups)}")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take up to `max_iter` iterations, and give the loss before the first.

        Args:
            closure: clears the gradients, computes them anew and returns the loss.

        Raises:
            TypeError: there is no closure.
            RuntimeError: `line_search_fn` is neither `None` nor `"strong_wolfe"`.
        """
        if closure is None:
            raise TypeError("LBFGS.step() needs a closure")
        closure = rgrad.enable_grad()(closure)
        group = self.param_groups[0]
        search = group["line_search_fn"]
        # The state is that of the first parameter, as in PyTorch, for the sake of saved ones.
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss = float(first_loss)
        evaluations = 1
        state["func_evals"] += 1
        gradient = self._flat_gradient()
        flat_enough = gradient.abs().max().item() <= group["tolerance_grad"]
        if flat_enough:
            return first_loss
        lr = float(group["lr"])
        iterations = 0
        while iterations < group["max_iter"]:
            iterations += 1
            state["n_iter"] += 1
            direction = self._next_direction(state, gradient, group["history_size"])
            state["prev_flat_grad"] = gradient.clone()
            state["prev_loss"] = previous_loss = loss
            is_first = state["n_iter"] == 1
            length = min(1.0, 1.0 / gradient.abs().sum().item()) * lr if is_first else lr
            slope = gradient.dot(direction).item()
            state["d"], state["t"] = direction, length
            if slope > -group["tolerance_change"]:
                break
            calls = 0
            if search is not None:
                if search != "strong_wolfe":
                    raise RuntimeError(f"LBFGS has the line search 'strong_wolfe' only, not {search!r}")
                start = [parameter.clone() for parameter in self._params]

                def evaluate(
                    length: float, start: list[Tensor] = start, direction: Tensor = direction
                ) -> tuple[float, Tensor]:
                    self._move(length, direction)
                    value = float(closure())
                    flat = self._flat_gradient()
                    for parameter, before in zip(self._params, start):
                        parameter.copy_(before)
                    return value, flat

                loss, gradient, length, calls = strong_wolfe(evaluate, length, direction, loss, gradient, slope)
                self._move(length, direction)
                flat_enough = gradient.abs().max().item() <= group["tolerance_grad"]
            else:
                self._move(length, direction)
                if iterations != group["max_iter"]:
                    with rgrad.enable_grad():
                        loss = float(closure())
                    gradient = self._flat_gradient()
                    flat_enough = gradient.abs().max().item() <= group["tolerance_grad"]
                    calls = 1
            state["t"] = length
            evaluations += calls
            state["func_evals"] += calls
            if (
                evaluations >= group["max_eval"]
                or flat_enough
                or (direction * length).abs().max().item() <= group["tolerance_change"]
                or abs(loss - previous_loss) < group["tolerance_change"]
            ):
                break
        return first_loss

    def _next_direction(self, state: dict[str, Any], gradient: Tensor, history_size: int) -> Tensor:
        """The direction of an iteration by the two-loop recursion, after the last one was remembered in `state`."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -gradient
        changes, steps, factors = state["old_dirs"], state["old_stps"], state["ro"]
        change = gradient - state["prev_flat_grad"]
        step = state["d"] * state["t"]
        product = change.dot(step).item()
        if product > 1e-10:
            if len(changes) == history_size:
                for remembered in (changes, steps, factors):
                    remembered.pop(0)
            changes.append(change)
            steps.append(step)
            factors.append(1.0 / product)
            state["H_diag"] = product / change.dot(change).item()
        weights: list[Any] = state.setdefault("al", [None] * history_size)
        direction = -gradient
        for i in reversed(range(len(changes))):
            weights[i] = steps[i].dot(direction) * factors[i]
            direction = direction - weights[i] * changes[i]
        direction = direction * float(state["H_diag"])
        for i in range(len(changes)):
            direction = direction + steps[i] * (weights[i] - changes[i].dot(direction) * factors[i])
        return direction

    def _flat_gradient(self) -> Tensor:
        """The gradients of all parameters in one row of real numbers, with zeros where there is none."""
        gradients = [
            rgrad.zeros_like(parameter) if parameter.grad is None else parameter.grad for parameter in self._params
        ]
        return rgrad.cat([real_numbers(gradient).reshape(-1) for gradient in gradients])

    def _move(self, length: float, direction: Tensor) -> None:
        """Add to the parameters the direction times a length."""
        begin = 0
        for parameter in map(real_numbers, self._params):
            end = begin + parameter.numel()
            parameter.add_(direction[begin:end].reshape(parameter.shape), alpha=length)
            begin = end
