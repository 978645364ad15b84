"""What elsewhere makes and multiplies sparse tensors. Here tensors store all elements, zeros too.

The tensors that are made of places and values are dense: what is computed with them is the same, their zeros take
memory and time.
"""

from __future__ import annotations

import rgrad
from rgrad import _rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["addmm", "mm", "softmax", "sparse_coo_tensor", "sparse_csr_tensor", "sum"]


def mm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices."""
    return _rgrad.mm(mat1, mat2)


addmm = _rgrad.addmm
softmax = _rgrad.softmax
sum = _rgrad.sum


def sparse_coo_tensor(
    indices: Any,
    values: Any = None,
    size: Sequence[int] | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:
    """A tensor of zeros but for the sums of `values` at their places; gradients reach the values.

    Args:
        indices: a column of coordinates for each value, in the leading dimensions of the result; or, if there are no
            values, the sizes of the result.
        values: a number for each column, or a tensor.
        size: the sizes, by default the smallest that have room.

    Raises:
        RuntimeError: there are not as many columns as values.
        IndexError: a place is outside of the sizes.
    """
    if values is None:
        return rgrad.zeros(indices, dtype=dtype, device=device, requires_grad=requires_grad)
    places = rgrad.as_tensor(indices, dtype=rgrad.int64)
    given = rgrad.as_tensor(values, dtype=dtype, device=device)
    if places.dim() != 2 or given.dim() == 0 or places.shape[1] != given.shape[0]:
        raise RuntimeError(
            f"sparse_coo_tensor(): places of shape {tuple(places.shape)} do not fit values of shape "
            f"{tuple(given.shape)}"
        )
    if size is None:
        size = [*(places.amax(1) + 1).tolist(), *given.shape[1:]]
    made = rgrad.zeros(tuple(size), dtype=given.dtype).index_put(tuple(places), given, accumulate=True)
    return made.detach().requires_grad_() if requires_grad else made


def sparse_csr_tensor(
    crow_indices: Any, col_indices: Any, values: Any, size: Sequence[int] | None = None, **options: Any
) -> Tensor:
    """A matrix of zeros but for `values`, row by row.

    Args:
        crow_indices: where the values of each row begin, and where the last row ends.
        col_indices: the column of each value.
        values: the values.
        size: the sizes of the matrix, by default the smallest that have room.
        options: as `sparse_coo_tensor` has them.
    """
    ends = rgrad.as_tensor(crow_indices, dtype=rgrad.int64)
    columns = rgrad.as_tensor(col_indices, dtype=rgrad.int64)
    rows = rgrad.arange(ends.numel() - 1).repeat_interleave(ends.diff())
    shape = size or (ends.numel() - 1, int(columns.max()) + 1)
    return sparse_coo_tensor(rgrad.stack([rows, columns]), values, shape, **options)


class _OfOneType(type):
    """The class of `sparse.FloatTensor` and its kin, which make tensors and have no instances."""

    dtype: Any

    def __call__(cls, *arguments: Any) -> Tensor:
        """`sparse_coo_tensor(*arguments)` of the dtype; given sizes alone, zeros."""
        if len(arguments) > 1 and isinstance(arguments[0], Tensor):
            return sparse_coo_tensor(*arguments, dtype=cls.dtype)
        return rgrad.zeros(*(arguments or (0,)), dtype=cls.dtype)


if not TYPE_CHECKING:

    def __getattr__(name):
        from rgrad import _legacy

        if name not in _legacy.__all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        kind = _OfOneType(name, (), {"dtype": getattr(_legacy, name).dtype, "__module__": __name__})
        return globals().setdefault(name, kind)
