"""Colours by kind: pale fills with dark text, lines of a grey that shows on black and on white."""

from __future__ import annotations

from typing import NamedTuple

from rgrad.graph.picture import Kind

LINE = "#8492a6"
QUIET_TEXT = "#7c8a9e"
FRAME_FILL = "#8492a6"
BADGE_FILL = "#5b6b82"
BADGE_TEXT = "#ffffff"
DETAIL_TEXT = "#475569"


class Colours(NamedTuple):
    """The colours of one kind of item."""

    fill: str
    border: str
    text: str


COLOURS = {
    Kind.LEAF: Colours("#dbeafe", "#7aa7e8", "#1e3a6b"),
    Kind.ACCUMULATE: Colours("#e6e8ef", "#a3abbd", "#3b4456"),
    Kind.OPERATION: Colours("#fef3d6", "#e0b95c", "#5c4308"),
    Kind.VARIABLE: Colours("#f1f5f9", "#a9b6c8", "#334155"),
    Kind.OUTPUT: Colours("#d9f5e3", "#6cc292", "#14532d"),
    Kind.REMARK: Colours("#f3f4f6", "#b6bcc8", "#4b5563"),
    Kind.PORT: Colours("none", "none", QUIET_TEXT),
}
