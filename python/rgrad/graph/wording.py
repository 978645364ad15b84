"""How shapes, sizes, places and values are written in a picture."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rgrad import Tensor

_SHOWN_VALUES = 3
_UNITS = ("KiB", "MiB", "GiB")


def kind_of_value(sizes: tuple[int, ...], dtype: str) -> str:
    """`5 × 3 · float32`, or `scalar · float32` for a tensor without dimensions."""
    return f"{' × '.join(map(str, sizes)) or 'scalar'} · {dtype}"


def amount(size: int) -> str:
    """A number of bytes with the unit that keeps it short."""
    if size < 1024:
        return f"{size} B"
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    value = size / 1024**power
    return f"{value:.1f} {_UNITS[power - 1]}" if value < 10 else f"{value:.0f} {_UNITS[power - 1]}"


def short_place(place: tuple[str, int]) -> str:
    """The file's own name and the line."""
    return f"{PurePath(place[0]).name}:{place[1]}"


def forward_name(operation: str) -> str:
    """The operation that a backward node belongs to: `AddBackward0` is of `Add`."""
    name = operation.rstrip("0123456789")
    return name.removesuffix("Backward") or operation


def abbreviated(tensor: Tensor) -> str:
    """A scalar in full, of anything larger the first few elements."""
    flat = tensor.detach().reshape(-1)
    count = int(flat.numel())
    shown = [_number(value) for value in flat[:_SHOWN_VALUES].tolist()]
    if tensor.dim() == 0:
        return shown[0]
    return f"[{', '.join(shown)}{', …' if count > _SHOWN_VALUES else ''}]"


def data_and_gradient(tensor: Tensor) -> tuple[str, ...]:
    """One line with the values, and one with the gradient where there is one."""
    lines = [f"data {abbreviated(tensor)}"]
    # Reading `grad` of another tensor would only raise a warning.
    keeps_gradient = tensor.is_leaf or getattr(tensor, "retains_grad", False)
    if keeps_gradient and tensor.grad is not None:
        lines.append(f"grad {abbreviated(tensor.grad)}")
    return tuple(lines)


def merged_names(names: list[str]) -> str:
    """One name for many: `layers.0.weight`, `layers.1.weight` become `layers.0…1.weight`."""
    if len(set(names)) == 1:
        return names[0]
    columns = [name.split(".") for name in names]
    if len({len(column) for column in columns}) > 1:
        return "…"
    parts = []
    for parallel in zip(*columns, strict=True):
        if len(set(parallel)) == 1:
            parts.append(parallel[0])
        elif all(part.isdecimal() for part in parallel):
            numbers = [int(part) for part in parallel]
            parts.append(f"{min(numbers)}…{max(numbers)}")
        else:
            parts.append("…")
    return ".".join(parts)


def _number(value: float | complex | bool | int) -> str:
    return f"{value:.4g}" if isinstance(value, float | complex) else str(value)
