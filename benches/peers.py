"""Times the same programs on torch and on rgrad, and some of them compiled by jax where that is installed.

Each workload runs on both libraries with the same number of threads, in rounds that take turns, after their results
were found to agree; the figure is the median of the rounds. A workload that rgrad cannot run is listed as missing.

    python benches/peers.py --quick                 # a few minutes, rough figures
    python benches/peers.py --group overhead        # one group
    python benches/peers.py --only "matmul 4 x 4"   # what has this in its name
    python benches/peers.py --save                  # everything, into docs/benchmarks/peers.md and README.md
"""

from __future__ import annotations

import argparse
import gc
import itertools
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import report
from workloads import GROUPS, Library, Step, Workload, all_workloads
from workloads.jitted import PROGRAMS

# How far apart two correct results in float32 may be, relative to the largest element.
SLACK = 1e-3
# Threads that wait for work do so for a while at full speed, at the cost of the library that comes next.
PAUSE = 0.005


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float


FULL = Effort(rounds=15, seconds=0.05)
QUICK = Effort(rounds=3, seconds=0.005)


def main() -> int:
    options = arguments()
    if not find_spec("torch"):
        print("torch is what rgrad is compared with: pip install torch", file=sys.stderr)
        return 2
    torch, rgrad = import_module("torch"), import_module("rgrad")
    jax = import_module("jax") if find_spec("jax") else None
    for library in (torch, rgrad):
        library.set_num_threads(options.threads or rgrad.get_num_threads())
    chosen = [
        workload
        for workload in all_workloads()
        if workload.group in (options.group or GROUPS) and all(part in workload.name for part in options.only or ())
    ]
    if not chosen:
        print("no workload has this name", file=sys.stderr)
        return 2
    effort = QUICK if options.quick else FULL
    circumstances = report.circumstances(torch, rgrad, jax, f"{effort.rounds} rounds of {effort.seconds * 1e3:g} ms")
    print(*(f"{name}: {value}" for name, value in circumstances.items()), sep="\n", end="\n\n")
    if report.is_busy():
        print("other programs are running: the figures will be theirs as well", file=sys.stderr)
    rows = []
    with progress(len(chosen)) as advance:
        for workload in chosen:
            advance(f"{workload.group}: {workload.name}")
            rows.append(compared(workload, torch, rgrad, jax, effort))
    print(report.tables(rows))
    print(report.summary(rows))
    if options.save:
        report.save(rows, circumstances)
    return 1 if any(row.wrong for row in rows) else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds: rough figures")
    parser.add_argument("--group", action="append", choices=GROUPS, help="only this group; can be given again")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="only workloads with this (and this) in the name"
    )
    parser.add_argument("--threads", type=int, help="threads of both libraries (default: as many as rgrad takes)")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/peers.md and the table of README.md")
    options = parser.parse_args()
    if options.save and (options.group or options.only):
        parser.error("--save writes the whole table: leave out --group and --only")
    if options.threads is not None and options.threads < 1:
        parser.error("--threads has to be at least 1")
    return options


def compared(workload: Workload, torch: Library, rgrad: Library, jax: Library | None, effort: Effort) -> report.Row:
    """One workload on the libraries."""
    theirs = workload.build(torch)
    expected = theirs()
    try:
        ours = workload.build(rgrad)
        found = ours()
    except (AttributeError, ImportError, NotImplementedError) as error:
        return report.Row(workload, missing=one_line(error))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in one workload is listed with it
        return report.Row(workload, wrong=f"{type(error).__name__}: {one_line(error)}")
    difference = "".join(itertools.islice(differences(found, expected), 1))
    if difference:
        return report.Row(workload, wrong=f"other results than torch: {difference}")
    steps = [theirs, ours]
    if jax is not None and workload.name in PROGRAMS:
        compiled = PROGRAMS[workload.name](jax)
        difference = "".join(itertools.islice(differences(compiled(), expected), 1))
        if difference:
            return report.Row(workload, wrong=f"jax has other results than torch: {difference}")
        steps.append(compiled)
    del expected, found
    times = dict(zip(("torch", "rgrad", "jax"), in_turns(steps, effort)))
    return report.Row(workload, times)


def one_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def differences(found: Any, expected: Any, where: str = "") -> Iterator[str]:
    """How two results, however nested, differ."""
    if isinstance(expected, (tuple, list)):
        if len(found) != len(expected):
            yield f"{len(found)} parts instead of {len(expected)}{where}"
        for i, (ours, theirs) in enumerate(zip(found, expected)):
            yield from differences(ours, theirs, f" in part {i}{where}")
    elif hasattr(expected, "detach"):
        ours = found.detach().numpy() if hasattr(found, "detach") else np.asarray(found)
        theirs = expected.detach().numpy()
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            yield f"{ours.dtype} {ours.shape} instead of {theirs.dtype} {theirs.shape}{where}"
        elif theirs.dtype.kind != "f":
            if (ours != theirs).any():
                yield f"{(ours != theirs).sum()} of {ours.size} elements{where}"
        elif not np.allclose(ours, theirs, rtol=SLACK, atol=SLACK * np.abs(theirs).max(initial=0.0)):
            yield f"by up to {np.abs(ours - theirs).max():.2g}{where}"
    elif isinstance(expected, float):
        if not math.isclose(found, expected, rel_tol=SLACK):
            yield f"{found} instead of {expected}{where}"
    elif found != expected:
        yield f"{found!r} instead of {expected!r}{where}"


def in_turns(steps: list[Step], effort: Effort) -> list[float]:
    """The median seconds of a call of each function, in rounds that take turns."""
    calls = [enough_calls(step, effort.seconds) for step in steps]
    samples: list[list[float]] = [[] for _ in steps]
    order = list(range(len(steps)))
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for _ in range(effort.rounds):
            for i in order:
                time.sleep(PAUSE)
                seconds_of(steps[i], max(1, calls[i] // 10))
                samples[i].append(seconds_of(steps[i], calls[i]) / calls[i])
            order.reverse()
    finally:
        if was_enabled:
            gc.enable()
    return [statistics.median(times) for times in samples]


def enough_calls(step: Step, seconds: float) -> int:
    """How many calls take about as long as asked for; they warm up as well."""
    calls = 1
    while True:
        taken = seconds_of(step, calls)
        if taken >= seconds / 2 or calls >= 10_000_000:
            return max(1, round(calls * seconds / taken))
        calls = max(calls * 2, min(calls * 10, round(calls * seconds / max(taken, 1e-9) / 2)))


def seconds_of(step: Step, calls: int) -> float:
    times = itertools.repeat(None, calls)
    start = time.perf_counter()
    for _ in times:
        step()
    return time.perf_counter() - start


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar where rich is installed, else a line for each workload; on standard error."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        yield lambda text: print(text, file=sys.stderr)
        return
    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total, completed=-1)
        yield lambda text: bar.update(task, advance=1, description=text)
        bar.update(task, advance=1, description="")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
