"""Measures what `import rgrad` costs, beside torch and numpy: each in fresh interpreters that take turns.

The files are in the system's cache, as they are for a program that runs for the second time. Memory is what Linux says
is resident.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from importlib.util import find_spec

MODULES = ("rgrad", "numpy", "torch")
# The peak that `resource` knows is no use: a process inherits it from the one that starts it.
PROGRAM = """
import resource, sys, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
before = resident()
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
print(seconds, resident() - before, len(sys.modules))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="how often each module is imported (default: 9)")
    print(table(parser.parse_args().rounds))


def table(rounds: int) -> str:
    """Median time and memory of each import."""
    names = [name for name in MODULES if find_spec(name)]
    samples: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            samples[name].append(imported(name))
    lines = ["| import | time | more memory | modules loaded |", "|---|--:|--:|--:|"]
    for name in names:
        seconds, size, modules = (statistics.median(column) for column in zip(*samples[name]))
        lines.append(f"| {name} | {seconds * 1e3:.0f} ms | {size / 2**20:.1f} MB | {modules:.0f} |")
    return "\n".join(lines) + "\n"


def imported(module: str) -> list[float]:
    """Seconds, bytes and modules of one import."""
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    return [float(part) for part in subprocess.run(command, capture_output=True, check=True).stdout.split()]


if __name__ == "__main__":
    main()
