"""What the profiler noted: single events, their sums by operation, tables, and traces for Chrome."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rgrad.utils.table import to_text

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval"]

_SORTED = (
    "count",
    "cpu_time",
    "cpu_time_total",
    "self_cpu_time_total",
    "cpu_memory_usage",
    "self_cpu_memory_usage",
)


class Interval(NamedTuple):
    """A stretch of time, in microseconds."""

    start: float
    end: float

    def elapsed_us(self) -> float:
        return self.end - self.start


@dataclass(eq=False)
class FunctionEvent:
    """One run of an operation, of a node of a backward pass, or of a stretch with a name of its own.

    Times are in microseconds. Its children ran within it, in the same thread; what is left to itself is `self_...`.
    Memory is that of results beyond what arguments hold, in bytes.
    """

    id: int
    name: str
    time_range: Interval
    thread: int
    sequence_nr: int
    is_backward: bool
    input_shapes: list[list[int]]
    stack: list[str]
    result_memory: int
    cpu_parent: FunctionEvent | None = None
    cpu_children: list[FunctionEvent] = field(default_factory=list)
    count: int = 1

    @property
    def key(self) -> str:
        return self.name

    @property
    def cpu_time_total(self) -> float:
        return self.time_range.elapsed_us()

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total

    @property
    def self_cpu_time_total(self) -> float:
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def cpu_memory_usage(self) -> int:
        return max(self.result_memory, sum(child.cpu_memory_usage for child in self.cpu_children))

    @property
    def self_cpu_memory_usage(self) -> int:
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    def __repr__(self) -> str:
        return f"<FunctionEvent {self.name}: {_time(self.cpu_time_total)} in thread {self.thread}>"


@dataclass(eq=False)
class FunctionEventAvg:
    """All events of one name (and of the same shapes or place, if they were grouped so)."""

    key: str = ""
    count: int = 0
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0
    cpu_memory_usage: int = 0
    self_cpu_memory_usage: int = 0
    input_shapes: list[list[int]] | None = None
    stack: list[str] = field(default_factory=list)

    @property
    def cpu_time(self) -> float:
        """The time of one call, on average."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def add(self, event: FunctionEvent) -> None:
        # An operation within one of the same name is part of its time already.
        ancestor = event.cpu_parent
        while ancestor is not None and ancestor.name != event.name:
            ancestor = ancestor.cpu_parent
        if ancestor is None:
            self.cpu_time_total += event.cpu_time_total
            self.cpu_memory_usage += event.cpu_memory_usage
        self.self_cpu_time_total += event.self_cpu_time_total
        self.self_cpu_memory_usage += event.self_cpu_memory_usage
        self.count += event.count

    def __repr__(self) -> str:
        return f"<FunctionEventAvg {self.key}: {self.count} calls, {_time(self.self_cpu_time_total)} by themselves>"


class EventList(list[Any]):
    """Events, or their sums, that can be shown as a table."""

    def __init__(self, events: Iterable[Any] = (), *, with_memory: bool = False) -> None:
        super().__init__(events)
        self._with_memory = with_memory

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, each moment counted once for each thread."""
        return float(sum(event.self_cpu_time_total for event in self))

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """Sums by name, and also by the shapes of the arguments or by the innermost lines of the program."""
        sums: dict[tuple[Any, ...], FunctionEventAvg] = {}
        for event in self:
            stack = tuple(event.stack[:group_by_stack_n])
            key = (event.key, str(event.input_shapes) if group_by_input_shape else "", stack)
            if key not in sums:
                shapes = event.input_shapes if group_by_input_shape else None
                sums[key] = FunctionEventAvg(event.key, input_shapes=shapes, stack=list(stack))
            sums[key].add(event)
        return EventList(sums.values(), with_memory=self._with_memory)

    def total_average(self) -> FunctionEventAvg:
        """The sum of all events."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
    ) -> str:
        """The rows as text, the largest first if `sort_by` names one of their numbers.

        `row_limit` of -1 shows all rows; names and shapes are cut off at their column's width.

        Raises ValueError for another `sort_by`.
        """
        if sort_by is not None and sort_by not in _SORTED:
            raise ValueError(f"sort_by has to be one of {', '.join(_SORTED)}, not {sort_by!r}")
        rows = [row for row in self if not (top_level_events_only and getattr(row, "cpu_parent", None))]
        total = sum(row.self_cpu_time_total for row in self)
        if sort_by is not None:
            rows.sort(key=lambda row: getattr(row, sort_by), reverse=True)
        if row_limit >= 0:
            rows = rows[:row_limit]
        columns: list[tuple[str, Callable[[Any], str]]] = [
            ("Name", lambda row: _cut(row.key, max_name_column_width)),
            ("Self CPU %", lambda row: _share(row.self_cpu_time_total, total)),
            ("Self CPU", lambda row: _time(row.self_cpu_time_total)),
            ("CPU total %", lambda row: _share(row.cpu_time_total, total)),
            ("CPU total", lambda row: _time(row.cpu_time_total)),
            ("CPU time avg", lambda row: _time(row.cpu_time)),
        ]
        if self._with_memory:
            columns.append(("CPU Mem", lambda row: _memory(row.cpu_memory_usage)))
            columns.append(("Self CPU Mem", lambda row: _memory(row.self_cpu_memory_usage)))
        columns.append(("# of Calls", lambda row: str(row.count)))
        if any(row.input_shapes for row in rows):
            columns.append(("Input Shapes", lambda row: _cut(str(row.input_shapes or []), max_shapes_column_width)))
        if any(row.stack for row in rows):
            columns.append(("Source Location", lambda row: _cut("; ".join(row.stack), max_src_column_width)))
        text = to_text([title for title, _ in columns], [[write(row) for _, write in columns] for row in rows])
        parts = [header] if header else []
        return "\n".join([*parts, text, f"Self CPU time total: {_time(total)}", ""])

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes single events as a JSON file, which chrome://tracing and Perfetto show on a time line."""
        process = os.getpid()
        rows: list[dict[str, Any]] = []
        for event in self:
            more: dict[str, Any] = {"Sequence number": event.sequence_nr}
            if event.input_shapes:
                more["Input Dims"] = event.input_shapes
            if event.stack:
                more["Call stack"] = "; ".join(event.stack)
            rows.append(
                {
                    "ph": "X",
                    "cat": "backward" if event.is_backward else "cpu_op",
                    "name": event.name,
                    "pid": process,
                    "tid": event.thread,
                    "ts": event.time_range.start,
                    "dur": event.time_range.elapsed_us(),
                    "args": more,
                }
            )
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"displayTimeUnit": "ms", "traceEvents": rows}, file)

    def __str__(self) -> str:
        return self.table()


def events_of(rows: Iterable[tuple[Any, ...]], *, with_memory: bool) -> EventList:
    """The core's rows as events that know which ran within which."""
    ordered = sorted(rows, key=lambda row: (row[3], row[1], -row[2]))
    events = EventList(with_memory=with_memory)
    open_events: list[FunctionEvent] = []
    for name, begin, end, thread, sequence, is_backward, shapes, place, memory in ordered:
        event = FunctionEvent(
            id=len(events),
            name=name,
            time_range=Interval(begin / 1000, end / 1000),
            thread=thread,
            sequence_nr=-1 if sequence is None else sequence,
            is_backward=is_backward,
            input_shapes=shapes or [],
            stack=[f"{place[0]}({place[1]})"] if place else [],
            result_memory=memory,
        )
        while open_events and (
            open_events[-1].thread != thread or open_events[-1].time_range.end < event.time_range.end
        ):
            open_events.pop()
        if open_events:
            event.cpu_parent = open_events[-1]
            open_events[-1].cpu_children.append(event)
        open_events.append(event)
        events.append(event)
    return events


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "-"


def _time(microseconds: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.3f}{unit}"
    return f"{microseconds:.3f}us"


def _memory(size: int) -> str:
    for unit, power in (("GB", 30), ("MB", 20), ("KB", 10)):
        if size >= 1 << power:
            return f"{size / (1 << power):.2f} {unit}"
    return f"{size} B"
