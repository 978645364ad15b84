"""The loader beside torch: order, batches, workers of both kinds, failures."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

import rgrad
from oracle import agree, raises, torch


def squares(lib, count=10):
    numbers = lib.arange(count)
    return lib.utils.data.TensorDataset(numbers, numbers.float() ** 2)


def shares(lib, count=10):
    """A dataset that gives its samples in turn, to each worker its share."""

    class Shares(lib.utils.data.IterableDataset):
        def __iter__(self):
            info = lib.utils.data.get_worker_info()
            begin, step = (info.id, info.num_workers) if info else (0, 1)
            return iter(range(begin, count, step))

        def __len__(self):
            return count

    return Shares()


OPTIONS = [
    {},
    {"batch_size": 3},
    {"batch_size": 3, "drop_last": True},
    {"batch_size": 3, "shuffle": True},
    {"batch_size": None},
    {"batch_size": None, "shuffle": True},
    {"sampler": [4, 2, 7], "batch_size": 2},
    {"batch_sampler": [[1, 2], [3], [9, 0, 1]]},
    {"batch_size": 4, "shuffle": True, "collate_fn": list},
    {"batch_size": 4, "pin_memory": True, "pin_memory_device": ""},
]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_batches(options, workers):
    def program(lib):
        lib.manual_seed(7)
        loader = lib.utils.data.DataLoader(squares(lib), num_workers=workers, **options)
        return list(loader), list(loader), len(loader), lib.rand(3), loader.batch_size, loader.drop_last

    agree(program)


@pytest.mark.parametrize("workers", [0, 2])
def test_orders_of_a_generator(workers):
    def program(lib):
        generator = lib.Generator().manual_seed(5)
        loader = lib.utils.data.DataLoader(range(8), 3, shuffle=True, generator=generator, num_workers=workers)
        return list(loader), list(loader), lib.rand(2, generator=generator)

    agree(program)


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize(
    "options", [{}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}], ids=str
)
def test_samples_in_turn(options, workers):
    def program(lib):
        loader = lib.utils.data.DataLoader(shares(lib), num_workers=workers, **options)
        return list(loader), len(loader)

    agree(program)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("dataset", [squares, shares])
def test_threads_give_what_processes_give(dataset, workers):
    loader = rgrad.utils.data.DataLoader
    batches = [
        list(loader(dataset(rgrad), 3, num_workers=workers, multiprocessing_context=context))
        for context in ("fork", "thread")
    ]
    assert repr(batches[0]) == repr(batches[1])


class Random:
    """Samples from all random generators of a worker."""

    def __init__(self, lib):
        self.lib = lib

    def __getitem__(self, index):
        info = self.lib.utils.data.get_worker_info()
        numbers = [self.lib.rand(()).item(), random.random(), float(np.random.random()), float(info.id)]
        return self.lib.tensor([*numbers, float(info.seed % 1000), float(info.num_workers)], dtype=self.lib.float64)

    def __len__(self):
        return 6


def test_seeds_of_workers():
    def program(lib):
        lib.manual_seed(3)
        return list(lib.utils.data.DataLoader(Random(lib), 1, num_workers=2))

    agree(program)


@pytest.mark.parametrize("context", [None, "thread"])
def test_persistent_workers_go_on(context):
    loader = rgrad.utils.data.DataLoader(
        squares(rgrad), 3, num_workers=2, persistent_workers=True, multiprocessing_context=context
    )
    first = iter(loader)
    workers = list(first._workers)
    next(first)
    # The epoch is left in the middle; the next one begins at its beginning.
    epochs = [[batch[0].tolist() for batch in loader] for _ in range(2)]
    assert epochs == [[[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]] * 2
    assert loader._workers._workers == workers
    assert all(worker.is_alive() for worker in workers)


def test_persistent_workers_and_samples_in_turn():
    def program(lib):
        loader = lib.utils.data.DataLoader(shares(lib), 3, num_workers=2, persistent_workers=True)
        return list(loader), list(loader)

    agree(program)


def test_workers_end():
    loader = rgrad.utils.data.DataLoader(squares(rgrad), 3, num_workers=2)
    batches = iter(loader)
    workers = batches._workers
    next(batches)
    del batches
    for worker in workers:
        worker.join(timeout=30)
        assert not worker.is_alive()


def test_workers_compute_with_tensors():
    """The threads of a process do not go with it when it forks; its workers compute all the same."""

    class Products:
        def __getitem__(self, index):
            return rgrad.full((300, 300), float(index)) @ rgrad.ones(300, 300)

        def __len__(self):
            return 4

    rgrad.ones(300, 300) @ rgrad.ones(300, 300)
    batches = list(rgrad.utils.data.DataLoader(Products(), 2, num_workers=2))
    assert [batch[:, 0, 0].tolist() for batch in batches] == [[0.0, 300.0], [600.0, 900.0]]


def test_out_of_order():
    class Slow:
        def __getitem__(self, index):
            time.sleep(0.5 if index == 0 else 0.0)
            return index

        def __len__(self):
            return 4

    loader = rgrad.utils.data.DataLoader(Slow(), None, num_workers=2, in_order=False, multiprocessing_context="thread")
    found = list(loader)
    assert found[0] != 0 and sorted(found) == [0, 1, 2, 3]


def test_the_number_of_a_worker_is_told():
    seen = []
    loader = rgrad.utils.data.DataLoader(
        range(4), num_workers=2, worker_init_fn=seen.append, multiprocessing_context="thread"
    )
    list(loader)
    assert sorted(seen) == [0, 1]
    assert rgrad.utils.data.get_worker_info() is None


class Broken:
    def __init__(self, kind):
        self.kind = kind

    def __getitem__(self, index):
        raise self.kind(f"sample {index}")

    def __len__(self):
        return 3


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("kind", [ValueError, KeyError, IndexError, ZeroDivisionError])
def test_failures(kind, workers):
    error = raises(lambda lib: list(lib.utils.data.DataLoader(Broken(kind), num_workers=workers)))
    assert "sample 0" in str(error)


def fail(number):
    raise LookupError(f"worker {number}")


def test_failures_of_the_first_call():
    error = raises(lambda lib: list(lib.utils.data.DataLoader(range(3), num_workers=1, worker_init_fn=fail)))
    assert "worker 0" in str(error)


class Ending:
    def __getitem__(self, index):
        os._exit(3)

    def __len__(self):
        return 3


def test_workers_that_end_without_a_word():
    raises(lambda lib: list(lib.utils.data.DataLoader(Ending(), num_workers=1)))


class Sleeping:
    def __getitem__(self, index):
        time.sleep(60)

    def __len__(self):
        return 3


def test_timeouts():
    raises(lambda lib: next(iter(lib.utils.data.DataLoader(Sleeping(), num_workers=1, timeout=1))))


REFUSED = {
    "workers": {"num_workers": -1},
    "timeout": {"timeout": -1},
    "prefetch without workers": {"prefetch_factor": 2},
    "prefetch": {"prefetch_factor": -2, "num_workers": 1},
    "persistent": {"persistent_workers": True},
    "sampler and shuffle": {"sampler": [1], "shuffle": True},
    "batch sampler and size": {"batch_sampler": [[1]], "batch_size": 2},
    "batch sampler and shuffle": {"batch_sampler": [[1]], "shuffle": True},
    "drop last of nothing": {"batch_size": None, "drop_last": True},
    "batch size": {"batch_size": 0},
    "batch size of another type": {"batch_size": 1.5},
    "context without workers": {"multiprocessing_context": "fork"},
    "context": {"multiprocessing_context": "knife", "num_workers": 1},
    "type of the context": {"multiprocessing_context": 3, "num_workers": 1},
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    raises(lambda lib: lib.utils.data.DataLoader(range(3), **REFUSED[case]))


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}], ids=str)
def test_refused_for_samples_in_turn(options):
    raises(lambda lib: lib.utils.data.DataLoader(shares(lib), **options))


@pytest.mark.parametrize("name", ["batch_size", "sampler", "drop_last", "dataset"])
def test_loaders_stay_what_they_are(name):
    raises(lambda lib: setattr(lib.utils.data.DataLoader(range(3)), name, 2))


def test_data_are_loaded_when_they_are_asked_for():
    program = "import sys, rgrad; assert 'rgrad.utils.data' not in sys.modules; rgrad.utils.data.DataLoader(range(2))"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
    assert torch.utils.data.DataLoader is not rgrad.utils.data.DataLoader
