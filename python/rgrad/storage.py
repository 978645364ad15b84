"""Storages, the memory below tensors: the names that programs ask about. Tensors give none of theirs out."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["TypedStorage", "UntypedStorage"]


class UntypedStorage:
    """A piece of memory in bytes; none can be made.

    Raises:
        NotImplementedError: always.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__}: memory is given out as tensors only; use rgrad.empty")


class TypedStorage(UntypedStorage):
    """A piece of memory of elements of one dtype; none can be made.

    Raises:
        NotImplementedError: always.
    """
