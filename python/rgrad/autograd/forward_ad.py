"""Forward mode: derivatives along a direction, carried by dual tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._rgrad import _end_dual_level, _make_dual, _unpack_dual

if TYPE_CHECKING:
    from .._rgrad import Tensor

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

_level = -1


class UnpackedDualTensor(NamedTuple):
    """A value and its tangent; the tangent is `None` for a tensor that is not dual."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Open a forward-mode level and give its number.

    Raises RuntimeError if one is open already: levels do not nest.
    """
    global _level
    if _level >= 0:
        raise RuntimeError("forward mode is active already: dual levels do not nest")
    _level += 1
    return _level


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the open level. Raises RuntimeError if `level` is not the open one."""
    global _level
    if _level < 0 or (level is not None and level != _level):
        raise RuntimeError(f"dual level {level} is not open")
    _level -= 1
    _end_dual_level()


class dual_level:  # noqa: N801
    """A context in which dual tensors can be made."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *_: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A tensor with the values of `tensor` that carries `tangent`, of the same size.

    Raises RuntimeError outside a `dual_level` and for a tensor that has a tangent, ValueError for integers.
    """
    if _level < 0:
        raise RuntimeError("make_dual() needs an open dual_level()")
    for name, part in (("tensor", tensor), ("tangent", tangent)):
        if not (part.is_floating_point() or part.is_complex()):
            raise ValueError(f"make_dual(): {name} has to be floating point or complex, got {part.dtype}")
    if _unpack_dual(tensor)[1] is not None:
        raise RuntimeError("make_dual(): the tensor has a tangent already; unpack_dual() it first")
    return _make_dual(tensor, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The values and the tangent of a dual tensor."""
    if _level < 0:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(*_unpack_dual(tensor))
