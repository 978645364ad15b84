"""The gradient of each example of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .modules import functional_call
from .transforms import grad
from .vmap import vmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._rgrad import Tensor
    from ..nn import Module

__all__ = ["per_sample_gradients"]


def per_sample_gradients(
    module: Module,
    loss: Callable[..., Tensor],
    inputs: Tensor,
    *targets: Tensor,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> dict[str, Tensor]:
    """The gradients of the losses of single examples, of each parameter that requires grad: `{name: (N, *shape)}`.

    The same as a loop over batches of one example, in one pass.

    loss: `loss(output, *targets)` gives a tensor without dimensions; `output` and `targets` are of one example and keep
        their batch dimension, of size 1.
    inputs, targets: with the examples in their first dimension, of size N.
    chunk_size: how many examples to take at once; all if None. Fewer need less memory.
    randomness: "different" or "same" numbers for all examples, in dropout say; "error" refuses to draw any.

    Raises RuntimeError if the loss has dimensions, ValueError if `inputs` and `targets` differ in N.
    """
    parameters = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}

    def loss_of_one(parameters: dict[str, Tensor], *example: Tensor) -> Tensor:
        first, *others = (part.unsqueeze(0) for part in example)
        return loss(functional_call(module, parameters, (first,)), *others)

    dims = (None, *[0] * (1 + len(targets)))
    gradients = vmap(grad(loss_of_one), in_dims=dims, randomness=randomness, chunk_size=chunk_size)
    return dict(gradients({name: one.detach() for name, one in parameters.items()}, inputs, *targets))
