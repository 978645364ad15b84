"""Tensors in memory that several processes see: `Tensor.share_memory_`.

Such a tensor lies in a file without a name that is mapped into memory. A process that is forked has the same mapping;
one that is spawned, or gets the tensor through a queue, is handed the file and maps it too. What one writes into the
tensor the others read.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from multiprocessing.reduction import DupFd, ForkingPickler
from weakref import finalize

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T", bound=Tensor)

__all__ = ["is_shared", "share"]

# The files that are mapped here, by the addresses of the mappings.
_files: dict[int, Any] = {}


def share(tensor: T) -> T:
    """Move the elements of `tensor` into shared memory, unless they are there, and give it back."""
    if is_shared(tensor) or tensor.numel() == 0:
        return tensor
    file = open(os.memfd_create("rgrad"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile()
    file.truncate(tensor.nbytes)
    moved = _mapped(file, tensor.dtype, tensor.shape)
    moved.copy_(tensor.detach())
    tensor.data = moved
    return tensor


def is_shared(tensor: Tensor) -> bool:
    """Whether `share` has moved the elements of `tensor`."""
    return _address(tensor) in _files


def _address(tensor: Tensor) -> int:
    return tensor._storage_bytes().data_ptr()


def _mapped(file: Any, dtype: Any, shape: Any) -> Tensor:
    mapping = mmap.mmap(file.fileno(), 0)
    tensor = rgrad.frombuffer(mapping, dtype=dtype).reshape(shape)
    address = _address(tensor)
    _files[address] = file
    finalize(mapping, _files.pop, address, None)
    return tensor


def _reduced(tensor: Tensor) -> Any:
    file = _files.get(_address(tensor))
    if file is None or not tensor.is_contiguous() or tensor.storage_offset():
        return tensor.__reduce_ex__(2)
    place = DupFd(file.fileno())
    return _rebuilt, (type(tensor), place, tensor.dtype, tuple(tensor.shape), tensor.requires_grad)


def _rebuilt(kind: type, place: Any, dtype: Any, shape: Any, requires_grad: bool) -> Tensor:
    tensor = _mapped(open(place.detach(), "r+b"), dtype, shape)
    if kind is Tensor:
        return tensor.requires_grad_(requires_grad)
    parameter: Tensor = kind(tensor, requires_grad=requires_grad)
    return parameter


ForkingPickler.register(Tensor, _reduced)
ForkingPickler.register(rgrad.nn.Parameter, _reduced)
