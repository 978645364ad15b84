"""The profiler over the steps of a training loop: waiting, warming up, and recording by a schedule.

>>> import rgrad
>>> x = rgrad.ones(3, requires_grad=True)
>>> with rgrad.profiler.profile(schedule=rgrad.profiler.schedule(wait=1, warmup=1, active=2)) as prof:
...     for _ in range(4):
...         (x * 2).sum().backward()
...         prof.step()
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial

from rgrad.autograd import profiler as _single
from rgrad.autograd.profiler import record_function
from rgrad.autograd.profiler_util import EventList

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(Enum):
    """What can be timed."""

    CPU = 0


class ProfilerAction(Enum):
    """What the profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """All that can be timed here."""
    return {ProfilerActivity.CPU}


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Callable[[int], ProfilerAction]:
    """What to do in each step: nothing in the first `skip_first`, then again and again (or `repeat` times) nothing for
    `wait` steps, warming up for `warmup` and recording for `active`.

    Raises ValueError for a negative number, and unless `active` is above 0.
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise ValueError(
            "schedule(): numbers of steps must not be negative, and active has to be above 0; got "
            f"wait={wait}, warmup={warmup}, active={active}, repeat={repeat}, skip_first={skip_first}"
        )

    def action(step: int) -> ProfilerAction:
        cycle, place = divmod(step - skip_first, wait + warmup + active)
        if step < skip_first or (repeat and cycle >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == wait + warmup + active - 1 else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(dir_name: str, worker_name: str | None = None) -> Callable[[profile], None]:
    """A function for `on_trace_ready` that writes each trace to a file of its own in `dir_name`."""

    def write(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}.pt.trace.json"))

    return write


class profile:  # noqa: N801
    """A context in which operations are timed, in all of it or in those steps that a schedule says.

    Arguments:
        activities: what to time; the CPU is all there is.
        schedule: a function from the number of a step to a `ProfilerAction`; `step()` ends a step.
        on_trace_ready: called with this object when a recording is complete.
        record_shapes, profile_memory, with_stack: see `rgrad.autograd.profiler.profile`.
        with_flops, with_modules: accepted, without effect here.
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], object] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
    ) -> None:
        self.activities = set(activities) if activities is not None else supported_activities()
        if unknown := self.activities - supported_activities():
            raise ValueError(f"profile(): unknown activities {unknown}")
        self.step_num = 0
        self._schedule = schedule
        self._on_trace_ready = on_trace_ready
        self._new_recording = partial(
            _single.profile, record_shapes=record_shapes, profile_memory=profile_memory, with_stack=with_stack
        )
        self._recording: _single.profile | None = None
        self._recorded: _single.profile | None = None
        self._step: record_function | None = None

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins the first step."""
        self._begin_step()

    def stop(self) -> None:
        """Ends the last step; a recording that is under way is complete."""
        self._end_step()
        self._finish()

    def step(self) -> None:
        """Ends a step and begins the next."""
        self._end_step()
        if self._action() is ProfilerAction.RECORD_AND_SAVE:
            self._finish()
        self.step_num += 1
        self._begin_step()

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """The events of the latest recording, summed up by name."""
        return self._results().key_averages(group_by_input_shape, group_by_stack_n)

    def events(self) -> EventList:
        """The single events of the latest recording."""
        return self._results()._events()

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes the latest recording as a file that chrome://tracing and Perfetto show."""
        self._results().export_chrome_trace(path)

    def _action(self) -> ProfilerAction:
        return ProfilerAction.RECORD if self._schedule is None else self._schedule(self.step_num)

    def _begin_step(self) -> None:
        if self._action() in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            if self._recording is None:
                self._recording = self._new_recording().__enter__()
            if self._schedule is not None:
                self._step = record_function(f"ProfilerStep#{self.step_num}").__enter__()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.__exit__()
            self._step = None

    def _finish(self) -> None:
        if self._recording is None:
            return
        self._recording.__exit__()
        self._recorded, self._recording = self._recording, None
        if self._on_trace_ready is not None:
            self._on_trace_ready(self)

    def _results(self) -> _single.profile:
        if self._recorded is None:
            raise RuntimeError("the profiler has no results: no recording is complete")
        return self._recorded
