"""`assert_close` and `make_tensor` beside torch: what passes, what fails, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import agree, lines, raises, run

COMPARED = lines(
    """
    (lib.ones(3), lib.ones(3))
    (lib.ones(3), lib.ones(3) + 1e-6)
    (lib.ones(3), lib.ones(3) + 1e-4)
    (lib.ones(3).double(), lib.ones(3).double() + 1e-6)
    (lib.ones(3).double(), lib.ones(3).double() + 5e-8)
    (lib.ones(3), lib.ones(4))
    (lib.ones(3), lib.ones(3).double())
    (lib.ones(3), lib.ones(3).double() + 1e-6, dict(check_dtype=False))
    (lib.ones(3), lib.ones(3).double() + 1e-4, dict(check_dtype=False))
    (lib.tensor([1, 2]), lib.tensor([1, 2]))
    (lib.tensor([1, 2]), lib.tensor([1, 3]))
    (lib.tensor([1, 2]), lib.tensor([1, 3]), dict(rtol=0.0, atol=1.0))
    (lib.tensor([True]), lib.tensor([False]))
    (lib.tensor([float("nan")]), lib.tensor([float("nan")]))
    (lib.tensor([float("nan")]), lib.tensor([float("nan")]), dict(equal_nan=True))
    (lib.tensor([float("inf")]), lib.tensor([float("inf")]))
    (lib.tensor([float("inf")]), lib.tensor([-float("inf")]))
    (lib.tensor([1.0]), lib.tensor([float("inf")]))
    (lib.ones(2, 3), lib.ones(3, 2).t())
    (lib.ones(2, 3), lib.ones(3, 2).t(), dict(check_stride=True))
    (lib.ones(2), lib.ones(2), dict(rtol=1e-3))
    (lib.ones(2), lib.ones(2), dict(atol=1e-3))
    (lib.ones(2), lib.ones(2) * 1.01, dict(rtol=0.02, atol=0.0))
    (lib.ones(2) * 1.01, lib.ones(2), dict(rtol=0.005, atol=0.0))
    (1.0, 1.0)
    (1.0, 1.0 + 1e-8)
    (1.0, 1.1)
    (1, 1)
    (1, 2)
    (1, 1.0)
    (1, 1.0, dict(check_dtype=False))
    (True, True)
    (float("nan"), float("nan"))
    (float("nan"), float("nan"), dict(equal_nan=True))
    (1.0, lib.tensor(1.0))
    (lib.tensor(1.0), 1.0)
    (None, None)
    (None, 1.0)
    (lib.ones(1), None)
    ("a", "a")
    (object(), object())
    ([1.0, lib.ones(2)], [1.0, lib.ones(2)])
    ([1.0, lib.ones(2)], (1.0, lib.ones(2)))
    ([1.0], [1.0, 2.0])
    ([1.0, [lib.ones(2)]], [1.0, [lib.zeros(2)]])
    ({"a": 1.0, "b": [2]}, {"b": [2], "a": 1.0})
    ({"a": 1.0}, {"b": 1.0})
    ({"a": 1.0}, {"a": 1.5})
    ({"a": 1.0}, [1.0])
    (np.ones(3), np.ones(3))
    (np.ones(3), np.zeros(3))
    (np.ones(3), lib.ones(3).double())
    (np.ones(3, dtype=np.float32), np.ones(3))
    (lib.nn.Parameter(lib.ones(2)), lib.ones(2))
    (lib.nn.Parameter(lib.ones(2)), lib.ones(2), dict(allow_subclasses=False))
    (lib.ones(0), lib.ones(0))
    (lib.ones(2, requires_grad=True) * 2, lib.ones(2) * 2)
    (lib.tensor(1.0), lib.tensor(2.0))
    """
)


@pytest.mark.parametrize("expression", COMPARED)
def test_comparisons(expression):
    code = compile(expression, expression, "eval")

    def program(lib):
        actual, expected, *options = eval(code, {"lib": lib, "np": np})
        return lib.testing.assert_close(actual, expected, **(options[0] if options else {}))

    agree(program)


def test_messages():
    def failing(lib, **options):
        return run(
            lambda lib: lib.testing.assert_close(lib.ones(2, 2), lib.tensor([[1.0, 2.0], [1.0, 1.5]]), **options), lib
        )

    message = str(failing(rgrad).error)
    assert "2 of 4 elements (50.0%)" in message
    assert "greatest absolute difference: 1.0 at index (0, 1) (up to 1e-05 allowed)" in message
    assert "greatest relative difference: 0.5 at index (0, 1) (up to 1.3e-06 allowed)" in message
    assert str(failing(rgrad, msg="mine").error) == "mine"
    assert str(failing(rgrad, msg=lambda text: f"before: {text}").error) == f"before: {message}"
    nested = run(lambda lib: lib.testing.assert_close({"a": [1.0, 2.0]}, {"a": [1.0, 3.0]}), rgrad)
    assert "item ['a'][1]" in str(nested.error)


MADE = lines(
    """
    make(3, dtype=lib.float32, device="cpu")
    make((2, 3), dtype=lib.float64, device="cpu")
    make([2, 3], dtype=lib.float64, low=0.5, high=0.75, device="cpu")
    make(2, 3, dtype=lib.int64, device="cpu")
    make(20, dtype=lib.uint8, device="cpu")
    make(20, dtype=lib.int32, low=3, high=5, device="cpu")
    make(20, dtype=lib.int32, low=2.5, high=5.5, device="cpu")
    make(20, dtype=lib.bool, device="cpu")
    make((), dtype=lib.float32, device="cpu")
    make(0, dtype=lib.float32, device="cpu")
    make(3, 4, dtype=lib.float32, noncontiguous=True, device="cpu")
    make(1, dtype=lib.float32, noncontiguous=True, device="cpu")
    make(30, dtype=lib.int64, low=0, high=2, exclude_zero=True, device="cpu")
    make(3, dtype=lib.float32, requires_grad=True, device="cpu")
    make(3, dtype=lib.float32, low=2.0, device="cpu")
    """
)


@pytest.mark.parametrize("expression", MADE)
def test_made_tensors(expression):
    def program(lib):
        lib.manual_seed(2)
        return eval(expression, {"lib": lib, "make": lib.testing.make_tensor})

    agree(program)


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "int64", "requires_grad": True},
        {"dtype": "float32", "low": float("nan")},
        {"dtype": "float32", "low": 3.0, "high": 2.0},
        {"dtype": "float32", "noncontiguous": True, "memory_format": 1},
    ],
    ids=str,
)
def test_tensors_that_are_not_made(options):
    raises(lambda lib: lib.testing.make_tensor(3, device="cpu", **{**options, "dtype": getattr(lib, options["dtype"])}))
