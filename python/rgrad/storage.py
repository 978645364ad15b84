"""Storages: the memory below tensors, which a tensor shares with its views, as an object of its own."""

from __future__ import annotations

from rgrad import _rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from typing_extensions import Self

    from rgrad._rgrad import device, dtype

__all__ = ["TypedStorage", "UntypedStorage"]


class UntypedStorage:
    """A piece of memory in bytes: that of a tensor, or a new one of `size` bytes.

    Args:
        size: the number of bytes.
    """

    _tensor: Tensor
    is_cuda = False
    is_sparse = False

    def __init__(self, size: int = 0, *, device: Any = None) -> None:
        self._tensor = _rgrad.empty(size, dtype=_rgrad.uint8, device=device)

    @classmethod
    def _of(cls, tensor: Tensor) -> Self:
        storage = cls.__new__(cls)
        storage._tensor = tensor._storage_bytes()
        return storage

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._tensor.data_ptr()

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._tensor.nbytes

    def size(self) -> int:
        """The number of elements."""
        return self._tensor.numel()

    __len__ = size

    def element_size(self) -> int:
        """Bytes of an element."""
        return self._tensor.element_size()

    @property
    def device(self) -> device:
        """Where the memory is."""
        return self._tensor.device

    def get_device(self) -> int:
        """The number of the device: -1 for the CPU."""
        return -1

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is pinned for another device: there is none."""
        return False

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        values: list[Any] = self._tensor.tolist()
        return values

    def __getitem__(self, index: Any) -> Any:
        part = self._tensor[index]
        return part.item() if part.dim() == 0 else part.tolist()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._tensor[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def fill_(self, value: Any) -> Self:
        """Set every element to a number."""
        self._tensor.fill_(value)
        return self

    def copy_(self, source: UntypedStorage, non_blocking: bool | None = None) -> Self:
        """Take the elements of another storage."""
        self._tensor.copy_(source._tensor)
        return self

    def clone(self) -> Self:
        """A storage with memory of its own and the same elements."""
        storage = type(self).__new__(type(self))
        storage._tensor = self._tensor.clone()
        return storage

    def cpu(self) -> Self:
        """The storage as it is."""
        return self

    def __repr__(self) -> str:
        return f"[rgrad.storage.{type(self).__name__}(device={self.device}) of size {self.size()}]"


class TypedStorage(UntypedStorage):
    """A piece of memory in elements of one dtype: that of a tensor, or a new one of `size` elements.

    Args:
        size: the number of elements.
        dtype: their type; the default float type if it is not given.
    """

    def __init__(self, size: int = 0, *, dtype: dtype | None = None, device: Any = None) -> None:
        self._tensor = _rgrad.empty(size, dtype=dtype, device=device)

    @classmethod
    def _of(cls, tensor: Tensor) -> Self:
        storage = cls.__new__(cls)
        storage._tensor = tensor._storage_bytes().view(tensor.dtype)
        return storage

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return self._tensor.dtype

    def untyped(self) -> UntypedStorage:
        """The same memory in bytes."""
        return UntypedStorage._of(self._tensor)

    def pickle_storage_type(self) -> str:
        """The name of a class for storages of this dtype, as files have it."""
        return self._tensor.type().rpartition(".")[2].replace("Tensor", "Storage")
