"""Datasets: samples by number or one after the other, and datasets made of others."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from bisect import bisect_right
from itertools import accumulate, chain
from math import floor, isclose
from typing import Any, Generic, TypeVar

import rgrad
from rgrad._rgrad import Generator, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Dataset(Generic[T_co]):
    """Samples by number; subclasses define `__getitem__`, most of them `__len__`.

    One that also defines `__getitems__`, which takes a list of numbers, is asked for a whole batch at once.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__()")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], ABC):
    """Samples one after the other; subclasses define `__iter__`.

    With several workers each has a copy of the dataset: `get_worker_info` tells which part it is to give.
    """

    @abstractmethod
    def __iter__(self) -> Iterator[T_co]: ...

    def __add__(self, other: Dataset[T_co]) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """The slices of tensors along their first dimension, as tuples.

    Raises:
        AssertionError: the tensors differ in the size of that dimension.
    """

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensor.size(0) != tensors[0].size(0) for tensor in tensors):
            sizes = [tensor.size(0) for tensor in tensors]
            raise AssertionError(f"TensorDataset: the tensors have different sizes in their first dimension: {sizes}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].size(0)


class StackDataset(Dataset[Any]):
    """Tuples of the samples of several datasets, or dictionaries if they are given by name.

    Raises:
        ValueError: they differ in length, there are none, or some have names and some have not.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("StackDataset: either all datasets have names or none")
        if not args and not kwargs:
            raise ValueError("StackDataset: at least one dataset is needed")
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in self._each()]
        if len(set(lengths)) > 1:
            raise ValueError(f"StackDataset: the datasets have different lengths: {lengths}")
        self._length = lengths[0]

    def _each(self) -> list[Any]:
        return list(self.datasets.values() if isinstance(self.datasets, dict) else self.datasets)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        columns = [samples_of(dataset, indices) for dataset in self._each()]
        for column in columns:
            if len(column) != len(indices):
                raise ValueError(f"a dataset gave {len(column)} samples for {len(indices)} numbers")
        if isinstance(self.datasets, dict):
            return [dict(zip(self.datasets, row)) for row in zip(*columns)]
        return list(zip(*columns))

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """One dataset after the other.

    Raises:
        AssertionError: there are none, or one gives its samples only one after the other.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: at least one dataset is needed")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset: an IterableDataset has no numbers; use ChainDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Sequence[Any]) -> list[int]:
        """The number where each dataset ends."""
        return list(accumulate(len(dataset) for dataset in sequence))

    def __getitem__(self, idx: int) -> T_co:
        if idx < 0:
            if -idx > len(self):
                raise ValueError(f"there is no sample {idx}: the datasets have {len(self)}")
            idx += len(self)
        number = bisect_right(self.cumulative_sizes, idx)
        begin = self.cumulative_sizes[number - 1] if number else 0
        sample: T_co = self.datasets[number][idx - begin]
        return sample

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[Any]):
    """The samples of one dataset after those of the other.

    Raises:
        AssertionError: while it is gone through, a dataset is not an `IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._checked())

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._checked())

    def _checked(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(f"ChainDataset: a {type(dataset).__name__} is not an IterableDataset")
            yield dataset


class Subset(Dataset[T_co]):
    """The samples of a dataset that have certain numbers."""

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: Any) -> T_co:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        return samples_of(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def samples_of(dataset: Any, indices: list[Any]) -> list[Any]:
    """The samples of a dataset with several numbers, by one call if it can give them so."""
    if callable(getattr(dataset, "__getitems__", None)):
        samples: list[Any] = dataset.__getitems__(indices)
        return samples
    return [dataset[i] for i in indices]


def random_split(
    dataset: Dataset[T], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T]]:
    """Split a dataset into parts of certain lengths at random.

    Args:
        dataset: the dataset, which has a length.
        lengths: the lengths of the parts, or parts of one that add up to it; what rounding leaves over is given to the
            first parts, one sample each.
        generator: the source of random numbers.

    Raises:
        ValueError: the lengths do not add up to that of the dataset, or a part of one is not between 0 and 1.
    """
    total = len(dataset)  # type: ignore[arg-type]
    if isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _rounded(lengths, total)
    if sum(lengths) != total:
        raise ValueError(f"random_split: the lengths {list(lengths)} do not add up to that of the dataset, {total}")
    order = rgrad.randperm(total, generator=generator).tolist()
    ends = list(accumulate(int(length) for length in lengths))
    return [Subset(dataset, order[end - int(length) : end]) for end, length in zip(ends, lengths)]


def _rounded(parts: Sequence[float], total: int) -> list[int]:
    lengths = []
    for i, part in enumerate(parts):
        if part < 0 or part > 1:
            raise ValueError(f"random_split: part {i} must be between 0 and 1, got {part}")
        lengths.append(floor(total * part))
    for i in range(total - sum(lengths)):
        lengths[i % len(lengths)] += 1
    for i, length in enumerate(lengths):
        if length == 0:
            warnings.warn(f"random_split: part {i} is empty", stacklevel=3)
    return lengths
