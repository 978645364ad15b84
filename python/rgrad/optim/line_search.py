"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

from math import sqrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rgrad._rgrad import Tensor

__all__ = ["strong_wolfe"]


class _Point:
    """A step along the line: its length, the value and the gradient there, and the slope along the line."""

    __slots__ = ("gradient", "length", "slope", "value")

    def __init__(self, length: float, value: float, gradient: Tensor, slope: float) -> None:
        self.length = length
        self.value = value
        self.gradient = gradient
        self.slope = slope


def strong_wolfe(
    evaluate: Callable[[float], tuple[float, Tensor]],
    length: float,
    direction: Tensor,
    value: float,
    gradient: Tensor,
    slope: float,
    tolerance: float = 1e-9,
    decrease: float = 1e-4,
    curvature: float = 0.9,
    limit: int = 25,
) -> tuple[float, Tensor, float, int]:
    """A step that lowers the value enough and leaves a slope flat enough.

    Nocedal and Wright, "Numerical optimization" (2006), algorithms 3.5 and 3.6, with cubic interpolation.

    Args:
        evaluate: gives the value and the gradient at a length.
        length: the length to try first.
        direction: the direction of the line.
        value: the value at its beginning.
        gradient: the gradient there.
        slope: the slope there, which is negative.
        tolerance: the width of a bracket that is narrow enough.
        decrease: the part of the slope by which the value has to fall.
        curvature: the part of the slope that may be left.
        limit: the number of lengths to try.

    Returns:
        The value and the gradient at the step found, its length, and the number of evaluations.
    """
    size = float(direction.abs().max().item())
    start = _Point(0.0, value, gradient.clone(), slope)

    def at(length: float) -> _Point:
        value, gradient = evaluate(length)
        return _Point(length, value, gradient.clone(), float(gradient.dot(direction).item()))

    def rises(point: _Point) -> bool:
        return point.value > value + decrease * point.length * slope

    def is_flat(point: _Point) -> bool:
        return abs(point.slope) <= -curvature * slope

    before, point = start, at(length)
    evaluations = 1
    tries = 0
    while tries < limit:
        if rises(point) or (tries > 1 and point.value >= before.value):
            bracket = [before, point]
            break
        if is_flat(point):
            return point.value, point.gradient, point.length, evaluations
        if point.slope >= 0:
            bracket = [before, point]
            break
        least = point.length + 0.01 * (point.length - before.length)
        following = _cubic_minimum(before, point, least, point.length * 10)
        before, point = point, at(following)
        evaluations += 1
        tries += 1
    else:
        bracket = [start, point]
    best, evaluations = _zoomed(bracket, at, rises, is_flat, size, tolerance, tries, limit, evaluations)
    return best.value, best.gradient, best.length, evaluations


def _zoomed(
    bracket: list[_Point],
    at: Callable[[float], _Point],
    rises: Callable[[_Point], bool],
    is_flat: Callable[[_Point], bool],
    size: float,
    tolerance: float,
    tries: int,
    limit: int,
    evaluations: int,
) -> tuple[_Point, int]:
    """The best point within a bracket, which is narrowed until a condition is met, and the number of evaluations."""
    slow = False
    low, high = (0, 1) if bracket[0].value <= bracket[-1].value else (1, 0)
    while tries < limit:
        left, right = sorted(point.length for point in bracket)
        width = right - left
        if width * size < tolerance:
            break
        length = _cubic_minimum(bracket[0], bracket[1], left, right)
        # A step too near to an end of the bracket twice in a row, or at the end, is moved a tenth inwards.
        if min(right - length, length - left) / width < 0.1:
            if slow or length >= right or length <= left:
                length = right - 0.1 * width if abs(length - right) < abs(length - left) else left + 0.1 * width
                slow = False
            else:
                slow = True
        else:
            slow = False
        point = at(length)
        evaluations += 1
        tries += 1
        if rises(point) or point.value >= bracket[low].value:
            bracket[high] = point
            low, high = (0, 1) if bracket[0].value <= bracket[1].value else (1, 0)
            continue
        done = is_flat(point)
        if not done and point.slope * (bracket[high].length - bracket[low].length) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = point
        if done:
            break
    return bracket[low], evaluations


def _cubic_minimum(first: _Point, second: _Point, least: float, most: float) -> float:
    """Where the cubic through two points with their slopes is lowest, within bounds; their middle if nowhere."""
    if first.length > second.length:
        first, second = second, first
    middle = first.slope + second.slope - 3 * (first.value - second.value) / (first.length - second.length)
    square = middle**2 - first.slope * second.slope
    if not square >= 0:
        return (least + most) / 2.0
    root = sqrt(square)
    part = (second.slope + root - middle) / (second.slope - first.slope + 2 * root)
    return min(max(second.length - (second.length - first.length) * part, least), most)
