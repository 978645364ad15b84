"""Tables for reports, as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def to_text(headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Columns of equal width, the first `left` of them flush left and the others flush right."""
    lines = [list(headers), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]

    def written(line: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))
        )
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([written(lines[0]), rule, *map(written, lines[1:])])


def to_html(headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """The same as an HTML table."""

    def written(line: Sequence[str], tag: str) -> str:
        sides = ("left" if i < left else "right" for i in range(len(line)))
        cells = (f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>' for cell, side in zip(line, sides))
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(written(row, "td") for row in rows)
    return f"<table><thead>{written(headers, 'th')}</thead><tbody>{body}</tbody></table>"
