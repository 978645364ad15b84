"""`_foreach_*`: an operation on each tensor of a list.

Two tables say which operations there are. The functions are made when this module is imported, which the package does
when one of them is asked for.
"""

from __future__ import annotations

from rgrad import _rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

# Operations of a tensor alone.
_UNARY = """
    abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg reciprocal round
    rsqrt sigmoid sign sin sinh sqrt tan tanh trunc
""".split()

# Operations of a tensor and an operand, which is one for all tensors or one for each.
_BINARY = "add sub mul div clamp_max clamp_min maximum minimum pow".split()

# What stands for an operation with a number, where the operation itself takes tensors alone.
_WITH_NUMBERS = {"maximum": "clamp_min", "minimum": "clamp_max"}

# Operations of a tensor and two others, with a factor at the end.
_TERNARY = ["addcdiv", "addcmul"]


def _checked(tensors: Any, name: str) -> Sequence[Tensor]:
    if not isinstance(tensors, (list, tuple)) or not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise TypeError(f"{name}(): a list of Tensors is expected, got {type(tensors).__name__}")
    if not tensors:
        raise RuntimeError(f"{name}(): the list has to have at least one tensor")
    return tensors


def _each(tensors: Sequence[Tensor], operand: Any, name: str) -> Iterable[Any]:
    """The operand of each tensor."""
    if not isinstance(operand, (list, tuple)):
        return [operand] * len(tensors)
    if len(operand) != len(tensors):
        raise RuntimeError(f"{name}(): {len(operand)} operands for {len(tensors)} tensors")
    return operand


def _function(operation: str, call: Callable[..., Any], in_place: bool) -> None:
    """Defines `_foreach_operation`, or `_foreach_operation_`, whose rows of arguments `call` makes."""
    name = f"_foreach_{operation}" + "_" * in_place

    def foreach(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if operation == "pow" and not isinstance(self, (list, tuple)) and not in_place:
            return tuple(_rgrad.pow(self, exponent) for exponent in _checked(arguments[0], name))
        tensors = _checked(self, name)
        results = [
            function(*row, **named) for function, row, named in call(tensors, name, in_place, *arguments, **keywords)
        ]
        return self if in_place else tuple(results)

    foreach.__name__ = foreach.__qualname__ = name
    foreach.__doc__ = f"`{operation}{'_' * in_place}` of each tensor of a list."
    globals()[name] = foreach


def _found(operation: str, in_place: bool) -> Any:
    return getattr(Tensor, f"{operation}_") if in_place else getattr(Tensor, operation)


def _unary(operation: str) -> Callable[..., Any]:
    def rows(tensors: Any, name: str, in_place: bool) -> Iterable[Any]:
        function = _found(operation, in_place)
        return [(function, (tensor,), {}) for tensor in tensors]

    return rows


def _binary(operation: str) -> Callable[..., Any]:
    def rows(tensors: Any, name: str, in_place: bool, other: Any = None, **keywords: Any) -> Iterable[Any]:
        for names in ("scalar", "scalars", "exponent"):
            other = keywords.pop(names, other)
        if isinstance(tensors, Tensor):
            tensors, other = [tensors] * len(other), tensors
        made = []
        for tensor, operand in zip(tensors, _each(tensors, other, name)):
            chosen = operation if isinstance(operand, Tensor) else _WITH_NUMBERS.get(operation, operation)
            if in_place and not hasattr(Tensor, f"{chosen}_"):
                made.append((_stored(_found(chosen, False)), (tensor, operand), keywords))
            else:
                made.append((_found(chosen, in_place), (tensor, operand), keywords))
        return made

    return rows


def _stored(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function in place, for one that has no such form."""
    return lambda tensor, *rest, **keywords: tensor.copy_(function(tensor, *rest, **keywords))


def _ternary(operation: str) -> Callable[..., Any]:
    def rows(
        tensors: Any, name: str, in_place: bool, tensor1: Any, tensor2: Any, value: Any = 1, *, scalars: Any = None
    ) -> Iterable[Any]:
        factors = value if scalars is None else scalars
        if isinstance(factors, Tensor):
            factors = factors.tolist()
        function = _found(operation, in_place)
        first, second, factors = (_each(tensors, part, name) for part in (tensor1, tensor2, factors))
        return [
            (function, (tensor, a, b), {"value": factor})
            for tensor, a, b, factor in zip(tensors, first, second, factors)
        ]

    return rows


def _lerp(tensors: Any, name: str, in_place: bool, tensors1: Any, weight: Any = None, **keywords: Any) -> Iterable[Any]:
    for names in ("weights", "scalars"):
        weight = keywords.pop(names, weight)
    function = _found("lerp", in_place)
    ends, weights = _each(tensors, tensors1, name), _each(tensors, weight, name)
    return [(function, row, {}) for row in zip(tensors, ends, weights)]


def _foreach_norm(self: Any, ord: Any = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """The norm of order `ord` of each tensor of a list."""
    return tuple(_rgrad.norm(tensor, ord, dtype=dtype) for tensor in _checked(self, "_foreach_norm"))


def _foreach_max(self: Any) -> tuple[Tensor, ...]:
    """The largest element of each tensor of a list."""
    return tuple(tensor.max() for tensor in _checked(self, "_foreach_max"))


def _foreach_clone(self: Any) -> tuple[Tensor, ...]:
    """A copy of each tensor of a list."""
    return tuple(tensor.clone() for tensor in _checked(self, "_foreach_clone"))


def _foreach_mm(self: Any, mat2: Any) -> tuple[Tensor, ...]:
    """The product of each matrix of a list with that of another."""
    tensors = _checked(self, "_foreach_mm")
    return tuple(tensor.mm(other) for tensor, other in zip(tensors, _each(tensors, mat2, "_foreach_mm")))


def _foreach_copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Stores each tensor of a list in that of another."""
    for tensor, source in zip(_checked(self, "_foreach_copy_"), _each(self, src, "_foreach_copy_")):
        tensor.copy_(source)
    return self


def _foreach_zero_(self: Any) -> Any:
    """Sets the elements of each tensor of a list to 0."""
    for tensor in _checked(self, "_foreach_zero_"):
        tensor.zero_()
    return self


def _foreach_powsum(self: Any, ord: Any = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """The sum of the sizes to the power `ord` of the elements of each tensor of a list."""
    return tuple(tensor.abs().pow(ord).sum(dtype=dtype) for tensor in _checked(self, "_foreach_powsum"))


for _maker, _operations in ((_unary, _UNARY), (_binary, _BINARY), (_ternary, _TERNARY)):
    for _operation in _operations:
        if hasattr(Tensor, _operation):
            _function(_operation, _maker(_operation), in_place=False)
            _function(_operation, _maker(_operation), in_place=True)
if hasattr(Tensor, "lerp"):
    _function("lerp", _lerp, in_place=False)
    _function("lerp", _lerp, in_place=True)
