"""How much room text takes, without asking any font."""

from __future__ import annotations

from rgrad.graph.picture import Item, Kind

TITLE_SIZE = 13.0
DETAIL_SIZE = 11.0
LINE_HEIGHT = 15.5
TITLE_HEIGHT = 17.0

# Shares of the font size, near those of wide sans-serif faces, so that narrow ones fit as well.
_NARROW = dict.fromkeys("iljI.,:;|!'`·", 0.34)
_WIDE = dict.fromkeys("mwMWQO@%—", 0.95)
_WIDTHS = {**_NARROW, **_WIDE, **dict.fromkeys("frt()[]/- ", 0.42), "…": 1.0}


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """A safe guess of the width of one line."""
    units = 0.0
    for letter in text:
        if letter in _WIDTHS:
            units += _WIDTHS[letter]
        elif ord(letter) > 0x1100:
            units += 1.0
        else:
            units += 0.74 if letter.isupper() else 0.62
    return units * size * (1.09 if bold else 1.0)


def item_size(item: Item) -> tuple[float, float]:
    """Width and height of an item with its text and some air."""
    if item.kind is Kind.PORT:
        # The text stands to the right of the arrow through the middle.
        return (2 * text_width(item.title, DETAIL_SIZE), 0.0)
    lines = [text_width(item.title, TITLE_SIZE, bold=True)]
    lines += [text_width(line, DETAIL_SIZE) for line in item.details]
    width = max(lines) + 26
    height = TITLE_HEIGHT + LINE_HEIGHT * len(item.details) + 15
    if item.ellipse:
        # The text's rectangle fits into the ellipse when both grow by the root of two.
        return (max(width * 1.24, 70.0), height * 1.28)
    return (max(width, 64.0), height)
