"""What a type checker says about programs that use the library."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def found_in(name: str, cache: Path) -> set[tuple[int, str]]:
    """The lines of a program that mypy refuses, each with the code of its error."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", name]
    done = subprocess.run(command, cwd=HERE, capture_output=True, encoding="utf-8", timeout=600)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    errors = re.findall(rf"^{name}:(\d+): error: .*  \[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert len(errors) == done.stdout.count(": error: "), done.stdout
    return {(int(line), code) for line, code in errors}


def test_a_right_program_is_accepted(cache: Path) -> None:
    assert found_in("accepted.py", cache) == set()


def test_the_right_program_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "accepted.py")], capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_mistakes_are_refused_where_they_are(cache: Path) -> None:
    lines = (HERE / "refused.py").read_text(encoding="utf-8").splitlines()
    marks = [(i, re.search(r"# refused: ([\w-]+)$", line)) for i, line in enumerate(lines, start=1)]
    assert found_in("refused.py", cache) == {(i, mark[1]) for i, mark in marks if mark}
