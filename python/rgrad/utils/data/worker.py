"""What runs in the workers of a `DataLoader`, which are processes or threads."""

from __future__ import annotations

import random
import threading
from traceback import format_exc

import rgrad
from rgrad.utils.data.fetch import Fetcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Exhausted", "Failure", "Resume", "Resumed", "WorkerInfo", "get_worker_info", "work"]


class WorkerInfo:
    """What a worker knows of itself.

    Attributes:
        id: its number.
        num_workers: the number of workers.
        seed: its seed.
        dataset: its copy of the dataset.
    """

    def __init__(self, id: int, num_workers: int, seed: int, dataset: Any) -> None:
        self.id = id
        self.num_workers = num_workers
        self.seed = seed
        self.dataset = dataset

    def __repr__(self) -> str:
        return f"WorkerInfo(id={self.id}, num_workers={self.num_workers}, seed={self.seed}, dataset={self.dataset!r})"


# Workers that are threads have each their own.
_here = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """What a worker knows of itself; `None` outside workers."""
    return getattr(_here, "info", None)


class Failure:
    """An exception of a worker on its way to the loader."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind = type(error)
        self.message = f"{type(error).__name__} in {where}:\n{format_exc()}"

    def reraise(self) -> None:
        """Raise an exception of the same class, whose message has the worker's traceback."""
        if self.kind is KeyError:
            # A KeyError shows the representation of its message, on one line.
            raise KeyError(_Shown(self.message))
        try:
            error = self.kind(self.message)
        except TypeError:
            error = RuntimeError(self.message)
        raise error


class _Shown(str):
    def __repr__(self) -> str:
        return str(self)


class Exhausted:
    """Says that the samples of a worker's copy of an `IterableDataset` have all been given."""


class Resume:
    """Asks a worker to begin another epoch."""

    def __init__(self, seed: int) -> None:
        self.seed = seed


class Resumed:
    """Says that a worker has begun it."""


def work(
    dataset: Any,
    tasks: Any,
    results: Any,
    fetching: tuple[bool, Callable[[Any], Any], bool],
    seed: int,
    id: int,
    count: int,
    init: Callable[[int], Any] | None,
    in_process: bool,
) -> None:
    """Answer tasks until one is `None`.

    Args:
        dataset: the dataset.
        tasks: the queue of pairs of a task's number and the samples' numbers.
        results: the queue of triples of a task's number, the worker's and the batch.
        fetching: further arguments of `Fetcher`.
        seed: the seed of all workers, to which each adds its number.
        id: the number of this worker.
        count: the number of workers.
        init: called with the worker's number first.
        in_process: whether this is a process of its own, whose random generators are its own as well.
    """
    where = f"worker {'process' if in_process else 'thread'} {id} of a DataLoader"
    fetcher: Fetcher | None = None
    failure: Failure | None = None
    try:
        if in_process:
            _prepare_process(seed, id)
        _here.info = WorkerInfo(id, count, seed + id, dataset)
        if init is not None:
            init(id)
        fetcher = Fetcher(dataset, *fetching)
    except Exception as error:  # noqa: BLE001 - it is raised in the loader
        failure = Failure(error, where)
    exhausted = False
    while (task := tasks.get()) is not None:
        if isinstance(task, Resume):
            _here.info = WorkerInfo(id, count, task.seed + id, dataset)
            fetcher, failure, exhausted = Fetcher(dataset, *fetching), None, False
            results.put((None, id, Resumed()))
            continue
        number, samples = task
        if exhausted:
            continue
        answer: Any = failure
        if fetcher is not None and failure is None:
            try:
                answer = fetcher.fetch(samples)
            except StopIteration as stop:
                exhausted = fetcher.samples is not None
                answer = Exhausted() if exhausted else Failure(stop, where)
            except Exception as error:  # noqa: BLE001 - it is raised in the loader
                answer = Failure(error, where)
        failure = None
        results.put((number, id, answer))


def _prepare_process(seed: int, id: int) -> None:
    """Seed the random generators of a worker's process, and let it use one thread beside the other workers."""
    import numpy

    rgrad.set_num_threads(1)
    random.seed(seed + id)
    rgrad.manual_seed(seed + id)
    entropy = [id, seed & 0xFFFFFFFF, seed >> 32, 0]
    numpy.random.seed(numpy.random.SeedSequence(entropy).generate_state(4))
