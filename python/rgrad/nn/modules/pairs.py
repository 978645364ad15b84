"""Reading what the `update` of a container may be given."""

from __future__ import annotations

from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["pairs_of", "require_iterable"]


def require_iterable(receiver: str, entries: object) -> None:
    """Raise `TypeError` unless `entries`, which `receiver` was given, can be iterated over."""
    if not isinstance(entries, Iterable):
        raise TypeError(f"{receiver} needs an iterable, not {type(entries).__name__}")


def pairs_of(receiver: str, entries: Any) -> list[tuple[Any, Any]]:
    """The pairs in `entries`, a mapping or an iterable of pairs, which `receiver` was given.

    Raises:
        TypeError: `entries` or one of the pairs cannot be iterated over.
        ValueError: a pair does not have two elements.
    """
    require_iterable(receiver, entries)
    if hasattr(entries, "items"):
        return list(entries.items())
    pairs = []
    for position, entry in enumerate(entries):
        require_iterable(f"entry {position} of {receiver}", entry)
        pair = tuple(entry)
        if len(pair) != 2:
            raise ValueError(f"entry {position} of {receiver} must be a pair, but has {len(pair)} elements")
        pairs.append(pair)
    return pairs
