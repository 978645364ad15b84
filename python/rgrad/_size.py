"""`rgrad.Size`: the sizes of a tensor as a tuple that knows their product."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Size(tuple):
    """A tuple of sizes, as `tensor.shape` gives it."""

    __slots__ = ()

    def __new__(cls, sizes: Iterable[int] = ()) -> Size:
        self = tuple.__new__(cls, sizes)
        for size in self:
            if not isinstance(size, int) and not hasattr(size, "__index__"):
                raise TypeError(f"a size is made of ints, got {type(size).__name__}")
        return self

    def numel(self) -> int:
        """The number of elements of a tensor of this size."""
        count = 1
        for size in self:
            count *= size
        return count

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __add__(self, other: tuple) -> Size:  # type: ignore[override]
        return Size(tuple.__add__(self, tuple(other)))

    def __mul__(self, times: int) -> Size:  # type: ignore[override]
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__  # type: ignore[assignment]

    def __getitem__(self, index):  # type: ignore[no-untyped-def, override]
        part = tuple.__getitem__(self, index)
        return Size(part) if isinstance(index, slice) else part

    def __reduce__(self) -> tuple:
        return (Size, (tuple(self),))
