"""A version that is compared number by number, with another version, a string or numbers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["TorchVersion"]


def _numbers(version: Any) -> tuple[int, ...]:
    """The numbers before the first part that has letters, without zeros at the end: `(2, 13)` of `"2.13.0+cpu"`."""
    parts: Iterable[Any] = version.partition("+")[0].split(".") if isinstance(version, str) else version
    numbers = []
    for part in parts:
        digits = str(part)
        if not digits.isdigit():
            break
        numbers.append(int(digits))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _comparison(name: str) -> Callable[[Any, Any], Any]:
    def compare(self: str, other: Any) -> Any:
        if not (hasattr(other, "release") or isinstance(other, (str, tuple, list))):
            return NotImplemented
        return getattr(_numbers(self), name)(_numbers(getattr(other, "release", other)))

    return compare


class TorchVersion(str):
    """A string such as `"2.13.0+cpu"`, greater than `"2.2"` and than `(2, 2)`; what follows a letter does not count."""

    __lt__ = _comparison("__lt__")
    __le__ = _comparison("__le__")
    __gt__ = _comparison("__gt__")
    __ge__ = _comparison("__ge__")
    __eq__ = _comparison("__eq__")
    __ne__ = _comparison("__ne__")
    __hash__ = str.__hash__
