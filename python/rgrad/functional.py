"""Functions of tensors whose results or arguments take more than one form."""

from __future__ import annotations

from rgrad import _rgrad
from rgrad._rgrad import Tensor, _overridable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["einsum", "gradient", "nonzero", "tensordot", "unique", "unique_consecutive"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum(*args: Any) -> Tensor:
    """The sum of products that an equation names: ``einsum("ij,jk->ik", a, b)``.

    A letter stands for a dimension and ``...`` for dimensions that broadcast; letters that the result does not have are
    summed over, and a letter that an operand has twice is its diagonal. Without ``->`` the result has the letters that
    appear once, in alphabetical order. In place of the equation each operand may be followed by a list of numbers below
    52 for its dimensions, and the last of them by one for the result: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.

    Raises `RuntimeError` for an equation that does not fit its operands.
    """
    if len(args) < 2:
        raise ValueError("einsum(): an equation and at least one operand are needed")
    if isinstance(args[0], Tensor):
        named = args[0:-1:2] if len(args) % 2 else args[0::2]
        equation = ",".join(map(_letters, args[1::2]))
        if len(args) % 2:
            equation += "->" + _letters(args[-1])
        return einsum(equation, *named)
    equation, *operands = args
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        return einsum(equation, *operands[0])
    return _rgrad.einsum(equation, operands)


def _letters(numbers: Sequence[Any]) -> str:
    for number in numbers:
        if number is not Ellipsis and not 0 <= number < len(_LETTERS):
            raise ValueError(f"einsum(): the number {number} of a dimension is not below {len(_LETTERS)}")
    return "".join("..." if number is Ellipsis else _LETTERS[number] for number in numbers)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: None = None) -> Tensor:
    """The sums of products over dimensions of `a` and of `b`.

    `dims` is the number of the last dimensions of `a` and the first of `b`, or two lists of dimensions.
    Raises `RuntimeError` if their sizes differ.
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.numel() > 1 else int(dims.item())
    if not isinstance(dims, int):
        first, second = (list(part) if isinstance(part, (list, tuple)) else [part] for part in dims)
    elif dims < 0:
        raise RuntimeError(f"tensordot(): the number of dimensions must not be negative, got {dims}")
    elif dims > min(a.dim(), b.dim()):
        raise RuntimeError(f"tensordot(): {dims} dimensions of tensors of {a.dim()} and {b.dim()}")
    else:
        first, second = list(range(-dims, 0)), list(range(dims))
    return _rgrad._tensordot(a, b, first, second)


def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: bool = False) -> Any:
    """The coordinates of the elements that are not 0: a row for each, or `as_tuple` a vector for each dimension."""
    return _rgrad._nonzero_columns(input) if as_tuple else _rgrad.nonzero(input, out=out)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The elements each once in ascending order, or along `dim` the parts in lexicographic order.

    With `return_inverse` also where each element (or part) is among them, with `return_counts` how often.
    """
    if dim is None:
        found = _rgrad._unique_elements(input, sorted, return_inverse, return_counts)
    else:
        found = _rgrad.unique_dim(input, dim, sorted, return_inverse, return_counts)
    return _asked(found, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or parts along `dim`), of neighbours that are equal only one."""
    return _asked(_rgrad._unique_consecutive(input, return_inverse, return_counts, dim), return_inverse, return_counts)


def _asked(found: Sequence[Tensor], inverse: bool, counts: bool) -> Any:
    values = (found[0], *([found[1]] if inverse else []), *([found[2]] if counts else []))
    return values if len(values) > 1 else values[0]


def gradient(
    input: Tensor, *, spacing: Any = 1, dim: int | Sequence[int] | None = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """The derivative along each of the dimensions `dim` (all by default) of a function with these values.

    `spacing` is the distance between neighbours, one number or one for each dimension, or a vector of coordinates for
    each. Inside, differences are taken over both neighbours, to the second order also where they are not equally far;
    at the ends to `edge_order`, 1 or 2.
    """
    if edge_order not in (1, 2):
        raise RuntimeError(f"gradient(): edge_order is 1 or 2, not {edge_order}")
    if dim is None:
        dims = list(range(input.dim()))
    else:
        dims = [dim] if isinstance(dim, int) else list(dim)
    for d in dims:
        if not -input.dim() <= d < input.dim():
            raise IndexError(f"gradient(): dimension {d} is out of range for a tensor of {input.dim()} dimensions")
    if len({d % input.dim() for d in dims}) < len(dims):
        raise RuntimeError(f"gradient(): dimensions {dims} are not different")
    several = isinstance(spacing, (list, tuple))
    if several and len(spacing) != len(dims):
        raise RuntimeError(f"gradient(): {len(spacing)} spacings for {len(dims)} dimensions")
    for d in dims:
        if input.size(d) < edge_order + 1:
            raise RuntimeError(f"gradient(): dimension {d} of size {input.size(d)} is too short for its ends")
    return tuple(
        _along(input, spacing[i] if several else 1 if spacing is None else spacing, d, edge_order)
        for i, d in enumerate(dims)
    )


def _along(values: Tensor, spacing: Any, dim: int, edge_order: int) -> Tensor:
    n = values.size(dim)

    def part(start: int, length: int) -> Tensor:
        return values.narrow(dim, start, length)

    if not isinstance(spacing, Tensor):
        inner = (part(2, n - 2) - part(0, n - 2)) / (2 * spacing)
        if edge_order == 1:
            first, last = (part(1, 1) - part(0, 1)) / spacing, (part(n - 1, 1) - part(n - 2, 1)) / spacing
        else:
            first = (-1.5 * part(0, 1) + 2 * part(1, 1) - 0.5 * part(2, 1)) / spacing
            last = (1.5 * part(n - 1, 1) - 2 * part(n - 2, 1) + 0.5 * part(n - 3, 1)) / spacing
        return _rgrad.cat([first, inner, last], dim)
    if spacing.dim() != 1 or spacing.numel() != n:
        raise RuntimeError(f"gradient(): {n} coordinates are needed along dimension {dim}")
    sizes = [1] * values.dim()
    sizes[dim] = -1
    steps = spacing.diff().reshape(sizes)
    before, after = steps.narrow(dim, 0, n - 2), steps.narrow(dim, 1, n - 2)
    inner = (
        -after / (before * (before + after)) * part(0, n - 2)
        + (after - before) / (before * after) * part(1, n - 2)
        + before / (after * (before + after)) * part(2, n - 2)
    )

    def step(i: int) -> Tensor:
        return steps.narrow(dim, i % (n - 1), 1)

    if edge_order == 1:
        first, last = (part(1, 1) - part(0, 1)) / step(0), (part(n - 1, 1) - part(n - 2, 1)) / step(-1)
    else:
        a, b = step(0), step(1)
        first = (
            -(2 * a + b) / (a * (a + b)) * part(0, 1) + (a + b) / (a * b) * part(1, 1) - a / (b * (a + b)) * part(2, 1)
        )
        a, b = step(-1), step(-2)
        last = (
            (2 * a + b) / (a * (a + b)) * part(n - 1, 1)
            - (a + b) / (a * b) * part(n - 2, 1)
            + a / (b * (a + b)) * part(n - 3, 1)
        )
    return _rgrad.cat([first, inner, last], dim)


if not TYPE_CHECKING:
    # What is a function here is one that `__torch_function__` overrides, and some are methods too.
    for _name in __all__:
        globals()[_name] = _overridable(globals()[_name])

    def _method(function):
        def method(self, *args, **kwargs):
            return function(self, *args, **kwargs)

        method.__name__, method.__doc__ = function.__name__, function.__doc__
        method.__qualname__ = f"Tensor.{function.__name__}"
        return method

    for _name in ("nonzero", "unique", "unique_consecutive"):
        setattr(Tensor, _name, _method(globals()[_name]))
