"""The order in which samples are taken: in turn, at random, by weight, in batches."""

from __future__ import annotations

from itertools import islice
from typing import Any, Generic, TypeVar

import rgrad
from rgrad._rgrad import Generator, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Sized

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)

#: How many numbers are drawn at once with replacement; another number would give another order for the same seed.
_CHUNK = 32


def drawn_seed(generator: Generator | None = None) -> int:
    """A seed that a generator draws."""
    return int(rgrad.empty((), dtype=rgrad.int64).random_(generator=generator).item())


class Sampler(Generic[T_co]):
    """Numbers of samples, or lists of them; subclasses define `__iter__`, most of them `__len__`."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__()")


class SequentialSampler(Sampler[int]):
    """The numbers of all samples in turn."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The numbers of samples in random order.

    Args:
        data_source: the dataset.
        replacement: whether a number may come again before all others have come.
        num_samples: how many to give, by default as many as there are.
        generator: the source of random numbers; by default one that the default generator gives a seed.

    Raises:
        TypeError: `replacement` is not a bool.
        ValueError: `num_samples` is not a positive int.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement must be a bool, not {replacement!r}")
        if not isinstance(self.num_samples, int) or self.num_samples < 0:
            raise ValueError(f"RandomSampler: num_samples must be a positive int, not {self.num_samples!r}")

    @property
    def num_samples(self) -> int:
        """How many numbers are given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        count = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = Generator().manual_seed(drawn_seed())
        left = self.num_samples
        if self.replacement:
            while left > 0:
                size = min(left, _CHUNK)
                yield from rgrad.randint(0, count, (size,), generator=generator).tolist()
                left -= size
            return
        for _ in range(left // count if count else 0):
            yield from rgrad.randperm(count, generator=generator).tolist()
        yield from rgrad.randperm(count, generator=generator).tolist()[: left % count if count else 0]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Certain numbers in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in rgrad.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Numbers drawn with the probabilities that weights give them.

    Args:
        weights: a weight for each sample, as probable as which it is.
        num_samples: how many numbers to give.
        replacement: whether a number may come more than once.
        generator: the source of random numbers.

    Raises:
        ValueError: `num_samples` is not a positive int, `replacement` not a bool, or the weights are not one row.
    """

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"WeightedRandomSampler: num_samples must be a positive int, not {num_samples!r}")
        if not isinstance(replacement, bool):
            raise ValueError(f"WeightedRandomSampler: replacement must be a bool, not {replacement!r}")
        row = rgrad.as_tensor(weights, dtype=rgrad.float64)
        if row.dim() != 1:
            raise ValueError(f"WeightedRandomSampler: weights of the sizes {tuple(row.shape)} are not one row")
        self.weights = row
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = rgrad.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The numbers of another sampler in lists.

    Args:
        sampler: the other sampler.
        batch_size: the length of a list.
        drop_last: whether a list that would be shorter is left out.

    Raises:
        ValueError: `batch_size` is not a positive int, or `drop_last` not a bool.
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"BatchSampler: batch_size must be a positive int, not {batch_size!r}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"BatchSampler: drop_last must be a bool, not {drop_last!r}")
        self.sampler: Any = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
