"""The warning of a graph that grows because losses are summed up with their history; it comes once in a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOOP = """
import warnings
import rgrad

w = rgrad.ones(3, requires_grad=True)
total = 0
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for step in range(2500):
        loss = (w * w).sum()
        {body}
for warning in caught:
    print(warning.category.__name__, warning.message)
"""


def warnings_of(body: str) -> list[str]:
    program = LOOP.format(body=body)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("body", ["loss.backward(); total += loss", "loss.backward(); total = total + loss * 0.5"])
def test_a_sum_with_history_is_reported_once(body: str) -> None:
    (warning,) = warnings_of(body)
    assert warning.startswith("UserWarning") and "detach()" in warning
    assert "made at <string>:11" in warning


@pytest.mark.parametrize(
    "body",
    [
        "loss.backward(); total += loss.item()",
        "loss.backward(); total += loss.detach()",
        "loss.backward(); shown = loss * 2",
        "total = total + loss * 0.0",
        "loss.backward(retain_graph=True); loss.backward(); w.grad = None",
    ],
)
def test_other_loops_are_not(body: str) -> None:
    assert warnings_of(body) == []
