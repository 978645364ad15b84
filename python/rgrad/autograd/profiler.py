"""What takes the time: each operation and each node of a backward pass, while the profiler is on.

>>> import rgrad
>>> x = rgrad.randn(100, 100, requires_grad=True)
>>> with rgrad.autograd.profiler.profile() as prof:
...     (x @ x).sum().backward()
>>> print(prof.key_averages().table(sort_by="self_cpu_time_total"))
"""

from __future__ import annotations

import os
from contextlib import ContextDecorator
from typing import Any

from .. import _rgrad
from .profiler_util import EventList, FunctionEvent, FunctionEventAvg, events_of

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "profile", "record_function"]

_running: profile | None = None


class profile:  # noqa: N801
    """A context in which the operations of all threads are timed. One can be on at a time.

    Arguments:
        enabled: with False the context does nothing.
        record_shapes: note the shapes of each operation's tensors.
        profile_memory: show the memory of results in tables.
        with_stack: note the line of the program that called each operation.
        use_device, with_flops, with_modules, use_kineto, use_cpu: accepted, without effect here.

    Raises RuntimeError if another profiler is on, and if results are asked for before the end.
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
    ) -> None:
        self.enabled = enabled
        self.record_shapes = record_shapes
        self.profile_memory = profile_memory
        self.with_stack = with_stack
        self.entered = False
        self.function_events: EventList | None = None

    def __enter__(self) -> profile:
        global _running
        if not self.enabled:
            return self
        if _running is not None:
            raise RuntimeError("a profiler is on already: one can be on at a time")
        if self.entered:
            raise RuntimeError("a profiler can be used once: make another")
        _running = self
        self.entered = True
        _rgrad._start_profiling(self.record_shapes, self.with_stack)
        return self

    def __exit__(self, *failure: object) -> None:
        global _running
        if self.enabled:
            _running = None
            self.function_events = events_of(_rgrad._stop_profiling(), with_memory=self.profile_memory)

    def _events(self) -> EventList:
        if self.function_events is None:
            raise RuntimeError("the profiler has no results: it did not run, or it still does")
        return self.function_events

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """The events summed up by name; see `EventList.key_averages`."""
        return self._events().key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """The sum of all events."""
        return self._events().total_average()

    def table(self, *arguments: Any, **keywords: Any) -> str:
        """The single events as text; see `EventList.table`."""
        return self._events().table(*arguments, **keywords)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes the events as a file that chrome://tracing and Perfetto show."""
        self._events().export_chrome_trace(path)

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events in microseconds."""
        return self._events().self_cpu_time_total

    def __str__(self) -> str:
        return "<profile without results>" if self.function_events is None else str(self.function_events)

    def __repr__(self) -> str:
        state = "without results" if self.function_events is None else f"with {len(self.function_events)} events"
        return f"<profile {state}>"


class record_function(ContextDecorator):  # noqa: N801
    """A context or decorator that gives a stretch of the program a name among the profiler's events."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args
        self._begins: list[int] = []

    def __enter__(self) -> record_function:
        self._begins.append(_rgrad._profiling_clock())
        return self

    def __exit__(self, *failure: object) -> None:
        _rgrad._note_range(self.name, self._begins.pop())
