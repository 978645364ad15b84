"""Embeddings."""

from __future__ import annotations

from rgrad import _rgrad
from rgrad._rgrad import _nn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rgrad._rgrad import Tensor


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` that `input` names.

    Args:
        input: indices, `int64` or `int32`, of any shape.
        weight: a table of shape `(rows, size)`.
        padding_idx: a row that gets no gradient.
        max_norm: rows that are named and have a larger norm are made shorter, in place.
        norm_type: which norm that is.
        scale_grad_by_freq: whether a row's gradient is divided by how often it is named.
        sparse: there for the signature: gradients are dense.

    Raises:
        IndexError: an index is no row of the table.
    """
    padding = -1 if padding_idx is None else _row("embedding", padding_idx, weight)
    if max_norm is not None:
        weight.detach().embedding_renorm_(input, max_norm, norm_type)
    return _rgrad.embedding(weight, input, padding, scale_grad_by_freq, sparse)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, the mean or the largest elements of the rows of `weight` in each bag of indices.

    Args:
        input: indices, of shape `(bags, length)`, or `(indices)` with `offsets`; or the table, as in old programs.
        weight: a table of shape `(rows, size)`.
        offsets: where bags begin in `input`.
        max_norm: as in `embedding`.
        norm_type: as in `embedding`.
        scale_grad_by_freq: as in `embedding`.
        mode: `"sum"`, `"mean"` or `"max"`.
        sparse: as in `embedding`.
        per_sample_weights: factors of the rows, of the shape of `input`, for sums.
        include_last_offset: whether `offsets` ends with the number of indices.
        padding_idx: a row that does not count.

    Raises:
        ValueError: `input`, `offsets` and factors do not fit together, or the mode is none of the three.
        NotImplementedError: factors are given for another mode than the sum.
    """
    if weight.dtype == _rgrad.int64 and input.is_floating_point():
        input, weight = weight, input
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: per_sample_weights has shape {tuple(per_sample_weights.shape)}, the indices have "
            f"{tuple(input.shape)}"
        )
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError("embedding_bag: two-dimensional indices have bags of one length, and take no offsets")
        offsets = _rgrad.arange(0, input.numel(), max(input.size(1), 1), dtype=input.dtype)
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None or offsets.dim() != 1:
            raise ValueError("embedding_bag: offsets of one dimension are needed for indices of one dimension")
    else:
        raise ValueError(f"embedding_bag: indices have one or two dimensions, got {input.dim()}")
    modes = ("sum", "mean", "max")
    if mode not in modes:
        raise ValueError(f"embedding_bag: mode has to be 'sum', 'mean' or 'max', got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("embedding_bag: scale_grad_by_freq does not go with mode='max'")
    if mode == "max" and sparse:
        raise ValueError("embedding_bag: sparse does not go with mode='max'")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(f"embedding_bag: per_sample_weights goes with mode='sum', not with {mode!r}")
    if max_norm is not None:
        weight.detach().embedding_renorm_(input, max_norm, norm_type)
    padding = None if padding_idx is None else _row("embedding_bag", padding_idx, weight)
    return _nn._embedding_bag(
        weight,
        input,
        offsets,
        scale_grad_by_freq,
        modes.index(mode),
        sparse,
        per_sample_weights,
        include_last_offset,
        padding,
    )[0]


def _row(function: str, index: int, weight: Tensor) -> int:
    """A row that may count from the end."""
    rows = weight.size(0)
    if not -rows <= index < rows:
        raise AssertionError(f"{function}: padding_idx {index} is none of the {rows} rows")
    return index % rows
