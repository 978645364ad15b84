"""How long statements take: `Timer`, as Python's `timeit`, with several runs and their median."""

from __future__ import annotations

import timeit as _timeit
from statistics import mean, median, quantiles

import rgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["Compare", "Measurement", "Timer"]

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


class Measurement:
    """The seconds that runs of a statement took, each run `number_per_run` times in a row."""

    def __init__(self, number_per_run: int, raw_times: list[float], title: str, description: str, threads: int) -> None:
        self.number_per_run, self.raw_times = number_per_run, raw_times
        self.title, self.description, self.num_threads = title, description, threads

    @property
    def times(self) -> list[float]:
        """Seconds of the statement, run by run."""
        return [time / self.number_per_run for time in self.raw_times]

    @property
    def mean(self) -> float:
        """The mean of the times."""
        return mean(self.times)

    @property
    def median(self) -> float:
        """The median of the times."""
        return median(self.times)

    @property
    def iqr(self) -> float:
        """How far the quarters in the middle reach."""
        if len(self.times) < 2:
            return 0.0
        low, _, high = quantiles(self.times, n=4)
        return high - low

    def __repr__(self) -> str:
        factor, unit = next((row for row in _UNITS if self.median >= row[0]), _UNITS[-1])
        runs = f"{len(self.times)} runs of {self.number_per_run}, {self.num_threads} threads"
        return f"<{type(self).__name__}> {self.title}\n  {self.median / factor:.2f} {unit} ({runs})"


class Timer:
    """Times a statement.

    Args:
        stmt: Python code.
        setup: code that runs first, once for each run.
        timer: a clock.
        globals: the names that the code knows.
        label: what the statement is called.
        sub_label: the same in more words.
        description: what is special about it.
        num_threads: the number of threads meanwhile.
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = _timeit.default_timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
    ) -> None:
        self._timer = _timeit.Timer(stmt, setup, timer, {"torch": rgrad, **(globals or {})})
        self._title = ": ".join(part for part in (label or stmt, sub_label) if part)
        self._description, self._threads = description or "", num_threads

    def _measured(self, number: int, runs: Callable[[Callable[[], float]], list[float]]) -> Measurement:
        before = rgrad.get_num_threads()
        rgrad.set_num_threads(self._threads)
        try:
            times = runs(lambda: self._timer.timeit(number))
        finally:
            rgrad.set_num_threads(before)
        return Measurement(number, times, self._title, self._description, self._threads)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One run, of `number` times the statement."""
        return self._measured(number, lambda run: [run()])

    def repeat(self, repeat: int = -1, number: int = -1) -> Measurement:
        """Several runs, by default five of a thousand times the statement."""
        return self._measured(number if number > 0 else 1000, lambda run: [run() for _ in range(max(repeat, 5))])

    def blocked_autorange(self, callback: Any = None, min_run_time: float = 0.2) -> Measurement:
        """Runs of a number that is found, until they have taken `min_run_time` seconds together."""
        number, _ = self._timer.autorange()
        number = max(1, number // 10)

        def runs(run: Callable[[], float]) -> list[float]:
            times = [run()]
            while sum(times) < min_run_time:
                times.append(run())
            return times

        return self._measured(number, runs)

    adaptive_autorange = blocked_autorange


class Compare:
    """A table of measurements."""

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results = list(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Do nothing: two decimals are printed."""

    def colorize(self, rowwise: bool = False) -> None:
        """Do nothing: the table has no colours."""

    def __str__(self) -> str:
        return "\n".join(
            f"{row.title} {row.description}".ljust(48) + f"{row.median * 1e6:12.2f} us" for row in self._results
        )

    def print(self) -> None:
        """Print the table."""
        print(self)
