"""Methods of `Tensor` that need no kernel: about storage, elements one by one, and names of old."""

from __future__ import annotations

import warnings

from rgrad import _rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from rgrad.storage import TypedStorage, UntypedStorage

__all__ = [
    "_nnz",
    "apply_",
    "as_strided_",
    "coalesce",
    "const_data_ptr",
    "dense_dim",
    "dim_order",
    "get_device",
    "hash_tensor",
    "histogram",
    "indices",
    "is_coalesced",
    "is_set_to",
    "is_shared",
    "map2_",
    "map_",
    "module_load",
    "new",
    "record_stream",
    "resize",
    "resize_as",
    "share_memory_",
    "sparse_dim",
    "storage",
    "storage_type",
    "to_sparse",
    "untyped_storage",
    "values",
]


def get_device(self: Tensor) -> int:
    """The number of the device: -1 for the CPU."""
    return -1


def new(self: Tensor, *data: Any, device: Any = None) -> Tensor:
    """A tensor of this dtype, with the values of a sequence, the memory of a tensor, or of the sizes given."""
    if len(data) == 1 and isinstance(data[0], Tensor):
        return data[0].detach()
    if len(data) == 1 and isinstance(data[0], (list, tuple)) and not isinstance(data[0], _size()):
        return self.new_tensor(data[0], device=device)
    return self.new_empty(*(data or (0,)), device=device)


def _size() -> type:
    from rgrad._size import Size

    return Size


def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory of this tensor and its views, as bytes."""
    from rgrad.storage import UntypedStorage

    return UntypedStorage._of(self)


def storage(self: Tensor) -> TypedStorage:
    """The memory of this tensor and its views, as elements of its dtype."""
    from rgrad.storage import TypedStorage

    return TypedStorage._of(self)


def storage_type(self: Tensor) -> type:
    """The class of `storage()`."""
    from rgrad.storage import TypedStorage

    return TypedStorage


def const_data_ptr(self: Tensor) -> int:
    """The address of the first element."""
    return self.data_ptr()


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether a tensor has the same memory, sizes and strides."""
    return (self.data_ptr(), self.shape, self.stride()) == (tensor.data_ptr(), tensor.shape, tensor.stride())


def dim_order(self: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions from the one with the largest stride to the one with the smallest."""
    return tuple(sorted(range(self.dim()), key=self.stride().__getitem__, reverse=True))


def share_memory_(self: Tensor) -> Tensor:
    """Move the elements to memory that processes share which are forked from this one; gives the tensor back."""
    from rgrad.multiprocessing.shared import share

    return share(self)


def is_shared(self: Tensor) -> bool:
    """Whether `share_memory_` has moved the elements of this tensor."""
    from rgrad.multiprocessing.shared import is_shared

    return is_shared(self)


def _check_elementwise(name: str, tensor: Tensor) -> None:
    if tensor.requires_grad:
        raise TypeError(f"{name}(): not defined for a tensor that requires grad; what Python computes is not recorded")


def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element, as a Python number, by what a function gives for it.

    Raises:
        TypeError: the tensor requires grad.
    """
    _check_elementwise("apply_", self)
    values = [callable(value) for value in self.reshape(-1).tolist()]
    return self.copy_(_rgrad.tensor(values, dtype=self.dtype).reshape(self.shape))


def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace each element by what a function gives for it and that of another tensor.

    Raises:
        TypeError: the tensor requires grad.
    """
    _check_elementwise("map_", self)
    pairs = zip(self.reshape(-1).tolist(), tensor.expand_as(self).reshape(-1).tolist())
    values = [callable(a, b) for a, b in pairs]
    return self.copy_(_rgrad.tensor(values, dtype=self.dtype).reshape(self.shape))


def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """Replace each element by what a function gives for it and those of two other tensors.

    Raises:
        TypeError: the tensor requires grad.
    """
    _check_elementwise("map2_", self)
    triples = zip(*(t.expand_as(self).reshape(-1).tolist() for t in (self, x, y)))
    values = [callable(*triple) for triple in triples]
    return self.copy_(_rgrad.tensor(values, dtype=self.dtype).reshape(self.shape))


def as_strided_(self: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Give a tensor other sizes and strides of its memory."""
    return self.set_(self.as_strided(size, stride, storage_offset))


def histogram(
    self: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> Any:
    """As `rgrad.histogram`."""
    from rgrad._histograms import histogram

    return histogram(self, bins, range=range, weight=weight, density=density)


def hash_tensor(self: Tensor, dim: Any = (), *, keepdim: bool = False, mode: int = 0) -> Tensor:
    """As `rgrad.hash_tensor`."""
    from rgrad._private import hash_tensor

    return hash_tensor(self, dim, keepdim=keepdim, mode=mode)


def resize(self: Tensor, *sizes: Any) -> Tensor:
    """The elements in other sizes, as many as before."""
    warnings.warn("resize(): use view() or reshape()", stacklevel=2)
    return self.reshape(*sizes)


def resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """The elements in the sizes of another tensor, as many as before."""
    warnings.warn("resize_as(): use view_as() or reshape_as()", stacklevel=2)
    return self.reshape(tensor.shape)


def module_load(self: Tensor, other: Tensor, assign: bool = False) -> Tensor:
    """What a module puts in the place of this parameter when it loads `other` for it."""
    return other.detach() if assign else self.copy_(other).detach()


def sparse_dim(self: Tensor) -> int:
    """The number of dimensions of which not all elements are stored: none."""
    return 0


def dense_dim(self: Tensor) -> int:
    """The number of dimensions of which all elements are stored: all."""
    return self.dim()


def to_sparse(self: Tensor, *arguments: Any, **keywords: Any) -> NoReturn:
    """Refused.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("to_sparse(): rgrad has dense tensors only")


def coalesce(self: Tensor) -> Tensor:
    """The tensor itself: no place has two values."""
    return self


def is_coalesced(self: Tensor) -> bool:
    """Whether no place has two values: so it is."""
    return True


def indices(self: Tensor) -> Tensor:
    """The places of the elements that are not zero, a column each."""
    return self.nonzero().t()


def values(self: Tensor) -> Tensor:
    """The elements that are not zero."""
    return self[self != 0]


def _nnz(self: Tensor) -> int:
    """How many elements are not zero."""
    return int(self.count_nonzero())


def _cdata(self: Tensor) -> int:
    """A number that no other living tensor has."""
    return id(self)


def record_stream(self: Tensor, stream: Any) -> NoReturn:
    """Refused.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("record_stream(): there are no streams beside the CPU")


if not TYPE_CHECKING:
    for _name in __all__:
        setattr(Tensor, _name, globals()[_name])
    Tensor._indices, Tensor._values = indices, values
    Tensor._cdata = property(_cdata)
