"""`assert_close`, which compares tensors, numbers and collections of them."""

from __future__ import annotations

from cmath import isclose as complex_isclose
from cmath import isnan as complex_isnan
from collections.abc import Mapping, Sequence

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["assert_close"]

#: Relative and absolute tolerances by dtype: about half the digits, and 1e-7 in double precision.
_TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex32": (1e-3, 1e-5),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
_OF_NUMBERS = {float: "float64", complex: "complex128"}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise `AssertionError` unless `actual` and `expected` are close, entry by entry.

    Entries are close if `|actual - expected| <= atol + rtol * |expected|`, or if they are equal. Sequences and mappings
    are compared element by element.

    Args:
        actual: a tensor, an array of NumPy, a number, `None`, or a sequence or mapping of such.
        expected: what it should be.
        allow_subclasses: whether objects of related classes are compared, or only of the same.
        rtol: the relative tolerance, given together with `atol`; by default both are chosen by the dtype, of two dtypes
            the larger ones.
        atol: the absolute tolerance.
        equal_nan: whether NaN is close to NaN.
        check_device: accepted; there is one device.
        check_dtype: whether dtypes have to be the same, for numbers their types; otherwise tensors are promoted.
        check_layout: accepted; there is one layout.
        check_stride: whether strides have to be the same.
        msg: the message of the error, or a function that makes it of the message it would have.

    Raises:
        AssertionError: they are not close.
        ValueError: only one of the tolerances is given.
        TypeError: objects are of types that cannot be compared.
    """
    if (rtol is None) != (atol is None):
        raise ValueError("assert_close(): rtol and atol are given together or not at all")
    comparison = _Comparison(allow_subclasses, rtol, atol, equal_nan, check_dtype, check_stride, msg)
    for pair in list(comparison.pairs(actual, expected, ())):
        comparison.compare(*pair)


class _Comparison:
    """The options of a comparison."""

    def __init__(
        self,
        allow_subclasses: bool,
        rtol: float | None,
        atol: float | None,
        equal_nan: bool,
        check_dtype: bool,
        check_stride: bool,
        msg: str | Callable[[str], str] | None,
    ) -> None:
        self.allow_subclasses = allow_subclasses
        self.rtol = rtol
        self.atol = atol
        self.equal_nan = equal_nan
        self.check_dtype = check_dtype
        self.check_stride = check_stride
        self.msg = msg

    def pairs(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> list[tuple[Any, Any, tuple[Any, ...]]]:
        """All pairs of leaves, with the keys that lead to them; types and lengths are checked on the way."""
        if _is_sequence(actual) and _is_sequence(expected):
            if len(actual) != len(expected):
                self.fail(f"the sequences have {len(actual)} and {len(expected)} elements", path)
            steps: list[Any] = list(range(len(actual)))
        elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
            if actual.keys() != expected.keys():
                missing, surplus = sorted(map(repr, expected.keys() - actual.keys())), actual.keys() - expected.keys()
                self.fail(
                    f"the mappings differ in keys: {missing} are missing, {sorted(map(repr, surplus))} too many", path
                )
            steps = sorted(actual) if all(isinstance(key, str) for key in actual) else list(actual)
        else:
            return [self.checked(actual, expected, path)]
        return [pair for step in steps for pair in self.pairs(actual[step], expected[step], (*path, step))]

    def checked(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, ...]]:
        """A pair of leaves that can be compared, arrays made tensors."""
        if actual is None or expected is None:
            return actual, expected, path
        related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        numbers = _is_number(actual) and _is_number(expected)
        if not self.allow_subclasses and type(actual) is not type(expected) and not numbers:
            related = False
        if not (related or numbers):
            raise TypeError(
                f"assert_close(): {_place(path)} is a {type(actual).__name__} and should be a "
                f"{type(expected).__name__}; these types cannot be compared"
            )
        if numbers or isinstance(actual, Tensor):
            return actual, expected, path
        try:
            return rgrad.as_tensor(actual), rgrad.as_tensor(expected), path
        except Exception:  # noqa: BLE001 - whatever it is that no tensor is made of
            raise TypeError(f"assert_close(): {_place(path)} is a {type(actual).__name__}, not a tensor") from None

    def compare(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        """Raise `AssertionError` unless two leaves are close."""
        if actual is None or expected is None:
            if actual is not expected:
                self.fail(f"{actual!r} is not {expected!r}", path)
        elif isinstance(actual, Tensor):
            self.compare_tensors(actual, expected, path)
        else:
            self.compare_numbers(actual, expected, path)

    def compare_numbers(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        if self.check_dtype and type(actual) is not type(expected):
            self.fail(f"the types of numbers differ: {type(actual).__name__}, not {type(expected).__name__}", path)
        rtol, atol = self.tolerances(_OF_NUMBERS.get(type(actual), ""), _OF_NUMBERS.get(type(expected), ""))
        left, right = complex(actual), complex(expected)
        if self.equal_nan and complex_isnan(left) and complex_isnan(right):
            return
        # `rel_tol` of `isclose` is symmetric; here the tolerance goes by what is expected.
        if left == right or complex_isclose(left, right, rel_tol=0.0, abs_tol=atol + rtol * abs(right)):
            return
        difference = abs(left - right)
        relative = difference / abs(right) if right else float("inf")
        self.fail(
            f"the numbers are not close: {actual} instead of {expected}\n"
            f"absolute difference: {difference} (up to {atol} allowed)\n"
            f"relative difference: {relative} (up to {rtol} allowed)",
            path,
        )

    def compare_tensors(self, actual: Tensor, expected: Tensor, path: tuple[Any, ...]) -> None:
        if actual.shape != expected.shape:
            self.fail(f"the sizes differ: {tuple(actual.shape)}, not {tuple(expected.shape)}", path)
        if self.check_dtype and actual.dtype != expected.dtype:
            self.fail(f"the dtypes differ: {actual.dtype}, not {expected.dtype}", path)
        if self.check_stride and actual.stride() != expected.stride():
            self.fail(f"the strides differ: {actual.stride()}, not {expected.stride()}", path)
        rtol, atol = self.tolerances(_name(actual), _name(expected))
        with rgrad.no_grad():
            self.compare_values(actual.detach(), expected.detach(), rtol, atol, path)

    def compare_values(self, actual: Tensor, expected: Tensor, rtol: float, atol: float, path: tuple[Any, ...]) -> None:
        dtype = rgrad.promote_types(actual.dtype, expected.dtype)
        actual, expected = actual.to(dtype), expected.to(dtype)
        near = rgrad.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=self.equal_nan)
        if bool(near.all()):
            return
        far = ~near
        count, total = int(far.sum()), far.numel()
        wide = rgrad.float64 if not dtype.is_complex else dtype
        left, right = actual.to(wide), expected.to(wide)
        absolute = (left - right).abs().masked_fill(near, 0)
        relative = absolute / right.abs()
        relative = relative.masked_fill(near | relative.isnan(), 0) if not bool(absolute.isnan().any()) else relative
        lines = [
            f"the {'tensors' if actual.dim() else 'scalars'} are not close: {count} of {total} elements "
            f"({count / total:.1%}) differ too much"
        ]
        for name, difference, allowed in (("absolute", absolute, atol), ("relative", relative, rtol)):
            flat = difference.reshape(-1)
            position = int(flat.argmax())
            where = f" at index {_index(position, actual.shape)}" if actual.dim() else ""
            lines.append(f"greatest {name} difference: {flat[position].item()}{where} (up to {allowed} allowed)")
        self.fail("\n".join(lines), path)

    def tolerances(self, *dtypes: str) -> tuple[float, float]:
        """The tolerances given, or the largest of those of some dtypes."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        rows = [_TOLERANCES.get(dtype, (0.0, 0.0)) for dtype in dtypes]
        return max(row[0] for row in rows), max(row[1] for row in rows)

    def fail(self, message: str, path: tuple[Any, ...]) -> None:
        """Raise `AssertionError` with a message, or what `msg` makes of it."""
        if path:
            message = f"{message}\n\nThis is {_place(path)}."
        if self.msg is not None:
            message = self.msg(message) if callable(self.msg) else self.msg
        raise AssertionError(message)


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, (bool, int, float, complex))


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).rpartition(".")[2]


def _place(path: tuple[Any, ...]) -> str:
    return "item " + "".join(f"[{step!r}]" for step in path) if path else "the first argument"


def _index(position: int, shape: Sequence[int]) -> tuple[int, ...]:
    """The index of the element at a position in a row-major tensor."""
    index = []
    for size in reversed(shape):
        index.append(position % size)
        position //= size
    return tuple(reversed(index))
