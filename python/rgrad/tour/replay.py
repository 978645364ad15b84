"""Runs snippets for real, one after the other in one namespace, and keeps what they print."""

from __future__ import annotations

import linecache
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from rgrad.tour.notes import Snippet


class Replay:
    """The names that the snippets run so far have defined."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}

    def run(self, snippet: Snippet) -> str:
        """Runs a snippet and returns what it printed; its exceptions are not caught."""
        file = f"{snippet.section.lower().replace(' ', '_')}.py"
        # Tracebacks look lines up here, as the snippet is in no file.
        lines = snippet.code.splitlines(keepends=True)
        linecache.cache[file] = (len(snippet.code), None, lines, file)
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(snippet.code, file, "exec"), self.namespace)
        return printed.getvalue()
