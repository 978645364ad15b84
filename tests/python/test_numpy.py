"""Tensors, numpy arrays and Python's own numbers and sequences: what becomes what, and on whose memory."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import rgrad
from oracle import DTYPES, agree, evaluated, lines

EXPRESSIONS = """
    lib.arange(6).reshape(2, 3).numpy()
    lib.arange(6.0).reshape(2, 3).t().numpy().strides
    lib.ones(3).expand(2, 3).numpy().strides
    lib.tensor(2.5).numpy()
    lib.zeros(0, 3).numpy()
    lib.ones(2, requires_grad=True).numpy()
    lib.ones(2, requires_grad=True).numpy(force=True)
    (lib.ones(2, requires_grad=True) * 2).numpy()
    lib.ones(2).numpy(force=True)
    np.asarray(lib.ones(2))
    np.asarray(lib.ones(2), dtype=np.int64)
    np.array(lib.ones(2), dtype="float64")
    np.asarray(lib.ones(2, requires_grad=True))
    np.asarray(lib.ones(2), copy=True)
    np.array([lib.tensor(1), lib.tensor(2)])
    np.array([lib.ones(2), lib.zeros(2)])
    np.sin(lib.ones(2))
    np.add(lib.ones(2), 1)
    np.add(np.ones(2), lib.ones(2))
    np.ones(2) + lib.ones(2)
    lib.ones(2) + np.ones(2)
    np.ones(2) * lib.ones(2)
    lib.ones(2) * np.ones(2)
    np.float64(2) * lib.ones(2)
    lib.ones(2) * np.float64(2)
    np.float32(2) - lib.ones(2, dtype=lib.float64)
    np.int64(2) ** lib.ones(2)
    np.ones(2) @ lib.ones(2, dtype=lib.float64)
    np.ones(2) > lib.ones(2)
    lib.ones(2) > np.ones(2)
    np.ones(2) == lib.ones(2)
    np.maximum(lib.ones(2), 3)
    np.sum(lib.ones(2, 3))
    np.sum(lib.ones(2, 3), axis=0)
    np.mean(lib.ones(2, 3))
    np.mean(lib.ones(2, 3), axis=1)
    np.abs(lib.tensor([-1.0]))
    np.sqrt(lib.ones(2))
    np.sign(lib.tensor([-1.0, 2]))
    np.exp(lib.ones(2, requires_grad=True))
    np.concatenate([lib.ones(2), lib.zeros(1)])
    np.stack([lib.ones(2), lib.zeros(2)])
    np.allclose(lib.ones(2), 1)
    np.zeros(3)[lib.tensor([0, 1])]
    np.zeros(3)[lib.tensor(1)]
    np.arange(5)[lib.tensor(1):lib.tensor(3)]
    np.full(2, lib.tensor(3.0))
    np.prod(lib.ones(2, 3))
    np.max(lib.tensor([1.0, 3.0]))
    np.argmax(lib.tensor([1.0, 3.0]))
    np.reshape(lib.arange(4), (2, 2))
    np.transpose(lib.ones(2, 3)).shape
    np.round(lib.tensor([1.26]), 1)
    np.clip(lib.tensor([1.0, 5.0]), 0, 2)
    np.any(lib.tensor([True, False]))
    np.all(lib.tensor([True, False]))
    np.std(lib.tensor([1.0, 2.0]))
    np.cumsum(lib.ones(3))
    np.dot(lib.ones(2), lib.ones(2))
    np.shape(lib.ones(2, 3))
    np.ndim(lib.ones(2, 3))
    np.iscomplexobj(lib.ones(2))
    np.array_equal(lib.ones(2), np.ones(2))
    lib.ones(2).add(np.ones(2))
    lib.tensor(2).item()
    lib.tensor(2.5).item()
    lib.tensor(True).item()
    lib.tensor([[2]]).item()
    lib.ones(2).item()
    lib.zeros(0).item()
    lib.tensor(2, dtype=lib.uint8).item()
    lib.tensor(0.1).item()
    lib.arange(6).reshape(2, 3).tolist()
    lib.tensor(2.5).tolist()
    lib.zeros(0).tolist()
    lib.zeros(2, 0).tolist()
    lib.tensor([True]).tolist()
    lib.arange(6).reshape(2, 3).t().tolist()
    lib.ones(2, requires_grad=True).tolist()
    len(lib.ones(3, 2))
    len(lib.ones(0, 2))
    len(lib.tensor(1))
    list(lib.arange(3))
    list(lib.ones(2, 2))
    list(lib.tensor(1))
    list(lib.ones(2, requires_grad=True))
    list(lib.zeros(0))
    iter(lib.tensor(3))
    tuple(lib.arange(4).reshape(2, 2))
    bool(lib.tensor(0.0))
    bool(lib.tensor([0.5]))
    bool(lib.tensor(float("nan")))
    bool(lib.ones(2))
    bool(lib.zeros(0))
    not lib.tensor([0])
    float(lib.tensor(2))
    float(lib.tensor([2.5]))
    float(lib.ones(2))
    float(lib.zeros(0))
    float(lib.tensor(True))
    float(lib.tensor(2.5, requires_grad=True))
    int(lib.tensor(2.7))
    int(lib.tensor(-2.7))
    int(lib.tensor([3]))
    int(lib.tensor(float("inf")))
    int(lib.tensor(float("nan")))
    int(lib.ones(2))
    int(lib.tensor(True))
    int(lib.tensor(1e18))
    complex(lib.tensor(2.5))
    complex(lib.tensor([1]))
    complex(lib.ones(2))
    range(3)[lib.tensor(1)]
    [1, 2, 3][lib.tensor(1)]
    [1, 2, 3][lib.tensor([1])]
    [1, 2, 3][lib.tensor(1.0)]
    [1, 2, 3][lib.tensor(True)]
    [1, 2, 3][lib.ones(2, dtype=lib.int64)]
    [1, 2, 3][lib.tensor(1):]
    round(lib.tensor(2.6))
    round(lib.tensor([2.64]), ndigits=1)
    abs(lib.tensor([-1]))
    divmod(lib.tensor(7), 2)
    lib.tensor(7) // 2
    hash(lib.ones(2)) is not None
    1 in lib.tensor([1, 2])
    3 in lib.tensor([1, 2])
    lib.tensor(1) in lib.tensor([1, 2])
    "a" in lib.tensor([1, 2])
    None in lib.tensor([1, 2])
    sum(lib.arange(4))
    max(lib.tensor([1, 3, 2]))
    sorted(lib.tensor([3, 1, 2]))
    list(zip(lib.arange(2), lib.ones(2)))
    [*lib.arange(2)]
    f"{lib.tensor(2.5):.3f}"
    f"{lib.tensor([2.5])}"
    f"{lib.tensor([2.5]):.3f}"
    f"{lib.tensor(3):05d}"
    "%.2f" % lib.tensor(2.5)
    "%d" % lib.tensor(2)
    str(lib.tensor(2.5))
    math.sqrt(lib.tensor(4.0))
    math.floor(lib.tensor(4.5))
    math.ceil(lib.tensor(4.5))
    math.trunc(lib.tensor(4.5))
    "ab" * lib.tensor(2)
    lib.tensor(1) + "a"
    lib.tensor(1) + None
    lib.tensor(1) + [1]
    [1] + lib.tensor(1)
    lib.tensor([1, 2]) + [1, 2]
    "a" + lib.tensor(1)
    lib.tensor(1) == "a"
    lib.tensor(1) == None
    lib.tensor(1) < None
    lib.tensor(1) < "a"
    lib.tensor([1, 2]) == [1, 2]
    lib.tensor(1) & 1.5
    lib.tensor(1.5) & 1
    ~lib.tensor(True)
    +lib.tensor([1])
    lib.tensor(1) @ lib.tensor(1)
    lib.ones(2) @ 3
    2 ** lib.tensor([1, 2])
    2.0 ** lib.tensor([1, 2])
    lib.tensor([1, 2]) ** -1
    lib.tensor([1, 2]) ** 0.5
    5 % lib.tensor([3])
    5 // lib.tensor([3])
    5 / lib.tensor([0])
    lib.tensor([True]) + True
    lib.tensor([True]) * 2
"""

# Operators and protocols whose operation differs or is not there yet: see `pending.py`.
MISSING = """
    reversed(lib.tensor([3, 1, 2]))
    lib.tensor(2) << 1
    lib.tensor(8) >> 1
    1 << lib.tensor(2)
    ~lib.tensor(1.5)
    -lib.tensor(True)
    lib.tensor([5]) % 0
    lib.tensor([5]) // 0
    7 - lib.tensor([True])
    lib.tensor([True]) - True
"""


@pytest.mark.parametrize("expression", lines(EXPRESSIONS + MISSING))
def test_expressions(expression):
    agree(evaluated(expression))


@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_is_shared_both_ways(dtype):
    def program(lib):
        array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
        tensor = lib.from_numpy(array)
        column, transposed = lib.from_numpy(array[:, 1]), lib.from_numpy(array.T)
        array[0, 1] = 1
        tensor[1, 1] = 0
        back = tensor.numpy()
        back[0, 0] = 1
        tensor.t()[2] = 1
        return array, tensor, column, transposed, back, np.shares_memory(array, back), tensor._version

    agree(program)


@pytest.mark.parametrize(
    "view", ["t[0]", "t[:, 1:]", "t.t()", "t[::2, 1]", "t.expand(2, 4, 3)", "t.reshape(3, 4)", "t[1, 2]"]
)
def test_views_become_views(view):
    """The array of a view starts where it starts and steps as it steps."""

    def program(lib):
        t = lib.arange(12.0).reshape(4, 3)
        array = eval(view, {"t": t}).numpy()
        t.add_(10)
        return array, array.strides if array.size > 1 else None, array.flags.writeable

    agree(program)


def test_the_array_keeps_the_memory_of_a_tensor():
    tensor = rgrad.arange(1000.0)
    array, part = tensor.numpy(), tensor[5:8].numpy()
    del tensor
    gc.collect()
    rgrad.zeros(1000)
    assert array[999] == 999
    assert part.tolist() == [5, 6, 7]


def test_the_tensor_keeps_an_array():
    class Array(np.ndarray):
        """An array that can be referred to weakly."""

    array = np.arange(1000.0).view(Array)
    alive = weakref.ref(array)
    tensor = rgrad.from_numpy(array)
    view = tensor[5:8]
    del array, tensor
    gc.collect()
    assert alive() is not None
    assert view.tolist() == [5, 6, 7]
    del view
    gc.collect()
    assert alive() is None


def test_graphs_keep_an_array():
    """A node that has saved the tensor needs the memory after both names are gone."""
    array = np.arange(3.0)
    leaf = rgrad.from_numpy(array).requires_grad_()
    loss = (leaf * leaf).sum()
    del array
    gc.collect()
    loss.backward()
    assert leaf.grad.tolist() == [0, 2, 4]


def test_a_read_only_array_is_shared_as_torch_does():
    def program(lib):
        array = np.arange(3.0)
        array.flags.writeable = False
        return lib.from_numpy(array), lib.tensor(array)

    agree(program)


def test_tensors_that_require_grad_are_refused():
    def program(lib):
        leaf = lib.ones(2, requires_grad=True)
        results = [leaf.detach().numpy(), leaf.numpy(force=True)]
        with lib.no_grad():
            refused = leaf * 2
            results.append(refused.numpy())
            results.append(leaf.numpy())
        return results, type(_error(lambda: np.asarray(leaf))).__name__, type(_error((leaf * 2).numpy)).__name__

    agree(program)


def _error(call):
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was refused")


def test_arrays_of_a_wish():
    """`__array__` with a dtype and with `copy`, as numpy 2 asks."""
    tensor = rgrad.arange(3)
    assert np.shares_memory(np.asarray(tensor), tensor.numpy())
    assert not np.shares_memory(np.array(tensor, copy=True), tensor.numpy())
    assert np.asarray(tensor, dtype="float32").dtype == np.float32
    assert np.asarray(tensor, dtype="int64", copy=False).tolist() == [0, 1, 2]


def test_equality_with_arrays_is_by_elements():
    """Also from the right and for `!=`, where torch answers with one bool."""
    tensor, array = rgrad.tensor([1.0, 2.0]), np.array([1.0, 3.0])
    assert (tensor == array).tolist() == (array == tensor).tolist() == [True, False]
    assert (tensor != array).tolist() == (array != tensor).tolist() == [False, True]
