"""What `import rgrad` loads, and what waits until it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = "import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter loads for a statement."""
    command = [sys.executable, "-c", PROGRAM.format(statement=statement)]
    return set(subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60).stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import rgrad",
        "import rgrad; rgrad.tensor([[1.0, 2.0]], requires_grad=True).exp().sum().backward()",
        "import rgrad; print(rgrad.randn(3).tolist(), file=sys.stderr)",
        "import rgrad; repr(rgrad.ones(2, 2))",
    ],
)
def test_tensors_need_neither_numpy_nor_the_larger_packages(statement: str) -> None:
    loaded = loaded_by(statement)
    assert "rgrad._rgrad" in loaded
    assert not loaded & {"numpy", "rgrad.nn", "rgrad.optim", "rgrad.graph", "rgrad.func", "rgrad.tour"}


@pytest.mark.parametrize("package", ["nn", "optim", "graph", "func", "cuda", "amp", "backends", "utils.data"])
def test_a_package_is_loaded_when_it_is_asked_for(package: str) -> None:
    loaded = loaded_by(f"import rgrad; rgrad.{package}")
    assert f"rgrad.{package}" in loaded
    assert "numpy" not in loaded


def test_numpy_is_loaded_for_an_array() -> None:
    assert "numpy" in loaded_by("import rgrad; rgrad.ones(2).numpy()")


def test_a_name_that_is_not_there() -> None:
    import rgrad

    with pytest.raises(AttributeError, match="module 'rgrad' has no attribute 'tensr'"):
        rgrad.tensr
