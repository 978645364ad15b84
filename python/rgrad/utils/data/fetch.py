"""Getting the samples of a batch from a dataset, by their numbers or in turn."""

from __future__ import annotations

from itertools import islice

from rgrad.utils.data.dataset import IterableDataset, samples_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Fetcher"]


class Fetcher:
    """Gives the batch for a list of numbers, or the sample for a number if there are no batches.

    Of an `IterableDataset` the numbers only say how many samples are wanted.
    """

    def __init__(self, dataset: Any, in_batches: bool, collate: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset = dataset
        self.in_batches = in_batches
        self.collate = collate
        self.drop_last = drop_last
        self.samples = iter(dataset) if isinstance(dataset, IterableDataset) else None

    def fetch(self, numbers: Any) -> Any:
        """The batch or sample.

        Raises:
            StopIteration: an `IterableDataset` has no more.
        """
        if self.samples is None:
            samples = samples_of(self.dataset, numbers) if self.in_batches else self.dataset[numbers]
        elif self.in_batches:
            samples = list(islice(self.samples, len(numbers)))
            if not samples or (self.drop_last and len(samples) < len(numbers)):
                raise StopIteration
        else:
            samples = next(self.samples)
        return self.collate(samples)
