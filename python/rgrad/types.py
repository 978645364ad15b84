"""Names of types for annotations."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, TypeAlias

import rgrad
from rgrad._rgrad import Tensor

__all__ = ["Device", "FileLike", "Number", "Storage"]

_int = builtins.int
_float = builtins.float
_bool = builtins.bool
_complex = builtins.complex
_dtype = rgrad.dtype
_device = rgrad.device
_size: TypeAlias = "rgrad.Size | list[_int] | tuple[_int, ...]"
_symint = _int
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_TensorOrTensorsOrGradEdge: TypeAlias = Any

Number: TypeAlias = _int | _float | _bool
PyNumber = Number
Device: TypeAlias = "rgrad.device | str | _int | None"
FileLike: TypeAlias = Any
Storage: TypeAlias = Any
