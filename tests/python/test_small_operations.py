"""What the short ways of small operations must not change: objects, shapes, and operands that share memory."""

from __future__ import annotations

import gc
import weakref

import numpy
import pytest

import rgrad


def test_shape_follows_the_tensor() -> None:
    tensor = rgrad.ones(2, 3)
    first = tensor.shape
    assert type(first) is type(rgrad.Size((2, 3))) and first == (2, 3)
    assert tensor.shape == first
    tensor.data = rgrad.zeros(3, 2)
    assert tensor.shape == (3, 2) and first == (2, 3)
    assert rgrad.ones(1, 2, 3, 1, 2, 1).shape == (1, 2, 3, 1, 2, 1)
    assert rgrad.ones(()).shape == () and rgrad.ones(1000, 0).shape == (1000, 0)


@pytest.mark.parametrize("key", [0, -1, True, numpy.int64(1), slice(1), slice(None, None, -2), slice(5, 9)])
def test_a_part_of_sizes_is_a_number_or_sizes(key: object) -> None:
    sizes = rgrad.ones(2, 3, 4).shape
    expected = (2, 3, 4)[key]  # type: ignore[index]
    part = sizes[key]  # type: ignore[index]
    assert part == expected and type(part) is (rgrad.Size if isinstance(key, slice) else int)


@pytest.mark.parametrize("key, error", [(3, IndexError), ("a", TypeError), (1.0, TypeError)])
def test_sizes_refuse_other_keys(key: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        rgrad.ones(2, 3, 4).shape[key]  # type: ignore[index]


def test_a_result_takes_attributes_and_weak_references() -> None:
    result = rgrad.ones(2) * 2
    assert vars(result) == {}
    result.label = "kept"
    gone = weakref.ref(result)
    gc.collect()
    assert result.label == "kept" and gone() is result
    del result
    assert gone() is None


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1000])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8"])
def test_numbers_beside_tensors(count: int, dtype: str) -> None:
    values = numpy.arange(count).astype(dtype)
    tensor = rgrad.tensor(values, dtype=getattr(rgrad, dtype))
    assert numpy.array_equal((tensor * 3).numpy(), values * 3)
    assert numpy.array_equal((3 - tensor).numpy(), 3 - values)
    assert numpy.array_equal(tensor.add_(2).numpy(), values + 2)


@pytest.mark.parametrize("count", [2, 64, 65, 1000])
def test_an_operand_that_is_the_result_or_overlaps_it(count: int) -> None:
    values = numpy.linspace(-1, 1, count + 1, dtype="float32")
    tensor = rgrad.tensor(values)
    tensor.mul_(tensor)
    assert numpy.array_equal(tensor.numpy(), values * values)
    tensor = rgrad.tensor(values)
    tensor[1:].sub_(tensor[:-1])
    assert numpy.array_equal(tensor[1:].numpy(), values[1:] - values[:-1])
    tensor = rgrad.tensor(values)
    tensor[:-1].sub_(tensor[1:])
    assert numpy.array_equal(tensor[:-1].numpy(), values[:-1] - values[1:])


def test_kept_storage_counts_changes_anew() -> None:
    for _ in range(3):
        tensor = rgrad.ones(8)
        assert tensor._version == 0
        tensor.add_(1)
        assert tensor._version == 1
        del tensor
