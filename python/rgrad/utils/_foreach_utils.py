"""Lists of tensors by device and element type, as optimizers of other packages ask for them."""

from __future__ import annotations

from rgrad._rgrad import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    TensorLists = list[list[Tensor | None]]

__all__ = [
    "_device_has_foreach_support",
    "_get_foreach_kernels_supported_devices",
    "_get_fused_kernels_supported_devices",
    "_group_tensors_by_device_and_dtype",
    "_has_foreach_support",
]


def _get_foreach_kernels_supported_devices() -> list[str]:
    """The other devices on which lists of tensors are computed at once: none."""
    return []


def _get_fused_kernels_supported_devices() -> list[str]:
    """The devices on which optimizers can be `fused`."""
    return ["cpu"]


def _device_has_foreach_support(device: Any) -> bool:
    """Whether `foreach` is what optimizers do on a device unless they are told."""
    return getattr(device, "type", device) in _get_foreach_kernels_supported_devices()


def _has_foreach_support(tensors: Sequence[Tensor | None], device: Any) -> bool:
    """Whether `foreach` is what optimizers do for these tensors unless they are told."""
    return _device_has_foreach_support(device) and all(tensor is None or type(tensor) is Tensor for tensor in tensors)


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Sequence[Sequence[Tensor | None]], with_indices: bool = False
) -> dict[tuple[Any, Any], tuple[TensorLists, list[int]]]:
    """Parallel lists of tensors in groups, by the device and dtype of the first list's.

    Gives for each group its part of every list, and `with_indices` the places that it had there.
    """
    groups: dict[tuple[Any, Any], tuple[TensorLists, list[int]]] = {}
    for place, row in enumerate(zip(*tensorlistlist)):
        first = row[0]
        if first is None:
            continue
        lists, places = groups.setdefault((first.device, first.dtype), ([[] for _ in row], []))
        for part, tensor in zip(lists, row):
            part.append(tensor)
        if with_indices:
            places.append(place)
    return groups
