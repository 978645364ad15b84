"""Sequences of several lengths: padded to one, or packed without padding."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence(
    namedtuple("PackedSequence_", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"]),
):
    """Sequences sorted by length, the first entries of all followed by the second entries and so on.

    Made by `pack_padded_sequence` and `pack_sequence`, and read by recurrent networks.

    Attributes:
        data: the entries, of shape `(sum of lengths, ...)`.
        batch_sizes: how many sequences have an entry at each step, an int64 tensor.
        sorted_indices: the order of the sequences by length, or `None` if they came so.
        unsorted_indices: the order that undoes it, or `None`.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            # The data may come as a pair with them.
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def __getnewargs__(self) -> Any:
        return tuple(self)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences with their data converted as by `Tensor.to`; these themselves if nothing changes."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences on the CPU."""
        return self.to(*args, device="cpu", **kwargs)

    def double(self) -> PackedSequence:
        """The sequences in `float64`."""
        return self.to(dtype=rgrad.double)

    def float(self) -> PackedSequence:
        """The sequences in `float32`."""
        return self.to(dtype=rgrad.float)

    def long(self) -> PackedSequence:
        """The sequences in `int64`."""
        return self.to(dtype=rgrad.long)

    def int(self) -> PackedSequence:
        """The sequences in `int32`."""
        return self.to(dtype=rgrad.int)

    @property
    def is_cuda(self) -> bool:
        """Whether the data are on a GPU."""
        return bool(self.data.is_cuda)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another, of one dimension; `None` for `None`."""
    if permutation is None:
        return None
    places = rgrad.arange(permutation.numel(), device=permutation.device)
    return rgrad.empty_like(permutation).scatter_(0, permutation, places)


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Packs sequences that were padded to one length.

    Args:
        input: of shape `(L, N, ...)`, or `(N, L, ...)` if `batch_first`.
        lengths: the lengths of the sequences, a tensor or a list.
        batch_first: whether the sequences come first.
        enforce_sorted: whether they have to come from the longest to the shortest; else they are sorted.

    Raises:
        RuntimeError: there is not one length for each sequence, one is not positive or longer than the padded
            sequences, or they do not decrease although `enforce_sorted`.
    """
    ordered: list[int] = [int(length) for length in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]
    sorted_indices = None
    if not enforce_sorted:
        order = sorted(range(len(ordered)), key=lambda at: -ordered[at])
        sorted_indices = rgrad.tensor(order, dtype=rgrad.long, device=input.device)
        ordered = [ordered[at] for at in order]
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    steps = input.transpose(0, 1) if batch_first else input
    if len(ordered) != steps.size(1):
        raise RuntimeError(f"pack_padded_sequence: {steps.size(1)} sequences need as many lengths, got {len(ordered)}")
    if not ordered or min(ordered) <= 0:
        raise RuntimeError(f"pack_padded_sequence: the lengths have to be positive, got {ordered}")
    if any(first < second for first, second in zip(ordered, ordered[1:])):
        raise RuntimeError(
            "pack_padded_sequence: the lengths have to decrease; with enforce_sorted=False the sequences are sorted"
        )
    if ordered[0] > steps.size(0):
        raise RuntimeError(
            f"pack_padded_sequence: a length of {ordered[0]} is longer than the sequences, which have {steps.size(0)}"
        )
    present = rgrad.arange(ordered[0]).unsqueeze(1) < rgrad.tensor(ordered)
    rows = steps.narrow(0, 0, ordered[0]).flatten(0, 1)
    return PackedSequence(rows.index_select(0, _places(present)), present.sum(1), sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The padded sequences that were packed, in the order they had then, and their lengths.

    Args:
        sequence: the packed sequences.
        batch_first: whether the result is `(N, L, ...)` instead of `(L, N, ...)`.
        padding_value: what is put behind shorter sequences.
        total_length: the length to pad to, that of the longest if `None`.

    Raises:
        ValueError: `total_length` is less than the longest length.
    """
    data, batch_sizes, _, unsorted_indices = sequence
    length, count = batch_sizes.size(0), int(batch_sizes[0])
    if total_length is not None:
        if total_length < length:
            raise ValueError(f"pad_packed_sequence: total_length={total_length} is less than the longest, {length}")
        length = total_length
    present = rgrad.arange(count) < batch_sizes.unsqueeze(1)
    lengths = present.sum(0)
    blank = data.new_full((length * count, *data.shape[1:]), padding_value)
    padded = blank.index_put((_places(present),), data).reshape((length, count, *data.shape[1:]))
    if batch_first:
        padded = padded.transpose(0, 1)
    if unsorted_indices is not None:
        padded = padded.index_select(0 if batch_first else 1, unsorted_indices)
        lengths = lengths.index_select(0, unsorted_indices)
    return padded, lengths


def _places(present: Tensor) -> Tensor:
    """Where the true entries are, counted row by row: steps by steps, the order in which sequences are packed."""
    return present.flatten().nonzero().squeeze(1)


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences `(L, ...)` of several lengths as one tensor `(longest, N, ...)`, or `(N, longest, ...)`.

    Args:
        sequences: the tensors, or one tensor that is taken apart along its first dimension.
        batch_first: whether the sequences come first.
        padding_value: what shorter ones are continued by.
        padding_side: on which side, `"right"` or `"left"`.

    Raises:
        RuntimeError: `sequences` cannot be iterated over, or `padding_side` is neither.
    """
    if not isinstance(sequences, (Tensor, Iterable)):
        raise RuntimeError(f"pad_sequence: an iterable of tensors is needed, not a {type(sequences).__name__}")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"pad_sequence: padding_side has to be 'left' or 'right', not {padding_side!r}")
    tensors = list(sequences.unbind(0) if isinstance(sequences, Tensor) else sequences)
    if not tensors:
        raise RuntimeError("pad_sequence: at least one sequence is needed")
    longest = max(tensor.size(0) for tensor in tensors)
    steps = 1 if batch_first else 0
    shape = (len(tensors), longest) if batch_first else (longest, len(tensors))
    padded: Tensor = tensors[0].new_full((*shape, *tensors[0].shape[1:]), padding_value)
    for row, tensor in enumerate(tensors):
        start = 0 if padding_side == "right" else longest - tensor.size(0)
        padded.narrow(steps, start, tensor.size(0)).select(1 - steps, row).copy_(tensor)
    return padded


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences without what `pad_sequence` put behind them, as tensors of their own.

    Args:
        padded_sequences: of shape `(L, N, ...)`, or `(N, L, ...)` if `batch_first`.
        lengths: their lengths.
        batch_first: whether the sequences come first.
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [row.narrow(0, 0, int(length)).clone() for row, length in zip(padded_sequences.unbind(0), lengths)]


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Packs a list of sequences `(L, ...)` of several lengths; see `pack_padded_sequence`."""
    lengths = [sequence.size(0) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
