"""`DistributedSampler`, which gives each of several processes its share of a dataset."""

from __future__ import annotations

from math import ceil

import rgrad
from rgrad import distributed
from rgrad._rgrad import Generator
from rgrad.utils.data.sampler import Sampler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every so-many-th number of a random order, the same for all processes.

    Args:
        dataset: the dataset.
        num_replicas: the number of processes.
        rank: the number of this one.
        shuffle: whether the order is random; it depends on `seed` and on the epoch, see `set_epoch`.
        seed: the seed of the order.
        drop_last: whether samples are left out so that all shares are as long; otherwise some are given twice.

    Raises:
        RuntimeError: `num_replicas` or `rank` is not given, and there is no group of processes to ask.
        ValueError: `rank` is not the number of a process.
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if (num_replicas is None or rank is None) and not distributed.is_available():
            raise RuntimeError("DistributedSampler: num_replicas and rank are needed, as rgrad trains in one process")
        replicas = distributed.get_world_size() if num_replicas is None else num_replicas
        number = distributed.get_rank() if rank is None else rank
        if number >= replicas or number < 0:
            raise ValueError(f"DistributedSampler: rank {number} is not between 0 and {replicas - 1}")
        self.dataset = dataset
        self.num_replicas = replicas
        self.rank = number
        self.epoch = 0
        self.drop_last = drop_last
        count = len(dataset)
        if drop_last and count % replicas != 0:
            self.num_samples = ceil((count - replicas) / replicas)
        else:
            self.num_samples = ceil(count / replicas)
        self.total_size = self.num_samples * replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            order = rgrad.randperm(count, generator=generator).tolist()
        else:
            order = list(range(count))
        if self.drop_last:
            order = order[: self.total_size]
        else:
            order = (order * ceil(self.total_size / max(count, 1)))[: self.total_size]
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch is next, so that its order is another one."""
        self.epoch = epoch
