"""Writes a picture as SVG that any viewer shows, on light and on dark pages alike.

Presentation attributes are used throughout: a style sheet would reach into the page that an SVG is
put into, and markers are named page-wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from rgrad.graph.formats.letters import writable
from rgrad.graph.formats.palette import (
    BADGE_FILL,
    BADGE_TEXT,
    COLOURS,
    DETAIL_TEXT,
    FRAME_FILL,
    LINE,
    QUIET_TEXT,
)
from rgrad.graph.layout import Arrangement, Placed, Route, arrange
from rgrad.graph.layout.typography import (
    DETAIL_SIZE,
    LINE_HEIGHT,
    TITLE_HEIGHT,
    TITLE_SIZE,
    text_width,
)
from rgrad.graph.picture import Frame, Item, Kind, Picture

_MARGIN = 24.0
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def to_svg(picture: Picture) -> str:
    """The picture as the text of an SVG document."""
    arrangement = arrange(picture)
    remarks = [text_width(remark, DETAIL_SIZE) for remark in picture.remarks]
    width = max([arrangement.width, *remarks]) + 2 * _MARGIN
    height = arrangement.height + 2 * _MARGIN + 20 * len(remarks)
    shift = (width - arrangement.width) / 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family={quoteattr(_FONT)} '
        f'text-anchor="middle" role="img">',
        "<title>Autograd graph</title>",
        f'<g transform="translate({_n(shift)} {_n(_MARGIN)})">',
        *_arrangement(arrangement),
        "</g>",
    ]
    for number, remark in enumerate(picture.remarks):
        y = arrangement.height + _MARGIN + 24 + 20 * number
        lines.append(_text(width / 2, y, DETAIL_SIZE, QUIET_TEXT, remark))
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def _arrangement(arrangement: Arrangement) -> Iterator[str]:
    """Frames lie below arrows, and arrows below items."""
    frames = [placed for placed in arrangement.placed.values() if placed.inside is not None]
    for placed in frames:
        yield from _frame(placed)
    yield f'<g fill="none" stroke="{LINE}" stroke-width="1.4">'
    for route in arrangement.routes:
        yield f'<path class="arrow" d="{_way(route, _has_tip(arrangement, route))}"/>'
    yield "</g>"
    yield f'<g fill="{LINE}">'
    for route in arrangement.routes:
        if _has_tip(arrangement, route):
            x, _, y = route.pieces[-1]
            yield f'<path d="M{_n(x)} {_n(y)}l-4.2 -8q4.2 2.4 8.4 0z"/>'
    yield "</g>"
    for route in arrangement.routes:
        if route.arrow.label:
            x, y, _ = route.pieces[0]
            yield _text(x + 4, y + 12, 10, QUIET_TEXT, route.arrow.label, anchor="start")
    for placed in arrangement.placed.values():
        if isinstance(placed.item, Item):
            yield from _item(placed, placed.item)


def _has_tip(arrangement: Arrangement, route: Route) -> bool:
    """An arrow goes on inside of a frame, and its tip belongs to its very end."""
    head = arrangement.placed[route.arrow.head]
    return head.inside is None and getattr(head.item, "kind", None) is not Kind.PORT


def _way(route: Route, has_tip: bool) -> str:
    """Straight beside the items of a layer, curved between layers."""
    x, top, bottom = route.pieces[0]
    parts = [f"M{_n(x)} {_n(top)}"]
    last = len(route.pieces) - 1
    for number, (next_x, next_top, next_bottom) in enumerate(route.pieces[1:], 1):
        if bottom > top:
            parts.append(f"V{_n(bottom)}")
        if number == last and has_tip:
            next_bottom -= 5
            next_top = min(next_top, next_bottom)
        bend = (next_top - bottom) / 2
        parts.append(f"C{_n(x)} {_n(bottom + bend)} {_n(next_x)} {_n(next_top - bend)} {_n(next_x)} {_n(next_top)}")
        x, top, bottom = next_x, next_top, next_bottom
    if bottom > top:
        parts.append(f"V{_n(bottom)}")
    return "".join(parts)


def _frame(placed: Placed) -> Iterator[str]:
    frame, inside = placed.item, placed.inside
    assert isinstance(frame, Frame) and inside is not None
    yield '<g class="frame">'
    yield (
        f'<rect x="{_n(placed.x)}" y="{_n(placed.y)}" width="{_n(placed.width)}" '
        f'height="{_n(placed.height)}" rx="14" fill="{FRAME_FILL}" fill-opacity="0.13" '
        f'stroke="{FRAME_FILL}" stroke-opacity="0.55" stroke-dasharray="5 4"/>'
    )
    shift = (placed.width - inside.width) / 2
    yield f'<g transform="translate({_n(placed.x + shift)} {_n(placed.y)})">'
    yield from _arrangement(inside)
    yield "</g>"
    yield _badge(placed.x + placed.width, placed.y, f"×{frame.times:,}")
    yield "</g>"


def _item(placed: Placed, item: Item) -> Iterator[str]:
    colours = COLOURS[item.kind]
    if item.kind is Kind.PORT:
        if item.title:
            yield _text(placed.middle + 5, placed.y + 14, 10, QUIET_TEXT, item.title, anchor="start")
        return
    yield f'<g class="item {item.kind.value}">'
    yield f"<title>{_escape(item.tooltip)}</title>"
    paint = f'fill="{colours.fill}" stroke="{colours.border}" stroke-width="1.2"'
    if item.ellipse:
        yield (
            f'<ellipse cx="{_n(placed.middle)}" cy="{_n(placed.y + placed.height / 2)}" '
            f'rx="{_n(placed.width / 2)}" ry="{_n(placed.height / 2)}" {paint}/>'
        )
    else:
        if item.times > 1:
            yield _rectangle(placed, 4.0, paint)
        yield _rectangle(placed, 0.0, paint)
    y = placed.y + (placed.height - TITLE_HEIGHT - LINE_HEIGHT * len(item.details)) / 2 + 13
    yield _text(placed.middle, y, TITLE_SIZE, colours.text, item.title, weight=600)
    for number, line in enumerate(item.details, 1):
        yield _text(placed.middle, y + LINE_HEIGHT * number + 1, DETAIL_SIZE, DETAIL_TEXT, line)
    if item.times > 1:
        yield _badge(placed.x + placed.width, placed.y, f"×{item.times:,}")
    yield "</g>"


def _rectangle(placed: Placed, shift: float, paint: str) -> str:
    radius = placed.height / 2 if len(getattr(placed.item, "details", ())) == 0 else 9.0
    return (
        f'<rect x="{_n(placed.x + shift)}" y="{_n(placed.y + shift)}" '
        f'width="{_n(placed.width)}" height="{_n(placed.height)}" '
        f'rx="{_n(min(radius, 16.0))}" {paint}/>'
    )


def _badge(x: float, y: float, text: str) -> str:
    """How often something repeats, on the upper right corner."""
    width = text_width(text, DETAIL_SIZE, bold=True) + 14
    return (
        f'<rect x="{_n(x - width + 8)}" y="{_n(y - 9)}" width="{_n(width)}" height="18" rx="9" '
        f'fill="{BADGE_FILL}"/>' + _text(x + 8 - width / 2, y + 4, DETAIL_SIZE, BADGE_TEXT, text, weight=600)
    )


def _text(
    x: float,
    y: float,
    size: float,
    colour: str,
    text: str,
    *,
    weight: int | None = None,
    anchor: str = "",
) -> str:
    more = f' font-weight="{weight}"' if weight else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size:g}" fill="{colour}"{more}>{_escape(text)}</text>'


def _escape(text: str) -> str:
    return escape(writable(text))


def _n(number: float) -> str:
    """A coordinate with as few digits as show."""
    return f"{number:.1f}".removesuffix(".0")
