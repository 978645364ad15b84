"""Tensors as capsules that other libraries understand."""

from __future__ import annotations

from rgrad._rgrad import from_dlpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rgrad._rgrad import Tensor

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> Any:
    """The memory of a tensor as a capsule."""
    return tensor.__dlpack__()
