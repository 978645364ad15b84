"""The figures of `peers.py` as tables, and their places in the documentation."""

from __future__ import annotations

import os
import platform
import re
import statistics
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import imports
import numpy as np
from workloads import GROUPS, Library, Workload

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks" / "peers.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- peers -->", "<!-- /peers -->"
COMMAND = "python benches/peers.py --save"


@dataclass(frozen=True)
class Row:
    """Seconds of one workload on each library, or why there are none."""

    workload: Workload
    times: dict[str, float] = field(default_factory=dict)
    missing: str = ""
    wrong: str = ""

    @property
    def ratio(self) -> float:
        """How many times torch's time is rgrad's."""
        return self.times["torch"] / self.times["rgrad"]


def is_busy() -> bool:
    """Whether the machine has done more in the last minute than to start this."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5


def circumstances(torch: Library, rgrad: Library, jax: Library | None, effort: str) -> dict[str, str]:
    """What figures depend on, taken before they are."""
    return {
        "date": date.today().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} logical processors, {platform.system()} {platform.machine()}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown",
        "threads": f"{rgrad.get_num_threads()} of rgrad, {torch.get_num_threads()} of torch",
        "versions": f"Python {platform.python_version()}, numpy {np.__version__}, torch {torch.__version__}, "
        f"rgrad {rgrad.version.rgrad_version}" + (f", jax {jax.__version__} (with threads of its own)" if jax else ""),
        "effort": f"the median of {effort}, the libraries taking turns",
    }


def processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"model name\s*: (.+)", information.read_text(encoding="utf-8"))
        if found:
            return found[1].strip()
    return platform.processor() or "unknown processor"


def tables(rows: Iterable[Row]) -> str:
    """A table for each group."""
    rows = list(rows)
    parts = []
    for group in GROUPS:
        members = [row for row in rows if row.workload.group == group]
        if not members:
            continue
        with_jax = any("jax" in row.times for row in members)
        head = ["workload", "torch", "rgrad", "torch / rgrad", *(["jax, compiled"] if with_jax else [])]
        lines = [f"## {title(group)}", "", line(head), line(["---"] + ["--:"] * (len(head) - 1))]
        for row in members:
            if row.times:
                times = [duration(row.times["torch"]), duration(row.times["rgrad"]), f"{row.ratio:.2f}"]
            else:
                times = ["", f"missing: {row.missing}" if row.missing else f"wrong: {row.wrong}", ""]
            compiled = [duration(row.times["jax"]) if "jax" in row.times else ""] if with_jax else []
            lines.append(line([row.workload.name, *times, *compiled]))
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def line(cells: list[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def summary(rows: Iterable[Row]) -> str:
    """One line for each group."""
    rows = list(rows)
    lines = [
        "| group | workloads | torch's time / rgrad's, geometric mean | the worst single |",
        "|---|--:|--:|---|",
    ]
    for group in GROUPS:
        members = [row for row in rows if row.workload.group == group]
        timed = [row for row in members if row.times]
        if not members:
            continue
        missing, wrong = (sum(map(bool, reasons)) for reasons in zip(*((row.missing, row.wrong) for row in members)))
        count = f"{len(timed)}" + (f", {missing} missing" if missing else "") + (f", {wrong} wrong" if wrong else "")
        if timed:
            worst = min(timed, key=lambda row: row.ratio)
            mean = statistics.geometric_mean(row.ratio for row in timed)
            lines.append(f"| {title(group)} | {count} | {mean:.2f} | {worst.ratio:.2f}: {worst.workload.name} |")
        else:
            lines.append(f"| {title(group)} | {count} | | |")
    return "\n".join(lines) + "\n"


def title(group: str) -> str:
    return group.replace("_", " ").capitalize()


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{digits(seconds / size)} {unit}"
    return f"{digits(seconds / 1e-9)} ns"


def digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def save(rows: list[Row], facts: dict[str, str]) -> None:
    """Write the page of figures and the table in the README."""
    page = [
        "# rgrad and torch on the same programs\n",
        f"Written by `{COMMAND}` from the programs in `benches/workloads/`. Above 1, rgrad is faster.\n",
        "".join(f"- {name}: {value}\n" for name, value in facts.items()),
        summary(rows),
        tables(rows),
        "## Import\n",
        imports.table(rounds=9),
    ]
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text("\n".join(page), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{README} has no {BEGIN} … {END}")
    told = "; ".join(f"{name}: {value}" for name, value in facts.items())
    note = textwrap.fill(f"{told[0].upper()}{told[1:]}.", 120)
    README.write_text(f"{before}{begin}\n{summary(rows)}\n{note}\n{end}{after}", encoding="utf-8")
