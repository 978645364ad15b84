"""Catching the gradients that enter and leave a module in the backward pass."""

from __future__ import annotations

import rgrad
from rgrad._rgrad import Tensor
from rgrad.autograd import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rgrad.nn.module import Module

    Gradients = tuple[Tensor | None, ...]

__all__ = ["BackwardWatch"]


class _Gate(Function):
    """The identity on several tensors, whose backward pass hands all gradients over at once.

    With `zeros`, those that did not arrive come as zeros.
    """

    @staticmethod
    def forward(react: Callable[[Gradients], Gradients], zeros: bool, *tensors: Tensor) -> Any:
        return tensors

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.react, zeros, *tensors = inputs
        ctx.set_materialize_grads(zeros)
        ctx.mark_non_differentiable(*(tensor for tensor in tensors if not tensor.requires_grad))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        return (None, None, *ctx.react(gradients))


class BackwardWatch:
    """The backward hooks of one call of a module.

    The inputs and the outputs each pass a gate. The gradients reach the gate of the outputs first;
    the hooks proper run at the gate of the inputs, or with those of the outputs if no input
    records gradients.
    """

    def __init__(
        self,
        module: Module,
        hooks: list[Callable[..., Any]],
        pre_hooks: list[Callable[..., Any]],
    ) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.input_count = 0
        self.input_positions: list[int] = []
        self.output_count = 0
        self.output_positions: list[int] = []
        self.grad_output: Gradients | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The positional arguments to call `forward` with."""
        self.input_count = len(args)
        args, self.input_positions = _through_gate(self._at_inputs, True, args)
        return args

    def leave(self, output: Any) -> Any:
        """The output to return in place of that of `forward`."""
        outputs = output if isinstance(output, tuple) else (output,)
        self.output_count = len(outputs)
        outputs, self.output_positions = _through_gate(self._at_outputs, False, outputs)
        return outputs if isinstance(output, tuple) else outputs[0]

    def _at_outputs(self, gradients: Gradients) -> Gradients:
        grad_output = _spread(gradients, self.output_positions, self.output_count)
        for hook in self.pre_hooks:
            grad_output = _replaced(hook(self.module, grad_output), grad_output)
        if self.input_positions:
            self.grad_output = grad_output
        else:
            self._run_without_inputs(grad_output)
        return tuple(grad_output[position] for position in self.output_positions)

    def _run_without_inputs(self, grad_output: Gradients) -> None:
        grad_input = (None,) * self.input_count
        for hook in self.hooks:
            returned = hook(self.module, grad_input, grad_output)
            if returned is None or (isinstance(returned, tuple) and set(returned) <= {None}):
                continue
            raise RuntimeError(
                f"no input of {type(self.module).__name__} records gradients, so its backward hook "
                "has none to replace and must return None"
            )

    def _at_inputs(self, gradients: Gradients) -> Gradients:
        if self.grad_output is None:
            # They did not pass the outputs: a second backward pass, or an output that has no gate.
            return gradients
        grad_input = _spread(gradients, self.input_positions, self.input_count)
        for hook in self.hooks:
            grad_input = _replaced(hook(self.module, grad_input, self.grad_output), grad_input)
        self.grad_output = None
        return tuple(grad_input[position] for position in self.input_positions)


def _through_gate(
    react: Callable[[Gradients], Gradients], zeros: bool, values: tuple[Any, ...]
) -> tuple[tuple[Any, ...], list[int]]:
    """The values, tensors passed through a gate if some record gradients, and the places of those that passed."""
    positions = [position for position, value in enumerate(values) if isinstance(value, Tensor)]
    if not rgrad.is_grad_enabled() or not any(values[position].requires_grad for position in positions):
        return values, []
    passed = list(values)
    gated = _Gate.apply(react, zeros, *(values[position] for position in positions))
    for position, tensor in zip(positions, gated):
        passed[position] = tensor
    return tuple(passed), positions


def _spread(gradients: Gradients, positions: list[int], count: int) -> Gradients:
    """A tuple of `count` entries with `gradients` at `positions` and `None` elsewhere."""
    spread: list[Tensor | None] = [None] * count
    for position, gradient in zip(positions, gradients):
        spread[position] = gradient
    return tuple(spread)


def _replaced(returned: Any, gradients: Gradients) -> Gradients:
    """The gradients to go on with after a hook has `returned` something or `None`."""
    if returned is None:
        return gradients
    if isinstance(returned, Tensor):
        returned = (returned,)
    sequence: Sequence[Tensor | None] = returned
    if len(sequence) != len(gradients):
        raise RuntimeError(f"a backward hook returned {len(sequence)} gradients in place of {len(gradients)}")
    return tuple(sequence)
