"""Registering a hook in a table, and the handle that takes it out again."""

from __future__ import annotations

from collections import OrderedDict
from weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["RemovableHandle", "register"]


class RemovableHandle:
    """Removes the hook it was returned for, by `remove()` or on leaving a `with` block.

    The tables are held weakly, so that a handle keeps no module alive.
    """

    next_id = 0

    def __init__(self, *tables: OrderedDict[int, Any]) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self._tables = tuple(ref(table) for table in tables)

    @property
    def hooks_dict_ref(self) -> ref[OrderedDict[int, Any]]:
        """A weak reference to the table that the hook is in."""
        return self._tables[0]

    def remove(self) -> None:
        """Take the hook out of its tables; nothing happens if it has already gone."""
        for table_reference in self._tables:
            table = table_reference()
            if table is not None:
                table.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *failure: object) -> None:
        self.remove()

    def __getstate__(self) -> tuple[int, tuple[OrderedDict[int, Any] | None, ...]]:
        return self.id, tuple(table() for table in self._tables)

    def __setstate__(self, state: tuple[int, tuple[OrderedDict[int, Any] | None, ...]]) -> None:
        self.id, tables = state
        self._tables = tuple(ref(OrderedDict() if table is None else table) for table in tables)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)


def register(
    table: OrderedDict[int, Any],
    hook: Any,
    *,
    prepend: bool = False,
    marks: tuple[OrderedDict[int, Any], ...] = (),
) -> RemovableHandle:
    """Add `hook` to `table`, in front if `prepend`, and its number to each table of `marks`."""
    handle = RemovableHandle(table, *marks)
    table[handle.id] = hook
    if prepend:
        table.move_to_end(handle.id, last=False)
    for mark in marks:
        mark[handle.id] = True
    return handle
