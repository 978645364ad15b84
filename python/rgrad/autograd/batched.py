"""`grad` for a batch of gradients of the outputs: what `is_grads_batched=True` means."""

from __future__ import annotations

from .. import _rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._rgrad import Tensor


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None,
    retain_graph: bool | None,
    create_graph: bool,
    allow_unused: bool | None,
    materialize_grads: bool,
) -> tuple[Tensor | None, ...]:
    """The gradients of the inputs for each of several gradients of the outputs, one after another.

    The first dimension of each tensor in `grad_outputs` counts them, and that of each result.

    Raises:
        ValueError: a gradient of an output is missing or has no dimension, or they are not equally many.
        IndexError: there are none.
        RuntimeError: as `grad`.
    """
    gradients = (grad_outputs,) if grad_outputs is None or isinstance(grad_outputs, _rgrad.Tensor) else grad_outputs
    batches = [_batch(one) for one in gradients]
    counts = {len(batch) for batch in batches}
    if len(counts) != 1:
        raise ValueError(f"grad(): batches of gradients have to be equally long, got {sorted(counts)}")
    rows = list(zip(*batches))
    if not rows:
        raise IndexError("grad(): a batch of gradients is empty")
    keep = create_graph if retain_graph is None else retain_graph
    found = [
        _rgrad.grad(
            outputs,
            inputs,
            row,
            retain_graph=keep or i + 1 < len(rows),
            create_graph=create_graph,
            allow_unused=allow_unused or materialize_grads,
        )
        for i, row in enumerate(rows)
    ]
    results = [None if parts[0] is None else _rgrad.stack(parts) for parts in zip(*found)]
    if materialize_grads:
        sources = (inputs,) if isinstance(inputs, _rgrad.Tensor) else inputs
        results = [_rgrad.zeros_like(one) if part is None else part for part, one in zip(results, sources)]
    return tuple(results)


def _batch(gradient: Tensor | None) -> tuple[Tensor, ...]:
    if gradient is None or not gradient.ndim:
        what = "None" if gradient is None else "a number"
        raise ValueError(f"grad(): with is_grads_batched=True, each gradient of an output is a batch, got {what}")
    return tuple(gradient.unbind(0)) if gradient.shape[0] else ()
