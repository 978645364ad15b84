"""Finds the parts of a sequence that repeat themselves one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_LONGEST_PERIOD = 24
_FEWEST_TIMES = 3


@dataclass(frozen=True)
class Repeat:
    """`times` copies of `period` elements, the first of them at `start`."""

    start: int
    period: int
    times: int

    @property
    def stop(self) -> int:
        """The index after the last element of the last copy."""
        return self.start + self.period * self.times


def find_repeats(sequence: Sequence[int], begins_well: Callable[[int], bool] = lambda index: True) -> list[Repeat]:
    """Repeats that do not overlap, from left to right, each as long as can be.

    A repeat may often be cut at several places: `b a b a b a` is also `b`, twice `a b`, `a`. Where
    that costs no copy, the first element of a copy is one for which `begins_well` holds.
    """
    agreeing = _agreements(sequence)
    found: list[Repeat] = []
    index = 0
    while index < len(sequence):
        best = _best_at(index, agreeing)
        if best is None:
            index += 1
            continue
        for shift in range(best.period):
            start = best.start + shift
            moved = _with_period(start, best.period, agreeing)
            if moved.times == best.times and begins_well(start):
                best = moved
                break
        found.append(best)
        index = best.stop
    return found


def _agreements(sequence: Sequence[int]) -> list[list[int]]:
    """For each period and index, how many elements from there on equal the one a period later."""
    length = len(sequence)
    table = []
    for period in range(1, min(_LONGEST_PERIOD, length // _FEWEST_TIMES) + 1):
        run = 0
        row = [0] * length
        for index in range(length - period - 1, -1, -1):
            run = run + 1 if sequence[index] == sequence[index + period] else 0
            row[index] = run
        table.append(row)
    return table


def _with_period(start: int, period: int, agreeing: list[list[int]]) -> Repeat:
    return Repeat(start, period, agreeing[period - 1][start] // period + 1)


def _best_at(start: int, agreeing: list[list[int]]) -> Repeat | None:
    best: Repeat | None = None
    for period in range(1, len(agreeing) + 1):
        if agreeing[period - 1][start] < period * (_FEWEST_TIMES - 1):
            continue
        repeat = _with_period(start, period, agreeing)
        if best is None or repeat.stop > best.stop:
            best = repeat
    return best
