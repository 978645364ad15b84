"""What programs use of the compiler: its settings, which are kept and change nothing, and its marks."""

from __future__ import annotations

from rgrad._dynamo import config
from rgrad.compiler import allow_in_graph, disable, is_compiling, reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "allow_in_graph",
    "config",
    "disable",
    "graph_break",
    "is_compiling",
    "list_backends",
    "mark_dynamic",
    "optimize",
    "reset",
]


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """The compilers that `compile` may be asked for: none is used."""
    return []


def graph_break(msg: str = "") -> None:
    """Do nothing: nothing is compiled here."""


def mark_dynamic(t: Any, index: Any, **options: Any) -> None:
    """Do nothing: sizes may always change."""


def optimize(*arguments: Any, **options: Any) -> Any:
    """A decorator that gives a function as it is."""
    return lambda function: function
