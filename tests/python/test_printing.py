"""The text of tensors, torch's to the last blank."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import rgrad
from oracle import DTYPES, agree, evaluated, lines, torch

EXPRESSIONS = """
    lib.tensor(1)
    lib.tensor(1.0)
    lib.tensor(-0.0)
    lib.tensor(True)
    lib.tensor(1.5, dtype=lib.float64)
    lib.tensor(float("nan"))
    lib.tensor([1, 2, 3])
    lib.tensor([1.0, 2.0, 3.0])
    lib.tensor([1.5, float("inf"), -float("inf"), float("nan")])
    lib.tensor([float("inf"), float("nan")])
    lib.tensor([1e-5, 1.0])
    lib.tensor([1e5, 1e-5])
    lib.tensor([1e8, 1.0])
    lib.tensor([1e8])
    lib.tensor([1234567.0])
    lib.tensor([123456789.0, 0.5])
    lib.tensor([0.1, 0.22222222, 1000.5])
    lib.tensor([1e-45])
    lib.tensor([3.4e38])
    lib.tensor([1.7e308], dtype=lib.float64)
    lib.tensor([0.0001])
    lib.tensor([0.00001])
    lib.tensor([1.0, 1000.0])
    lib.tensor([1.0, 1001.0, 0.1])
    lib.tensor([[1, -20], [300, 4]])
    lib.tensor([[True, False]])
    lib.tensor([])
    lib.tensor([], dtype=lib.int64)
    lib.zeros(0, 3)
    lib.zeros(2, 0)
    lib.zeros(2, 0, dtype=lib.bool)
    lib.zeros(0, requires_grad=True)
    lib.arange(1000)
    lib.arange(1001)
    lib.arange(2000.0).reshape(2, 1000)
    lib.zeros(20, 60)
    lib.zeros(12, 12, 12)
    lib.arange(5000).reshape(1, 1, 50, 100)
    lib.zeros(3, 1, 2)
    lib.arange(30.0)
    lib.arange(24).reshape(2, 3, 4)
    lib.arange(6).reshape(2, 3).t()
    lib.ones(2).expand(3, 2)
    lib.ones(2, requires_grad=True)
    lib.ones(2, requires_grad=True) * 2
    (lib.ones(2, requires_grad=True) * 2).sum()
    (lib.ones(2, 2, requires_grad=True) * 2)[0]
    (lib.ones(2, 2, requires_grad=True) * 2).detach()
    lib.ones(40, 40, requires_grad=True).exp()
    lib.ones(3, dtype=lib.float64, requires_grad=True).exp()
    lib.arange(3, dtype=lib.uint8)
    lib.arange(3, dtype=lib.int32)
    lib.nn.Parameter(lib.ones(2))
    lib.nn.Linear(2, 3)
    lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.ReLU(), lib.nn.Dropout(0.25))
    lib.float32
    lib.bool
    lib.ones(2, 3).shape
    lib.Size([])
    lib.device("cpu")
    [lib.tensor(1), lib.tensor([2.5])]
    {"a": lib.tensor(1)}
    lib.float32.is_floating_point, lib.int64.itemsize
"""


@pytest.mark.parametrize("expression", lines(EXPRESSIONS))
def test_texts(expression):
    program = evaluated(expression)
    agree(lambda lib: (repr(program(lib)), str(program(lib)), f"{program(lib)}"))


OPTIONS = [
    {"precision": 2},
    {"precision": 8},
    {"precision": 0},
    {"threshold": 5},
    {"threshold": math.inf},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 20, "edgeitems": 4},
    {"linewidth": 30},
    {"linewidth": 200},
    {"sci_mode": True},
    {"sci_mode": False},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "default"},
    {"profile": "short", "precision": 6},
]


@pytest.fixture
def options():
    """Sets options in both libraries, and the usual ones afterwards."""

    def choose(**chosen):
        for lib in (rgrad, torch):
            lib.set_printoptions(**chosen)

    yield choose
    choose(profile="default")


@pytest.mark.parametrize("chosen", OPTIONS, ids=str)
def test_options(chosen, options):
    options(**chosen)
    random = np.random.default_rng(1)
    for array in (
        random.normal(size=(7, 9)),
        random.normal(size=30) * 1e6,
        np.arange(40),
        random.random((4, 5, 6)) < 0.5,
    ):
        agree(lambda lib: repr(lib.tensor(array)))


def test_options_stay_until_they_are_changed(options):
    def program(lib):
        texts = []
        for chosen in OPTIONS:
            lib.set_printoptions(**chosen)
            texts.append(repr(lib.arange(40.0) / 3))
        return texts

    agree(program)


ANY_FLOAT = st.one_of(
    st.floats(width=32),
    st.floats(-10, 10, width=32),
    st.integers(-2000, 2000).map(float),
    st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf]),
)
ELEMENTS = {
    "float32": ANY_FLOAT,
    "float64": ANY_FLOAT,
    "int64": st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "uint8": st.integers(0, 255),
    "bool": st.booleans(),
}


@st.composite
def any_array(draw):
    dtype = draw(st.sampled_from(DTYPES))
    return draw(arrays(dtype, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6), elements=ELEMENTS[dtype]))


@settings(max_examples=300, deadline=None)
@given(any_array(), st.sampled_from([None, *OPTIONS]), st.sampled_from(["plain", "leaf", "computed", "transposed"]))
def test_random_tensors(array, chosen, kind):
    def text(lib):
        tensor = lib.tensor(array)
        if kind == "transposed":
            tensor = tensor.permute(tuple(reversed(range(tensor.ndim))))
        elif kind != "plain" and tensor.is_floating_point():
            tensor.requires_grad_()
            tensor = tensor * 1 if kind == "computed" else tensor
        return repr(tensor)

    try:
        for lib in (rgrad, torch):
            lib.set_printoptions(**(chosen or {}))
        agree(text)
    finally:
        for lib in (rgrad, torch):
            lib.set_printoptions(profile="default")


@pytest.mark.parametrize(
    "options_", [{"precision": "a"}, {"threshold": "a"}, {"unknown": 1}, {"profile": "nonsense"}], ids=str
)
def test_refusals(options_):
    """A profile that nobody knows changes nothing, as in torch."""
    try:
        if "profile" in options_:
            agree(lambda lib: (lib.set_printoptions(**options_), repr(lib.arange(5.0) / 3)))
        else:
            with pytest.raises(TypeError):
                rgrad.set_printoptions(**options_)
    finally:
        torch.set_printoptions(profile="default")
        rgrad.set_printoptions(profile="default")
