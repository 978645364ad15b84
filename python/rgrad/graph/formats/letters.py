"""Keeps out of every format the letters that no document can hold."""

from __future__ import annotations

import re

_NOT_WRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def writable(text: str) -> str:
    """The text with control characters and lone surrogates replaced."""
    return _NOT_WRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
