"""Datasets, samplers and collation beside torch."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

from oracle import agree, evaluated, lines, raises

Pair = namedtuple("Pair", "first second")


def squares(lib, count=7):
    """A dataset of tuples of tensors."""
    numbers = lib.arange(count)
    return lib.utils.data.TensorDataset(numbers, numbers.float() ** 2)


def counting(lib, count):
    """A dataset that gives its samples in turn."""

    class Counting(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(count))

        def __len__(self):
            return count

    return Counting()


DATASETS = {
    "tensors": lambda lib, d: squares(lib),
    "subset": lambda lib, d: d.Subset(squares(lib), [5, 1, 1]),
    "concat": lambda lib, d: d.ConcatDataset([squares(lib, 2), squares(lib, 3)]),
    "sum": lambda lib, d: squares(lib, 2) + squares(lib, 3) + squares(lib, 1),
    "stack": lambda lib, d: d.StackDataset(squares(lib), list("abcdefg")),
    "named stack": lambda lib, d: d.StackDataset(x=squares(lib), y=list("abcdefg")),
}


@pytest.mark.parametrize("name", DATASETS)
def test_samples(name):
    def program(lib):
        dataset = DATASETS[name](lib, lib.utils.data)
        several = dataset.__getitems__([2, 0]) if hasattr(dataset, "__getitems__") else None
        return [dataset[i] for i in range(len(dataset))], several

    agree(program)


def test_negative_numbers_and_chains():
    def program(lib):
        d = lib.utils.data
        both = d.ConcatDataset([squares(lib, 2), squares(lib, 3)])
        chain = d.ChainDataset([counting(lib, 2), counting(lib, 3)])
        return (
            both[-1],
            both[-5],
            both.cumulative_sizes,
            list(chain),
            len(chain),
            list(counting(lib, 1) + counting(lib, 2)),
        )

    agree(program)


@pytest.mark.parametrize("lengths", [[3, 4], [7, 0], [0.5, 0.5], [0.3, 0.3, 0.4], [0.9, 0.1]])
def test_random_split(lengths):
    def program(lib):
        lib.manual_seed(4)
        parts = lib.utils.data.random_split(range(7), lengths)
        own = lib.utils.data.random_split(range(7), lengths, lib.Generator().manual_seed(1))
        return [list(part) for part in parts], [list(part.indices) for part in own]

    agree(program)


SAMPLERS = lines(
    """
    SequentialSampler(range(5))
    RandomSampler(range(9))
    RandomSampler(range(9), num_samples=20)
    RandomSampler(range(9), num_samples=4)
    RandomSampler(range(9), replacement=True)
    RandomSampler(range(9), True, 70)
    RandomSampler(range(9), generator=lib.Generator().manual_seed(3))
    SubsetRandomSampler([3, 1, 4, 1, 5])
    SubsetRandomSampler([3, 1, 4], generator=lib.Generator().manual_seed(3))
    WeightedRandomSampler([0.1, 0.9, 0.4, 0.0], 10)
    WeightedRandomSampler([0.1, 0.9, 0.4, 0.2], 3, replacement=False)
    WeightedRandomSampler(lib.tensor([1.0, 2.0]), 5, generator=lib.Generator().manual_seed(3))
    BatchSampler(range(7), 3, False)
    BatchSampler(range(7), 3, True)
    BatchSampler(SubsetRandomSampler(range(5)), 2, False)
    DistributedSampler(range(10), 3, 0)
    DistributedSampler(range(10), 3, 2, shuffle=False)
    DistributedSampler(range(10), 3, 1, drop_last=True, seed=5)
    DistributedSampler(range(2), 7, 6, shuffle=False)
    """
)


def with_data(expression):
    code = compile(expression, expression, "eval")
    return lambda lib: eval(code, {**vars(lib.utils.data), "lib": lib, "counting": counting})


@pytest.mark.parametrize("expression", SAMPLERS)
def test_samplers(expression):
    def program(lib):
        lib.manual_seed(11)
        sampler = with_data(expression)(lib)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(2)
        return len(sampler), list(sampler), list(sampler), lib.rand(2)

    agree(program)


BATCHES = {
    "tensors": lambda lib: [lib.ones(2), lib.zeros(2)],
    "floats": lambda lib: [1.5, 2.0],
    "ints": lambda lib: [1, 2],
    "truths": lambda lib: [True, False],
    "text": lambda lib: ["a", "b"],
    "bytes": lambda lib: [b"a", b"b"],
    "arrays": lambda lib: [np.ones((2, 3), dtype=np.float32), np.zeros((2, 3), dtype=np.float32)],
    "numbers of numpy": lambda lib: [np.float32(1.5), np.float32(2.5)],
    "integers of numpy": lambda lib: [np.int64(3), np.int64(4)],
    "tuples": lambda lib: [(1, lib.ones(2)), (2, lib.zeros(2))],
    "lists": lambda lib: [[1, 2.0], [3, 4.0]],
    "dictionaries": lambda lib: [{"a": 1, "b": [lib.ones(1), "x"]}, {"a": 2, "b": [lib.zeros(1), "y"]}],
    "ordered": lambda lib: [OrderedDict(b=1, a=2), OrderedDict(b=3, a=4)],
    "named": lambda lib: [Pair(1, 2.0), Pair(3, 4.0)],
    "empty tuples": lambda lib: [(), ()],
    "ranges": lambda lib: [range(2), range(2)],
}


@pytest.mark.parametrize("name", BATCHES)
def test_collation(name):
    def program(lib):
        batch = lib.utils.data.default_collate(BATCHES[name](lib))
        return type(batch).__name__, dict(batch) if isinstance(batch, dict) else batch

    agree(program)


CONVERTED = lines(
    """
    lib.ones(2)
    np.arange(3)
    np.float64(2.5)
    3
    "text"
    np.array("text")
    {"a": np.ones(2), "b": (1, np.zeros(1))}
    [np.ones(1), "x"]
    (np.ones(1), 2)
    None
    range(3)
    """
)


@pytest.mark.parametrize("expression", CONVERTED)
def test_conversion(expression):
    agree(lambda lib: lib.utils.data.default_convert(evaluated(expression)(lib)))


REFUSED = lines(
    """
    Dataset()[0]
    IterableDataset()
    iter(Sampler())
    TensorDataset(lib.ones(2), lib.ones(3))
    StackDataset()
    StackDataset(range(2), x=range(2))
    StackDataset(range(2), range(3))
    ConcatDataset([])
    ConcatDataset([counting(lib, 2)])
    ConcatDataset([range(3)])[-4]
    list(ChainDataset([range(3)]))
    random_split(range(5), [2, 2])
    random_split(range(5), [0.5, -0.5, 1.0])
    RandomSampler(range(3), replacement=1)
    RandomSampler(range(3), num_samples=-1)
    RandomSampler(range(3), num_samples=1.5)
    WeightedRandomSampler([1.0], 0)
    WeightedRandomSampler([1.0], True)
    WeightedRandomSampler([[1.0]], 1)
    WeightedRandomSampler([1.0], 1, replacement=0)
    list(WeightedRandomSampler([1.0], 2, replacement=False))
    list(WeightedRandomSampler([-1.0, 2.0], 2))
    BatchSampler(range(3), 0, False)
    BatchSampler(range(3), True, False)
    BatchSampler(range(3), 2, 1)
    DistributedSampler(range(3), 2, 2)
    DistributedSampler(range(3), 2, -1)
    default_collate([None])
    default_collate([object()])
    default_collate([[1], [1, 2]])
    default_collate([lib.ones(1), lib.ones(2)])
    """
)


@pytest.mark.parametrize("expression", REFUSED)
def test_refused(expression):
    raises(with_data(expression))
