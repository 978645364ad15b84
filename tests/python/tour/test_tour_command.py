"""The tour as a command: what it prints, writes, and asks for."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from rgrad.tour.command import main

ESCAPE = "\x1b"


def test_the_whole_tour_in_a_pipe(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rgrad", "--output", str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        env={**_environment(), "PYTHONIOENCODING": "utf-8"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert ESCAPE not in done.stdout
    assert "Gradient function for z = <AddBackward0 object at 0x" in done.stdout
    assert "  | Second call\n  | tensor([[8., 4., 4., 4., 4.]," in done.stdout
    assert (tmp_path / "rgrad-graph.svg").exists()
    accuracy = re.search(r"Test accuracy (\d+\.\d)% after 600 steps", done.stdout)
    assert accuracy is not None
    assert float(accuracy.group(1)) > 95


def test_an_output_of_few_letters_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rgrad", "--steps", "3", "--output", str(tmp_path)],
        capture_output=True,
        env={**_environment(), "PYTHONIOENCODING": "ascii"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    done.stdout.decode("ascii")


def test_quiet_says_only_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quiet", "--steps", "5", "--output", str(tmp_path / "new")]) == 0
    lines = capsys.readouterr().out.split("Test accuracy")
    assert len(lines) == 2
    assert lines[0].startswith("The graph of the notes' loss is in")


def test_plain_is_free_of_colour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--plain", "--steps", "5", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert ESCAPE not in printed
    assert "step     5 of 5, loss" in printed


def test_the_picture_shows_the_loss_of_the_notes(tmp_path: Path) -> None:
    assert main(["--quiet", "--steps", "0", "--output", str(tmp_path)]) == 0
    root = ElementTree.parse(tmp_path / "rgrad-graph.svg").getroot()
    texts = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"w", "b", "loss", "BinaryCrossEntropyWithLogitsBackward0", "AddBackward0"} <= texts


def test_the_seed_decides_the_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def accuracy(seed: str) -> str:
        main(["--quiet", "--steps", "20", "--seed", seed, "--output", str(tmp_path)])
        return capsys.readouterr().out.split("Test accuracy")[1].split(" in ")[0]

    assert accuracy("3") == accuracy("3")


@pytest.mark.parametrize(
    ("module", "package"), [("rich", "rich"), ("plotille", "plotille"), ("sklearn", "scikit-learn")]
)
def test_a_missing_extra_is_named(
    module: str,
    package: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == module or name == "rgrad.tour.screen":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
    assert main([]) == 1
    message = capsys.readouterr().err
    assert message == f"rgrad: the tour needs {package}; install it with: pip install 'rgrad[tour]'\n"


@pytest.mark.parametrize("wrong", ["-1", "many"])
def test_wrong_steps_are_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([f"--steps={wrong}"])
    assert stop.value.code == 2
    assert "--steps" in capsys.readouterr().err


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)
