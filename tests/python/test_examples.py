"""The examples print what the study notes print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

JACOBIAN_PRODUCTS = """\
First call
tensor([[4., 2., 2., 2., 2.],
        [2., 4., 2., 2., 2.],
        [2., 2., 4., 2., 2.],
        [2., 2., 2., 4., 2.]])

Second call
tensor([[8., 4., 4., 4., 4.],
        [4., 8., 4., 4., 4.],
        [4., 4., 8., 4., 4.],
        [4., 4., 4., 8., 4.]])

Call after zeroing gradients
tensor([[4., 2., 2., 2., 2.],
        [2., 4., 2., 2., 2.],
        [2., 2., 4., 2., 2.],
        [2., 2., 2., 4., 2.]])
"""


def printed_by(name: str) -> str:
    done = subprocess.run([sys.executable, str(EXAMPLES / name)], capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_recording_a_graph() -> None:
    assert re.fullmatch(
        r"Gradient function for z = <AddBackward0 object at 0x[0-9a-f]+>\n"
        r"Gradient function for loss = "
        r"<BinaryCrossEntropyWithLogitsBackward0 object at 0x[0-9a-f]+>\n",
        printed_by("01_recording_a_graph.py"),
    )


def test_computing_gradients() -> None:
    # The weights are random and not seeded: only the shape and the way of writing are fixed.
    number = r"\d\.\d{4}(?:e[+-]\d{2})?"
    row = rf"\[{number}, {number}, {number}\]"
    matrix = rf"tensor\(\[{row},\n(?: {{8}}{row},\n){{3}} {{8}}{row}\]\)\n"
    printed = printed_by("02_computing_gradients.py")
    assert re.fullmatch(rf"{matrix}tensor\({row}\)\n", printed)
    # The input is all ones, so each row of the first gradient equals the second gradient.
    assert len(set(re.findall(row, printed))) == 1


def test_stopping_to_record() -> None:
    assert printed_by("03_stopping_to_record.py") == "True\nFalse\nFalse\n"


def test_jacobian_products() -> None:
    assert printed_by("04_jacobian_products.py") == JACOBIAN_PRODUCTS


def test_forward_only() -> None:
    assert printed_by("05_forward_only.py") == ""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_every_example_is_listed(path: Path) -> None:
    assert f"`{path.name}`" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert "import rgrad as torch" in path.read_text(encoding="utf-8")
