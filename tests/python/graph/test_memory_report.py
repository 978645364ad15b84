"""How much memory a graph keeps, by operation and by line."""

from __future__ import annotations

import sys

import rgrad
from rgrad.graph import memory_report


def line() -> int:
    """The line of the caller."""
    return sys._getframe(1).f_lineno


def test_a_saved_result_counts_for_the_line_that_made_it() -> None:
    x = rgrad.ones(100, requires_grad=True)
    y, made = x.exp(), line()
    report = memory_report(y.sum())
    (row,) = (row for row in report.rows if row.bytes)
    assert (row.operation, row.bytes, row.nodes) == ("ExpBackward0", 400, 1)
    assert row.place == (__file__, made)
    assert report.bytes == 400


def test_what_several_nodes_save_counts_once() -> None:
    x = rgrad.ones(100, requires_grad=True)
    y = x.exp()
    report = memory_report((y * y).sum() + (y * y).sum())
    assert report.bytes == 400
    by_operation = {row.operation: row.bytes for row in report.by_operation}
    assert (by_operation["ExpBackward0"], by_operation["MulBackward0"]) == (400, 0)


def test_leaves_are_told_apart() -> None:
    w = rgrad.ones(10, 10, requires_grad=True)
    x = rgrad.ones(5, 10)
    report = memory_report((x @ w.t()).sum())
    assert (report.bytes, report.leaf_bytes) == (200, 0)  # only the gradient of x, for which nobody asks, would read w
    h = x @ w
    report = memory_report((h @ w.t()).sum())
    assert report.leaf_bytes == 400
    assert report.bytes == x.numel() * 4 + h.numel() * 4


def test_a_small_view_keeps_the_whole_memory() -> None:
    big = rgrad.ones(1000, requires_grad=True).exp().detach()
    w = rgrad.ones(1, requires_grad=True)
    assert memory_report(w * big[:1]).bytes == 4000


def test_an_in_place_change_of_a_view_counts_too() -> None:
    x = rgrad.ones(10, requires_grad=True)
    y, factor = x.clone(), rgrad.ones(4)
    y[:4] *= factor
    assert memory_report(y.sum()).bytes == 16


def test_a_freed_graph_keeps_nothing() -> None:
    x = rgrad.ones(100, requires_grad=True)
    loss = x.exp().sum()
    loss.backward()
    assert memory_report(loss).bytes == 0


def test_lines_sum_up_their_operations() -> None:
    x = rgrad.ones(100, requires_grad=True)
    y = x.exp().sin().cos()
    report = memory_report([y])
    (row,) = (row for row in report.by_line if row.bytes)
    assert (row.operation, row.nodes, row.bytes) == (None, 3, 3 * 400 - 400)


def test_the_table_is_text_and_html() -> None:
    x = rgrad.ones(100, requires_grad=True)
    report = memory_report(x.exp().sum())
    text, html = str(report), report._repr_html_()
    assert "ExpBackward0" in text and "400 B" in text and "test_memory_report.py:" in text
    assert html.startswith("<table>") and "ExpBackward0" in html
    assert "400 B" in repr(report)
