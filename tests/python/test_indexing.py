"""Index expressions, read and written, with their gradients, beside torch and beside numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices, integer_array_indices

import rgrad
from oracle import Raised, agree, evaluated, lines, run

SIZES = (2, 3, 4)

# What stands between the brackets of a tensor of these sizes.
KEYS = """
    0
    -1
    2
    -3
    0, 1, 2
    0, 1, 2, 3
    0, 3
    :, 1
    ..., 1
    1, ...
    ...
    :
    0, 0, 0, ...
    ()
    :, 1:
    :, :-1, ::2
    :, 5:
    :, 2:1
    :, -100:100
    ::3
    ::-1
    ::0
    1.0
    "a"
    0.5:1
    "a":
    None
    None, 0, None
    :, None, 1:, None
    True
    False
    True, 0
    0, True
    0, False
    [0, 1]
    [0, 1], [0, 2]
    [0, 1], :, [0, 2]
    :, [0, 1], [0, 2]
    :, [0, 1], 0
    0, :, [0, 1]
    [0], [0, 1, 2]
    [0, 1], [0, 1, 2]
    [[0, 1], [1, 0]]
    [-1, -2]
    [2]
    [-3]
    []
    :, []
    [1.5]
    ["a"]
    [0, None]
    [True, False]
    [True, False], 1
    [True]
    [True, False, True]
    [slice(0, 1), 1]
    lib.tensor([0, 1])
    lib.tensor([1.0])
    lib.tensor(1)
    lib.tensor(1), lib.tensor(0)
    lib.tensor([[0], [1]]), lib.tensor([0, 1, 2])
    lib.tensor([0, 1], dtype=lib.int32)
    lib.tensor([0, 1], dtype=lib.uint8)
    lib.tensor(True)
    lib.tensor(False)
    lib.tensor([True, False])
    lib.tensor([True, False]), :, 0
    :, lib.tensor([True, False, True])
    lib.arange(24).reshape(2, 3, 4) > 11
    lib.arange(6).reshape(2,3) > 2
    lib.arange(6).reshape(2,3) > 2, 1
    0, lib.arange(12).reshape(3,4) > 5
    lib.zeros(3, dtype=lib.bool)
    lib.zeros(2, 3, 4, 1, dtype=lib.bool)
    np.array([0, 1])
    np.array([True, False])
    np.int64(1)
    np.array(1)
    (0, 1)
    ((0, 1), (1, 2))
    range(2)
    lib.tensor([0]), None, lib.tensor([1])
    None, lib.tensor([0, 1])
    lib.tensor([], dtype=lib.int64)
    lib.zeros(0, 3, dtype=lib.int64)
    lib.tensor(1):
    np.int64(1):
    True:
    2**70
    2**70:
    1:2**63
    object()
    {}
    1j
"""

# Tensors with fewer dimensions, or without elements.
SMALL = """
    lib.tensor(5)[0]
    lib.tensor(5)[...]
    lib.tensor(5)[None]
    lib.tensor(5)[()]
    lib.tensor(5)[:]
    lib.tensor(5)[True]
    lib.tensor(5)[lib.tensor(False)]
    lib.tensor(5)[[0]]
    lib.zeros(0)[0]
    lib.zeros(0)[:]
    lib.zeros(0)[[]]
    lib.zeros(0)[[0]]
    lib.zeros(0, 3)[:, 1]
    lib.zeros(2, 0)[lib.tensor([0, 1])]
"""

# A key, and what is stored at it, in the type `dtype` of the tensor.
ASSIGNMENTS = """
    0 := 5
    0 := 5.7
    (0, 1, 2) := 5
    (0, 3) := 1
    (..., 1) := lib.tensor([[1.0, 2, 3], [4, 5, 6]], dtype=dtype)
    slice(None) := 0
    slice(0, 1) := lib.arange(12.0).reshape(3, 4).to(dtype)
    (slice(None), slice(None, None, 2)) := lib.ones(4, dtype=dtype)
    (slice(None), 0) := lib.ones(2, 4, dtype=dtype)
    (slice(None), 0) := lib.ones(1, 2, 4, dtype=dtype)
    (slice(None), 0) := lib.ones(3, dtype=dtype)
    (slice(None), 0) := lib.ones(2, 2, 4, dtype=dtype)
    (slice(None), 0) := np.float64(2)
    (slice(None), 0) := "a"
    (slice(None), 0) := None
    (slice(None), 0) := [1, "a"]
    [0, 1] := 7
    [0, 0] := lib.tensor([[[1.0]], [[1.0]]], dtype=dtype)
    ([0, 1], [0, 2]) := lib.ones(2, 4, dtype=dtype)
    ([0, 1], [0, 2]) := lib.ones(2, 3, dtype=dtype)
    ([0, 1], slice(None), [0, 2]) := lib.arange(6.0).reshape(2, 3).to(dtype)
    (slice(None), [0, 1], [0, 2]) := lib.ones(2, dtype=dtype)
    [2] := 0
    (None, 0) := lib.ones(1, 3, 4, dtype=dtype)
    None := 3
    Ellipsis := 3
    True := 3
    False := 3
    () := 3
    lib.tensor([True, False]) := 3
    lib.tensor([True, False]) := lib.ones(1, 3, 4, dtype=dtype)
    lib.tensor([True, False]) := lib.ones(2, 3, 4, dtype=dtype)
    lib.arange(24).reshape(2, 3, 4) > 11 := 3
    lib.arange(24).reshape(2, 3, 4) > 11 := lib.arange(12.0, dtype=dtype)
    lib.arange(24).reshape(2, 3, 4) > 11 := lib.arange(11.0, dtype=dtype)
    lib.arange(6).reshape(2, 3) > 2 := lib.arange(4.0, dtype=dtype)
    (0, lib.arange(12).reshape(3, 4) > 5) := -1
    (lib.tensor([0]), None) := 3
    lib.tensor([], dtype=lib.int64) := 3
    lib.tensor(1) := 3
    lib.tensor([1.5]) := 3
    "a" := 3
    1.0 := 3
    slice(None, None, -1) := 3
    2**70 := 3
    0 := lib.tensor([5], dtype=dtype)
    (0, 0, 0) := lib.tensor([5], dtype=dtype)
    (0, 0, 0) := lib.tensor([5, 6], dtype=dtype)
    (0, 0, 0) := True
    (0, 0, 0) := float("nan")
"""


def cube(lib, dtype="float64"):
    return lib.arange(24, dtype=getattr(lib, dtype)).reshape(SIZES)


def subscript(key):
    """The program that gives an index as it arrives in `__getitem__`."""

    class Subscript:
        def __getitem__(self, index):
            return index

    code = compile(f"_[{key}]", key, "eval")
    return lambda lib: eval(code, {"lib": lib, "np": np, "_": Subscript()})


@pytest.mark.parametrize("key", lines(KEYS))
def test_reading(key):
    """The value, the kind of node, and the gradient, which is zero where nothing was read."""

    def program(lib):
        leaf = cube(lib).requires_grad_()
        part = leaf[subscript(key)(lib)]
        ((part * part).sum() * 3).backward()
        return part, leaf.grad

    agree(program)


@pytest.mark.parametrize("expression", lines(SMALL))
def test_small_tensors(expression):
    agree(evaluated(expression))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("assignment", lines(ASSIGNMENTS))
def test_writing(assignment, dtype):
    """Values and version afterwards; what is refused changes nothing."""
    key, value = assignment.split(" := ")

    def program(lib):
        target = cube(lib, dtype)
        value_ = eval(value, {"lib": lib, "np": np, "dtype": target.dtype})
        kind = None
        try:
            target[subscript(key)(lib)] = value_
        except Exception as error:
            kind = Raised(error).kind
            assert lib.equal(target, cube(lib, dtype))
        return kind.__name__ if kind else "stored", target, target._version

    agree(program)


@pytest.mark.parametrize("assignment", lines(ASSIGNMENTS))
def test_gradients_of_writing(assignment):
    """Of the tensor written into, which loses what is overwritten, and of the value."""
    key, value = assignment.split(" := ")

    def program(lib):
        leaf = cube(lib).requires_grad_()
        target = leaf * 2
        stored = eval(value, {"lib": lib, "np": np, "dtype": leaf.dtype})
        if isinstance(stored, lib.Tensor):
            stored.requires_grad_()
        target[subscript(key)(lib)] = stored
        (target * cube(lib)).sum().backward()
        return target, leaf.grad, getattr(stored, "grad", None)

    agree(program)


@pytest.mark.parametrize(
    "value", ["lib.ones(4)", "lib.ones(4, dtype=lib.int64)", "lib.ones(1, 1, 4)", "lib.ones(2, 4) > 0"]
)
@pytest.mark.parametrize("key", ["(slice(None), 0)", "[0, 1]", "0"])
def test_writing_another_type(key, value):
    """A part takes any type; places chosen by tensors take their own only."""

    def program(lib):
        target = cube(lib)
        target[eval(key)] = eval(value, {"lib": lib})
        return target

    agree(program)


def test_lists_and_arrays_are_stored_too():
    """What torch refuses, and numpy does."""
    for value in ([1, 2, 3, 4], [[1.0, 2, 3, 4]], np.arange(4)):
        ours, array = cube(rgrad), np.arange(24.0).reshape(SIZES)
        ours[:, 0] = value
        array[:, 0] = value
        np.testing.assert_array_equal(ours.numpy(), array)


def test_a_leaf_that_requires_grad_is_not_written_into():
    def program(lib):
        leaf = lib.ones(3, requires_grad=True)
        refused = run(lambda lib: leaf.__setitem__(0, 2), lib)
        with lib.no_grad():
            leaf[1] = 5
        return refused, leaf, leaf._version

    agree(program)


def test_views_share_and_picked_elements_do_not():
    def program(lib):
        base = cube(lib)
        views = [base[0], base[:, 1:], base[..., 0], base[None], base[0, 0, 0], base[...], base[:]]
        copies = [base[[0, 1]], base[lib.tensor([0])], base[base >= 0], base[True]]
        base.add_(100)
        return views, copies, [v._is_view() for v in views], [v._is_view() for v in copies], [v._version for v in views]

    agree(program)


SHAPES = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple)


@st.composite
def arrays_and_keys(draw):
    """An array, and a key of ints, forward slices, Ellipsis and None, or of integer arrays."""
    shape = draw(SHAPES)
    array = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    if all(shape) and draw(st.booleans()):
        return array, draw(integer_array_indices(shape))
    return array, draw(basic_indices(shape, allow_newaxis=True, max_dims=6))


def is_forward(key) -> bool:
    items = key if isinstance(key, tuple) else (key,)
    return all(not isinstance(item, slice) or item.step is None or item.step > 0 for item in items)


def as_tensors(lib, key):
    items = key if isinstance(key, tuple) else (key,)
    return tuple(lib.tensor(item) if isinstance(item, np.ndarray) else item for item in items)


@settings(max_examples=200, deadline=None)
@given(arrays_and_keys(), st.data())
def test_numpy_reads_and_writes_the_same(pair, data):
    array, key = pair
    tensor = rgrad.tensor(array)
    ours, expected = as_tensors(rgrad, key), key
    if not is_forward(key):
        with pytest.raises(ValueError):
            tensor[ours]
        return
    np.testing.assert_array_equal(tensor[ours].numpy(), array[expected])
    shape = array[expected].shape
    # A value with fewer dimensions, and some of size 1, is broadcast.
    cut = data.draw(st.integers(0, len(shape)))
    narrow = tuple(data.draw(st.sampled_from([n, 1])) if n else n for n in shape[cut:])
    value = -1.0 - np.arange(np.prod(narrow, dtype=int), dtype=np.float64).reshape(narrow)
    if any(isinstance(item, np.ndarray) for item in ours) or not isinstance(expected, tuple):
        value = value.reshape(-1)[:1].reshape(()) if value.size else value
    tensor[ours] = rgrad.tensor(value)
    array[expected] = value
    np.testing.assert_array_equal(tensor.numpy(), array)
