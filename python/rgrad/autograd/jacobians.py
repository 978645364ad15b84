"""Jacobians element by element: by backward passes and by finite differences."""

from __future__ import annotations

from itertools import product

from .. import _rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from .._rgrad import Tensor


def central_difference(evaluate: Callable[[], list[Tensor]], place: Tensor, step: Any, length: float) -> list[Tensor]:
    """The results' change from `place - step` to `place + step`, divided by `2 * length`, each flat."""
    original = place.clone()
    try:
        place.copy_(original - step)
        below = evaluate()
        place.copy_(original + step)
        above = evaluate()
    finally:
        place.copy_(original)
    for i, (one, other) in enumerate(zip(below, above)):
        if one.shape != other.shape or one.dtype != other.dtype:
            raise AssertionError(
                f"gradcheck(): output {i} changes with the inputs from {one.dtype} of size {tuple(one.shape)} to "
                f"{other.dtype} of size {tuple(other.shape)}"
            )
    return [((one - other) / (2 * length)).reshape(-1) for one, other in zip(above, below)]


def numerical_jacobian(evaluate: Callable[[], list[Tensor]], source: Tensor, eps: float) -> list[Tensor]:
    """For each result the differences by the elements of `source`: its size by the result's size."""
    data = source.data
    rows = [central_difference(evaluate, data[index], eps, eps) for index in product(*(range(n) for n in data.shape))]
    return stacked(rows, [] if rows else evaluate())


def stacked(rows: list[list[Tensor]], results: Sequence[Tensor]) -> list[Tensor]:
    """A matrix for each result from the rows for each element; without rows, of the length of `results`."""
    if not rows:
        return [result.detach().new_zeros(0, result.numel()) for result in results]
    return [_rgrad.stack(parts) for parts in zip(*rows)]


def vector_product(sources: Sequence[Tensor], output: Tensor, vector: Tensor) -> list[Tensor]:
    """A vector times the Jacobian of `output` by each source."""
    found = _rgrad.grad([output], sources, [vector], retain_graph=True, allow_unused=True)
    return [_rgrad.zeros_like(source) if one is None else one.detach() for one, source in zip(found, sources)]


def backward_jacobian(sources: Sequence[Tensor], output: Tensor) -> list[Tensor]:
    """The derivatives of `output` by each source, as matrices of source size by output size."""
    rows = [[one.reshape(-1) for one in vector_product(sources, output, unit)] for unit in basis(output)]
    return [matrix.t() for matrix in stacked(rows, sources)]


def basis(tensor: Tensor) -> Iterator[Tensor]:
    """One after another, the tensors like `tensor` with one element 1 and the others 0."""
    for i in range(tensor.numel()):
        unit = tensor.detach().new_zeros(tensor.numel())
        unit[i] = 1
        yield unit.view(tensor.shape)
