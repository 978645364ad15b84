"""Making tensors of samples, and one batch of several samples."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy

import rgrad
from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["default_collate", "default_convert"]


def default_convert(data: Any) -> Any:
    """`data` with NumPy's arrays and numbers made tensors, also within mappings and sequences."""
    if isinstance(data, Tensor):
        return data
    if _is_numpy(data):
        return data if data.dtype.kind in "OSU" else rgrad.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, ((key, default_convert(data[key])) for key in data))
    if _is_named_tuple(data):
        return type(data)(*(default_convert(entry) for entry in data))
    if isinstance(data, tuple):
        return [default_convert(entry) for entry in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(entry) for entry in data])
    return data


def default_collate(batch: Any) -> Any:
    """One batch of several samples alike: tensors are stacked, numbers made a tensor, collections collated by entry.

    Raises:
        TypeError: the samples are of a kind that no batch is made of, such as `None`.
        RuntimeError: sequences differ in length, or tensors in size.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return rgrad.stack(list(batch), 0)
    if _is_numpy(first):
        if first.dtype.kind in "OSU":
            raise TypeError(f"no batch can be made of NumPy's {first.dtype}; pass a collate_fn")
        if first.shape == ():
            return rgrad.as_tensor([entry.item() for entry in batch], dtype=rgrad.as_tensor(first).dtype)
        return default_collate([rgrad.as_tensor(entry) for entry in batch])
    if isinstance(first, float):
        return rgrad.tensor(list(batch), dtype=rgrad.float64)
    if isinstance(first, int):
        return rgrad.tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _like_mapping(first, ((key, default_collate([sample[key] for sample in batch])) for key in first))
    if _is_named_tuple(first):
        return type(first)(*(default_collate(entries) for entries in zip(*batch)))
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise RuntimeError(f"the sequences of a batch must be of one length, not of {sorted(lengths)}")
        collated = [default_collate(entries) for entries in zip(*batch)]
        return collated if isinstance(first, tuple) else _like_sequence(first, collated)
    raise TypeError(f"no batch can be made of samples of type {type(first).__name__}; pass a collate_fn")


def _is_numpy(data: Any) -> bool:
    # NumPy is not imported for this: what is of its types shows that it has been.
    return type(data).__module__ == "numpy" and hasattr(data, "dtype")


def _is_named_tuple(data: Any) -> bool:
    return isinstance(data, tuple) and hasattr(data, "_fields")


def _like_mapping(data: Mapping[Any, Any], entries: Iterable[tuple[Any, Any]]) -> Any:
    made = dict(entries)
    if isinstance(data, MutableMapping):
        return _try(lambda: _updated(copy(data), made), made)
    return _try(lambda: type(data)(made), made)  # type: ignore[call-arg]


def _updated(data: Any, entries: dict[Any, Any]) -> Any:
    data.update(entries)
    return data


def _like_sequence(data: Any, entries: list[Any]) -> Any:
    if isinstance(data, range):
        return entries
    if isinstance(data, MutableSequence):
        return _try(lambda: _replaced(copy(data), entries), entries)
    return _try(lambda: type(data)(entries), entries)


def _replaced(data: Any, entries: list[Any]) -> Any:
    for i, entry in enumerate(entries):
        data[i] = entry
    return data


def _try(make: Callable[[], Any], otherwise: Any) -> Any:
    """A collection like that of a sample; its class may not allow to make one from what is in it."""
    try:
        return make()
    except TypeError:
        return otherwise
