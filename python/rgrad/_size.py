"""`rgrad.Size`: the sizes of a tensor as a tuple that knows their product."""

from __future__ import annotations

from rgrad._rgrad import Tensor, _index_sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, SupportsIndex, overload


def _whole(size: Any) -> int:
    """A size as an int, which a tensor of one may stand for; numbers of numpy stay what they are."""
    if isinstance(size, bool) or (isinstance(size, Tensor) and not size.is_floating_point()):
        return int(size)
    if isinstance(size, Tensor) or not hasattr(size, "__index__"):
        raise TypeError(f"a size is made of ints, got {type(size).__name__}")
    return size  # type: ignore[no-any-return]


class Size(tuple[int, ...]):
    """A tuple of sizes, as `tensor.shape` gives it."""

    __module__ = "rgrad"
    __slots__ = ()

    def __new__(cls, sizes: Iterable[int] = ()) -> Size:
        self = tuple.__new__(cls, sizes)
        if all(type(size) is int for size in self):
            return self
        return tuple.__new__(cls, map(_whole, self))

    def numel(self) -> int:
        """The number of elements of a tensor of this size."""
        count = 1
        for size in self:
            count *= size
        return count

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __add__(self, other: Iterable[int]) -> Size:  # type: ignore[override]
        return Size(tuple.__add__(self, tuple(other)))

    def __mul__(self, times: SupportsIndex) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    if TYPE_CHECKING:
        # The core looks up numbers, and makes sizes of slices; see below.
        @overload
        def __getitem__(self, key: SupportsIndex, /) -> int: ...
        @overload
        def __getitem__(self, key: slice, /) -> Size: ...
        def __getitem__(self, key: Any, /) -> Any: ...

    def __reduce__(self) -> tuple[type[Size], tuple[tuple[int, ...]]]:
        return (Size, (tuple(self),))


_index_sizes(Size)
