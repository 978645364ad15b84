"""`DataLoader`, which goes through a dataset in batches."""

from __future__ import annotations

import multiprocessing
from itertools import repeat
from typing import Any, Generic, TypeVar

from rgrad.utils.data.collate import default_collate, default_convert
from rgrad.utils.data.dataset import Dataset, IterableDataset
from rgrad.utils.data.fetch import Fetcher
from rgrad.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, drawn_seed
from rgrad.utils.data.worker import get_worker_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rgrad._rgrad import Generator
    from rgrad.utils.data.workers import WorkersIterator

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

#: What decides about the order of samples: a loader that changed it in the middle would contradict itself.
_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class _Endless(Sampler[None]):
    """`None` without end, for datasets that give their samples in turn."""

    def __iter__(self) -> Iterator[None]:
        return repeat(None)


class DataLoader(Generic[T_co]):
    """Goes through a dataset in batches, in an order that a sampler gives, here or in workers.

    For the same seed the order is that of PyTorch.

    Args:
        dataset: the dataset.
        batch_size: the number of samples in a batch; with `None` samples come one by one.
        shuffle: whether to take them in random order, a new one each time.
        sampler: the order, as numbers of samples, in place of `shuffle`.
        batch_sampler: the order, as lists of numbers, in place of the three before and `drop_last`.
        num_workers: the number of workers that get samples; with 0 they are got when they are asked for.
        collate_fn: makes a batch of a list of samples; without batches, of one sample.
        pin_memory: accepted; all memory is alike.
        drop_last: whether a batch that would be smaller is left out.
        timeout: the seconds to wait for a batch of a worker, 0 for as long as it takes.
        worker_init_fn: called with the number of each worker, in it, before it begins.
        multiprocessing_context: how processes are started, a name or a context of `multiprocessing`; or `"thread"`,
            which PyTorch has not: workers are then threads, which share the dataset and need no copies of batches.
            They are faster where getting a sample is mostly waiting.
        generator: the source of the random order, and of the seeds of workers.
        prefetch_factor: the number of batches that each worker gets ahead, by default 2.
        persistent_workers: whether workers go on after the last batch, until the loader is gone.
        pin_memory_device: accepted, as `pin_memory`.
        in_order: whether batches come in the order of the sampler; otherwise as soon as a worker has one.

    Raises:
        ValueError: arguments exclude each other or are out of their range.
    """

    _ready = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError(f"DataLoader: num_workers must not be negative, got {num_workers}")
        if timeout < 0:
            raise ValueError(f"DataLoader: timeout must not be negative, got {timeout}")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError("DataLoader: prefetch_factor needs workers, but num_workers is 0")
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError(f"DataLoader: prefetch_factor must not be negative, got {prefetch_factor}")
        if persistent_workers and num_workers == 0:
            raise ValueError("DataLoader: persistent_workers needs workers, but num_workers is 0")
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.in_order = in_order
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.persistent_workers = persistent_workers
        _check_order(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        order: Any = sampler
        if order is None:
            if isinstance(dataset, IterableDataset):
                order = _Endless()
            elif shuffle:
                order = RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]
            else:
                order = SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_size is not None:
            batch_sampler = BatchSampler(order, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = order
        self.batch_sampler: Any = batch_sampler
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self._workers: WorkersIterator | None = None
        self._ready = True

    @property
    def multiprocessing_context(self) -> Any:
        """How workers are started."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None and self.num_workers == 0:
            raise ValueError("DataLoader: multiprocessing_context needs workers, but num_workers is 0")
        if isinstance(context, str) and context != "thread":
            methods = multiprocessing.get_all_start_methods()
            if context not in methods:
                raise ValueError(
                    f"DataLoader: multiprocessing_context must be 'thread' or of {methods}, not {context!r}"
                )
            context = multiprocessing.get_context(context)
        elif not (context is None or context == "thread" or hasattr(context, "Process")):
            raise TypeError(f"DataLoader: a multiprocessing context is expected, got {type(context).__name__}")
        self._context = context

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready and name in _FIXED:
            raise ValueError(f"DataLoader: {name} cannot be changed; make another loader")
        super().__setattr__(name, value)

    @property
    def _in_batches(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _order(self) -> Any:
        return self.batch_sampler if self._in_batches else self.sampler

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers == 0:
            # The order is drawn after the seed, as in PyTorch: both come from the same generator.
            order = iter(self._order)
            drawn_seed(self.generator)
            fetcher = Fetcher(self.dataset, self._in_batches, self.collate_fn, self.drop_last)
            return _Here(self, order, fetcher)
        from rgrad.utils.data.workers import WorkersIterator

        if not self.persistent_workers:
            return WorkersIterator(self)
        if self._workers is None:
            self._workers = WorkersIterator(self)
        else:
            self._workers.reset(self)
        return self._workers

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._order)
        count = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


class _Here:
    """Goes through the batches without workers."""

    def __init__(self, loader: DataLoader[Any], order: Iterator[Any], fetcher: Fetcher) -> None:
        self._order = order
        self._fetcher = fetcher
        self._length = loader

    def __iter__(self) -> _Here:
        return self

    def __next__(self) -> Any:
        return self._fetcher.fetch(next(self._order))

    def __len__(self) -> int:
        return len(self._length)


def _check_order(
    dataset: Any, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    """Raise `ValueError` for arguments that decide about the order in different ways."""
    if isinstance(dataset, IterableDataset):
        if shuffle:
            raise ValueError("DataLoader: an IterableDataset decides about its order itself, but shuffle is given")
        if sampler is not None or batch_sampler is not None:
            raise ValueError("DataLoader: an IterableDataset decides about its order itself, but a sampler is given")
    if sampler is not None and shuffle:
        raise ValueError("DataLoader: either a sampler or shuffle can be given, not both")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError("DataLoader: with a batch_sampler, no batch_size, shuffle, sampler or drop_last can be given")
    if batch_sampler is None and batch_size is None and drop_last:
        raise ValueError("DataLoader: drop_last needs batches, but batch_size is None")
