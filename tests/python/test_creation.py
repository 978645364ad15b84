"""Tensors from data, by size, and after the model of others, beside torch."""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import DTYPES, agree, evaluated, lines

# Numbers, nested sequences, arrays and tensors as data.
DATA = """
    lib.tensor(3)
    lib.tensor(3.5)
    lib.tensor(True)
    lib.tensor([])
    lib.tensor([[]])
    lib.tensor([[], []])
    lib.tensor([[[]], [[]]])
    lib.tensor(())
    lib.tensor([1, 2.5])
    lib.tensor([True, 2])
    lib.tensor([True, 2.5])
    lib.tensor([[1, 2], [3, 4]])
    lib.tensor(((1, 2), [3, 4]))
    lib.tensor([True, False])
    lib.tensor([1, 2], dtype=lib.float64)
    lib.tensor([1.7, -2.7], dtype=lib.int32)
    lib.tensor([0, 2, 3], dtype=lib.bool)
    lib.tensor([float("nan"), float("inf"), -float("inf")])
    lib.tensor([1, 2], dtype=lib.uint8)
    lib.tensor([-1], dtype=lib.uint8)
    lib.tensor([256], dtype=lib.uint8)
    lib.tensor([255], dtype=lib.uint8)
    lib.tensor([2**31], dtype=lib.int32)
    lib.tensor([2**31 - 1], dtype=lib.int32)
    lib.tensor([-2**31], dtype=lib.int32)
    lib.tensor([-2**31-1], dtype=lib.int32)
    lib.tensor([2**63])
    lib.tensor(2**63)
    lib.tensor(2**63, dtype=lib.float64)
    lib.tensor([2**63], dtype=lib.float64)
    lib.tensor([2**64], dtype=lib.float64)
    lib.tensor([2**100])
    lib.tensor([-2**63])
    lib.tensor([2**63 - 1])
    lib.tensor([2.5], dtype=lib.uint8)
    lib.tensor([300.5], dtype=lib.uint8)
    lib.tensor([-300.5], dtype=lib.uint8)
    lib.tensor([1e300], dtype=lib.float32)
    lib.tensor(1e300, dtype=lib.float32)
    lib.tensor([1e10], dtype=lib.int32)
    lib.tensor([float("inf")], dtype=lib.int64)
    lib.tensor([[1, 2], [3]])
    lib.tensor([1, [2]])
    lib.tensor([[1], 2])
    lib.tensor([[1, 2], 3])
    lib.tensor([[[1]], [2]])
    lib.tensor(["a"])
    lib.tensor("a")
    lib.tensor("12")
    lib.tensor(None)
    lib.tensor([None])
    lib.tensor([1, None])
    lib.tensor({})
    lib.tensor({1: 2})
    lib.tensor({1, 2})
    lib.tensor(object())
    lib.tensor([object()])
    lib.tensor(range(4))
    lib.tensor(range(0))
    lib.tensor(b"abc")
    lib.tensor((x for x in range(3)))
    lib.tensor(lib.float32)
    lib.tensor()
    lib.tensor(1, 2)
    lib.tensor([1], dtype="float32")
    lib.tensor([1], dtype=3)
    lib.tensor([1], requires_grad=True)
    lib.tensor([1.0], requires_grad=True)
    lib.tensor([1], dtype=lib.float64, requires_grad=True)
    lib.tensor([True], requires_grad=True)
    lib.tensor([1.0], requires_grad=None)
    lib.tensor([1.0], requires_grad=1)
    lib.tensor([1.0], device="cpu")
    lib.tensor([1.0], device=lib.device("cpu"))
    lib.tensor([1.0], device="nonsense")
    lib.tensor([1.0], unknown=1)
    lib.tensor(data=[1.0])
    lib.tensor([1.0], pin_memory=False)
    lib.tensor(np.float32(2.5))
    lib.tensor(np.float64(2.5))
    lib.tensor(np.int64(2))
    lib.tensor(np.int32(2))
    lib.tensor(np.uint8(2))
    lib.tensor(np.bool_(True))
    lib.tensor([np.float32(2.5)])
    lib.tensor([np.float64(2.5), np.float32(2)])
    lib.tensor([np.int32(2), np.int32(3)])
    lib.tensor([np.int32(2), 2.5])
    lib.tensor([np.uint8(2)])
    lib.tensor([np.bool_(True)])
    lib.tensor([[np.int64(2), 3]])
    lib.tensor([lib.tensor(1), lib.tensor(2)])
    lib.tensor([lib.tensor(1.5), lib.tensor(2)])
    lib.tensor([lib.tensor([1.5]), lib.tensor([2.0])])
    lib.tensor([lib.tensor([1.5, 2.0]), [2.0, 3]])
    lib.tensor([[1, lib.tensor(2)]])
    lib.tensor([lib.tensor(1.5, dtype=lib.float64), 2])
    lib.tensor([lib.tensor(1, dtype=lib.int32), 2])
    lib.tensor([1, lib.tensor(2.5)])
    lib.tensor([lib.ones(2), lib.ones(3)])
    lib.tensor([np.ones(2), np.ones(2)])
    lib.tensor([np.ones(2, dtype=np.float32), np.ones(2, dtype=np.float32)])
    lib.tensor([np.ones((2, 2)), np.zeros((2, 2))])
    lib.tensor([np.ones(2), np.ones(3)])
    lib.tensor([np.ones(1), 2.0])
    lib.tensor(lib.tensor([1.5]))
    lib.tensor(lib.tensor([1.5]), dtype=lib.int64)
    lib.tensor(lib.ones(2, 3).t())
    lib.tensor(lib.ones(2, 3)[:, ::2])
    lib.tensor(lib.ones(3).expand(2, 3))
    lib.tensor(lib.ones(2, requires_grad=True))
    lib.tensor(np.arange(6).reshape(2, 3))
    lib.tensor(np.arange(6.0).reshape(2, 3).T)
    lib.tensor(np.arange(6.0)[::2])
    lib.tensor(np.arange(6.0)[::-1])
    lib.tensor(np.array(["a"]))
    lib.tensor(np.array([None]))
    lib.tensor(np.array([1.5], dtype=">f8"))
    lib.tensor(np.array([2], dtype=">i4"))
    lib.tensor(np.array(2.5))
    lib.tensor(np.zeros((0, 3)))
    lib.tensor(np.zeros((2, 0, 3)).T)
    lib.tensor(np.array([300.7, -3.2]), dtype=lib.uint8)
    lib.tensor(np.array([True, False]))
"""

# Memory that is shared where it can be.
SHARED = """
    lib.as_tensor([1, 2.5])
    lib.as_tensor(3)
    lib.as_tensor([1], dtype=lib.float64)
    lib.as_tensor(np.arange(3))
    lib.as_tensor(np.arange(3), dtype=lib.float32)
    lib.as_tensor(np.arange(3.0)[::-1])
    lib.as_tensor("abc")
    lib.as_tensor([[1], [2, 3]])
    lib.as_tensor(lib.ones(2, requires_grad=True))
    lib.as_tensor(lib.ones(2, requires_grad=True), dtype=lib.float64)
    lib.as_tensor(lib.ones(2), lib.float64)
    lib.as_tensor(lib.ones(2), device="cpu")
    lib.as_tensor([1.0], requires_grad=True)
    lib.as_tensor(np.float64(2))
    lib.as_tensor([])
    lib.as_tensor(None)
    lib.as_tensor(data=[2], dtype=None)
    lib.from_numpy(np.arange(3))
    lib.from_numpy(np.arange(6.0).reshape(2, 3).T)
    lib.from_numpy(np.arange(6.0)[1::2])
    lib.from_numpy(np.arange(6.0)[::-1])
    lib.from_numpy(np.broadcast_to(np.arange(3.0), (2, 3)))
    lib.from_numpy(np.array(2.5))
    lib.from_numpy(np.zeros((0, 3)))
    lib.from_numpy(np.array([1.5], dtype=">f8"))
    lib.from_numpy(np.array(["a"]))
    lib.from_numpy(np.array([None]))
    lib.from_numpy(np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])["b"])
    lib.from_numpy([1, 2])
    lib.from_numpy(3.5)
    lib.from_numpy(np.float64(3.5))
    lib.from_numpy(lib.ones(2))
    lib.from_numpy()
    lib.from_numpy(np.zeros(2), dtype=lib.float32)
"""

# Sizes in all spellings, and what fills them.
FILLED = """
    lib.zeros()
    lib.zeros(())
    lib.zeros(2)
    lib.zeros(2, 3)
    lib.zeros((2, 3))
    lib.zeros([2, 3])
    lib.zeros(lib.ones(2, 3).shape)
    lib.zeros(size=(2,))
    lib.zeros(size=[2])
    lib.zeros(size=2)
    lib.zeros(0)
    lib.zeros(2, 0)
    lib.zeros(-1)
    lib.zeros(2, -1)
    lib.zeros(2.0)
    lib.zeros("2")
    lib.zeros(None)
    lib.zeros((2, None))
    lib.zeros((2, 2.5))
    lib.zeros([[2]])
    lib.zeros(True)
    lib.zeros((True, 2))
    lib.zeros(np.int64(2))
    lib.zeros((np.int64(2), np.int32(3)))
    lib.zeros(lib.tensor(2))
    lib.zeros((lib.tensor(2), 3))
    lib.zeros(lib.tensor([2, 3]))
    lib.zeros(np.array([2, 3]))
    lib.zeros(range(3))
    lib.zeros((2, 3), 4)
    lib.zeros(2, (3,))
    lib.zeros(2**40, 2**40)
    lib.zeros(2**62)
    lib.zeros(2**63)
    lib.zeros(2, dtype=lib.int64)
    lib.zeros(2, dtype=lib.bool)
    lib.zeros(2, dtype=None)
    lib.zeros(2, dtype=float)
    lib.zeros(2, dtype=int)
    lib.zeros(2, dtype=bool)
    lib.zeros(2, dtype="int64")
    lib.zeros(2, dtype=np.float32)
    lib.zeros(2, requires_grad=True)
    lib.zeros(2, dtype=lib.int64, requires_grad=True)
    lib.zeros(2, unknown=1)
    lib.zeros(2, device="cpu")
    lib.ones(2, 3, dtype=lib.uint8)
    lib.ones((), dtype=lib.float64, requires_grad=True)
    lib.empty(2, 3).shape
    lib.empty(0)
    lib.empty((2, 0), dtype=lib.int32)
    lib.empty(-2)
    lib.full((2, 3), 1.5)
    lib.full((2, 3), 2)
    lib.full((2,), True)
    lib.full((), 2)
    lib.full([2], 2, dtype=lib.float64)
    lib.full(2, 3)
    lib.full((2,), 300, dtype=lib.uint8)
    lib.full((2,), -1, dtype=lib.uint8)
    lib.full((2,), 2**40, dtype=lib.int32)
    lib.full((2,), 1.7, dtype=lib.int64)
    lib.full((2,), 1.7, dtype=lib.bool)
    lib.full((2,), float("nan"), dtype=lib.int64)
    lib.full((2,), "a")
    lib.full((2,), None)
    lib.full((2,), [1])
    lib.full((2,), lib.tensor(2.5))
    lib.full((2,), lib.tensor(2))
    lib.full((2,), lib.tensor([2]))
    lib.full((2,), lib.tensor([2, 3]))
    lib.full((2,), np.float64(2.5))
    lib.full((2,), np.int64(2))
    lib.full((2,), 1e300)
    lib.full(size=(2,), fill_value=3)
    lib.full((-2,), 1)
    lib.full((2.5,), 1)
    lib.full((2,), 1.0, requires_grad=True)
    lib.full((2,), 1, requires_grad=True)
    lib.full()
    lib.full((2,))
    lib.full(2, 3, 4)
"""

# Ranges and the identity.
RANGES = """
    lib.eye(3)
    lib.eye(2, 3)
    lib.eye(3, 2, dtype=lib.int64)
    lib.eye(0)
    lib.eye(-1)
    lib.eye(2, -1)
    lib.eye(2.0)
    lib.eye(2, requires_grad=True)
    lib.eye(n=2, m=3)
    lib.eye()
    lib.eye(2, dtype=lib.bool)
    lib.arange(3)
    lib.arange(3.0)
    lib.arange(1, 4)
    lib.arange(1, 10, 3)
    lib.arange(5, 1, -2)
    lib.arange(0, 1, 0.3)
    lib.arange(0.1, 1.0, 0.3, dtype=lib.float64)
    lib.arange(0, 1, 0.1)
    lib.arange(3, dtype=lib.float64)
    lib.arange(3, dtype=lib.uint8)
    lib.arange(3, dtype=lib.bool)
    lib.arange(2, dtype=lib.bool)
    lib.arange(0)
    lib.arange(-1)
    lib.arange(3, 1)
    lib.arange(1, 3, -1)
    lib.arange(1, 3, 0)
    lib.arange(float("inf"))
    lib.arange(float("nan"))
    lib.arange("3")
    lib.arange(None)
    lib.arange()
    lib.arange(1, 2, 3, 4)
    lib.arange(True)
    lib.arange(start=1, end=4, step=2)
    lib.arange(end=4)
    lib.arange(start=1)
    lib.arange(1, end=4)
    lib.arange(1, 4, step=2)
    lib.arange(3, requires_grad=True)
    lib.arange(3.0, requires_grad=True)
    lib.arange(lib.tensor(3))
    lib.arange(lib.tensor(3.0))
    lib.arange(np.int64(3))
    lib.arange(np.float64(3))
    lib.arange(2.5)
    lib.arange(1.5, 4, dtype=lib.int64)
    lib.arange(0, 300, 100, dtype=lib.uint8)
    lib.arange(-3, 3, dtype=lib.uint8)
    lib.arange(2**62)
    lib.linspace(0, 1, 5)
    lib.linspace(0, 1, 1)
    lib.linspace(0, 1, 0)
    lib.linspace(0, 1, -1)
    lib.linspace(1, 0, 4)
    lib.linspace(0, 10, 5, dtype=lib.int64)
    lib.linspace(0, 10, 4, dtype=lib.int64)
    lib.linspace(0, 10, 4, dtype=lib.int32)
    lib.linspace(-3, 3, 6, dtype=lib.float64)
    lib.linspace(0, 1, steps=3)
    lib.linspace(start=0, end=1, steps=3)
    lib.linspace(0, 1)
    lib.linspace(0, 1, 2.0)
    lib.linspace("0", 1, 2)
    lib.linspace(0, 1, 3, requires_grad=True)
    lib.linspace(0.1, 0.7, 100)
    lib.linspace(lib.tensor(0.0), lib.tensor(1.0), 3)
    lib.linspace(0, 1, 3, dtype=lib.uint8)
    lib.linspace(0, 255, 4, dtype=lib.uint8)
"""

# After the model of another tensor.
LIKE = """
    lib.zeros_like(lib.ones(2, 3))
    lib.zeros_like(lib.ones(2, 3).t())
    lib.zeros_like(lib.ones(2, 6)[:, ::2])
    lib.zeros_like(lib.ones(3).expand(2, 3))
    lib.zeros_like(lib.ones(2, dtype=lib.int64))
    lib.zeros_like(lib.ones(2), dtype=lib.bool)
    lib.zeros_like(lib.ones(2, requires_grad=True))
    lib.zeros_like(lib.ones(2), requires_grad=True)
    lib.zeros_like(lib.ones(2, dtype=lib.int64), requires_grad=True)
    lib.zeros_like([1, 2])
    lib.zeros_like(np.ones(2))
    lib.zeros_like(3)
    lib.zeros_like()
    lib.zeros_like(input=lib.ones(2))
    lib.ones_like(lib.zeros(2, 2))
    lib.ones_like(lib.zeros(2), dtype=lib.float64, requires_grad=True)
    lib.empty_like(lib.zeros(2, 3).t()).stride()
    lib.full_like(lib.zeros(2), 2.5)
    lib.full_like(lib.zeros(2, dtype=lib.int64), 2.5)
    lib.full_like(lib.zeros(2, dtype=lib.uint8), 300)
    lib.full_like(lib.zeros(2, dtype=lib.int32), 2**40)
    lib.full_like(lib.zeros(2), lib.tensor(2))
    lib.full_like(lib.zeros(2), "a")
    lib.full_like(lib.zeros(2))
    lib.full_like(lib.zeros(2), fill_value=1)
    lib.full_like(lib.zeros(2), 1, dtype=lib.bool)
"""

# Methods of a tensor, and the class itself.
METHODS = """
    lib.ones(2).new_zeros(3)
    lib.ones(2).new_zeros((2, 3))
    lib.ones(2).new_zeros(2, 3)
    lib.ones(2, dtype=lib.int64).new_zeros(2)
    lib.ones(2).new_zeros(2, dtype=lib.int64)
    lib.ones(2).new_zeros(2, requires_grad=True)
    lib.ones(2).new_zeros(-1)
    lib.ones(2).new_zeros("a")
    lib.ones(2).new_zeros()
    lib.ones(2).new_zeros(size=(2,))
    lib.ones(2).new_ones((2,))
    lib.ones(2).new_ones(size=(2,))
    lib.ones(2).new_empty(2, 0)
    lib.ones(2).new_full((2,), 3)
    lib.ones(2, dtype=lib.int64).new_full((2,), 3.7)
    lib.ones(2).new_full((2,), "a")
    lib.ones(2).new_full((2,), lib.tensor(2))
    lib.ones(2).new_full(size=(2,), fill_value=3)
    lib.ones(2).new_tensor([1, 2])
    lib.ones(2, dtype=lib.int32).new_tensor([1, 2])
    lib.ones(2).new_tensor([1.5], requires_grad=True)
    lib.ones(2).new_tensor(np.array([1, 2]))
    lib.ones(2).new_tensor(lib.tensor([1, 2]))
    lib.ones(2).new_tensor([[1], [2, 3]])
    lib.Tensor()
    lib.Tensor(2, 3).shape
    lib.Tensor([1, 2])
    lib.Tensor([[1, 2], [3, 4]])
    lib.Tensor((1, 2))
    lib.Tensor(np.array([1.0, 2.0], dtype=np.float32))
    lib.Tensor(np.array([1.0, 2.0]))
    lib.Tensor(lib.ones(2))
    lib.Tensor(lib.ones(2, dtype=lib.int64))
    lib.Tensor(3.5)
    lib.Tensor("a")
    lib.Tensor(-1)
    lib.Tensor(lib.Size([2, 3])).shape
    lib.Tensor(2).shape
    lib.Tensor(None)
"""


@pytest.mark.parametrize("expression", lines(DATA + SHARED + FILLED + RANGES + LIKE + METHODS))
def test_expressions(expression):
    agree(evaluated(expression))


STORED = """
    lib.eye(3, out=lib.empty(3, 3, dtype=lib.float64))
    [lib.zeros(3, out=lib.empty(3)), lib.ones(2, 2, out=lib.empty(0)), lib.full((2,), 3, out=lib.empty(2))]
    [lib.empty(3, out=OUT).shape, lib.zeros(3, out=OUT) is OUT]
    [lib.arange(3, out=lib.empty(3)), lib.linspace(0, 1, 3, out=OUT), lib.logspace(0, 1, 3, out=OUT)]
    [lib.rand(3, out=OUT).clone(), lib.randn(3, out=OUT), lib.randint(9, (3,), out=lib.empty(3))]
    [lib.randperm(5, out=lib.empty(0, dtype=lib.int64)), lib.range(1, 3, out=lib.empty(3))]
    [lib.normal(0.0, 1.0, (3,), out=lib.empty(3)), lib.normal(OUT, lib.ones(3), out=lib.empty(3))]
    lib.zeros(3, out=lib.empty(3), requires_grad=True).requires_grad
    lib.zeros(3, out=lib.empty(3), dtype=lib.float64)
    lib.zeros_like(OUT, out=lib.empty(3))
    lib.zeros(3, out=3)
    [lib.randint_like(OUT, high=4), lib.randint_like(OUT, 4), lib.randint_like(OUT, low=2, high=4)]
    lib.randint_like(OUT)
"""


@pytest.mark.parametrize("expression", lines(STORED))
def test_results_in_tensors_of_the_caller(expression):
    code = compile(expression, expression, "eval")

    def program(lib):
        lib.manual_seed(4)
        return eval(code, {"lib": lib, "OUT": lib.zeros(3)})

    agree(program)


MAKERS = {
    "zeros": lambda lib, **options: lib.zeros(2, 3, **options),
    "ones": lambda lib, **options: lib.ones((2, 3), **options),
    "full": lambda lib, **options: lib.full([2], 1, **options),
    "eye": lambda lib, **options: lib.eye(2, 3, **options),
    "arange": lambda lib, **options: lib.arange(1, 9, 3, **options),
    "linspace": lambda lib, **options: lib.linspace(0, 5, 7, **options),
    "tensor": lambda lib, **options: lib.tensor([[0, 1], [2, 3]], **options),
    "zeros_like": lambda lib, **options: lib.zeros_like(lib.ones(2, 3).t(), **options),
    "full_like": lambda lib, **options: lib.full_like(lib.ones(2, dtype=lib.int64), 1, **options),
    "rand": lambda lib, **options: lib.rand(2, 3, **options) < 2,
    "randn": lambda lib, **options: lib.randn(2, 3, **options) < 9,
    "randint": lambda lib, **options: lib.randint(5, (2, 3), **options) < 9,
    "randperm": lambda lib, **options: lib.randperm(5, **options) < 9,
    "rand_like": lambda lib, **options: lib.rand_like(lib.ones(2, 3), **options) < 2,
}


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("dtype", [None, *DTYPES])
@pytest.mark.parametrize("maker", MAKERS)
def test_types(maker, dtype, requires_grad):
    """Every type of every function; only floats can require gradients."""

    def program(lib):
        return MAKERS[maker](lib, dtype=dtype and getattr(lib, dtype), requires_grad=requires_grad)

    agree(program)


@pytest.mark.parametrize("dtype", [None, *DTYPES])
@pytest.mark.parametrize("source", DTYPES)
def test_data_of_every_type(source, dtype):
    """Arrays, their elements and tensors of one type as data for another; values that wrap are left out."""

    def program(lib):
        wanted = dtype and getattr(lib, dtype)
        array = np.array([[0, 1, 2], [3, 100, 255]]).astype(source)
        tensor = lib.tensor(array)
        results = [lib.tensor(data, dtype=wanted) for data in (array, array[:, ::2], array.T, tensor, tensor.t())]
        results += [lib.as_tensor(data, dtype=wanted) for data in (array, array[1:], tensor)]
        if wanted is None:
            results += [lib.tensor(data) for data in (array[1, 2], [array[0, 0], array[1, 2]], [list(array[0])])]
        return results

    agree(program)


@pytest.mark.parametrize("dtype", ["U1", "O", "M8[s]"])
def test_types_that_no_tensor_has(dtype):
    array = np.zeros(2, dtype=dtype)
    for data in (array, array[0], [array[0]]):
        with pytest.raises((TypeError, ValueError)):
            rgrad.tensor(data if dtype != "O" else array)
    with pytest.raises(TypeError):
        rgrad.from_numpy(array)


@pytest.mark.parametrize("default", ["float32", "float64"])
def test_the_default_type(default):
    def program(lib):
        lib.set_default_dtype(getattr(lib, default))
        try:
            made = [
                lib.tensor(1.5),
                lib.tensor([1, 2.5]),
                lib.zeros(2),
                lib.arange(2.0),
                lib.eye(2),
                lib.full((2,), 1.5),
            ]
            return made, lib.linspace(0, 1, 3), lib.tensor([1]) / 2, lib.tensor([1]) * 2.5, lib.get_default_dtype()
        finally:
            lib.set_default_dtype(lib.float32)

    agree(program)


@pytest.mark.parametrize("value", ["lib.int64", "lib.bool", "'float32'", "None"])
def test_the_default_type_is_a_float_type(value):
    def program(lib):
        try:
            lib.set_default_dtype(eval(value, {"lib": lib}))
        finally:
            lib.set_default_dtype(lib.float32)

    agree(program)


def test_copies_are_apart_and_shares_are_not():
    def program(lib):
        array = np.zeros(3)
        copy, shared, also = lib.tensor(array), lib.from_numpy(array), lib.as_tensor(array)
        converted = lib.as_tensor(array, dtype=lib.float32)
        array[0] = 1
        shared[1] = 2
        kept = lib.as_tensor(also) is also
        return copy, shared, also, converted, array, kept, lib.as_tensor(also).data_ptr() == shared.data_ptr()

    agree(program)
