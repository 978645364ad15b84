"""Where gradients become infinite or nan."""

from __future__ import annotations

import sys

import pytest

import rgrad
from rgrad.graph import nonfinite_report


def trap() -> tuple[rgrad.Tensor, rgrad.Tensor, int]:
    """A masked root: the leaf, the sum, and the line of the root."""
    x = rgrad.tensor([1.0, 0.0, 4.0, 0.0], requires_grad=True)
    root, made = rgrad.sqrt(x), sys._getframe().f_lineno
    return x, rgrad.where(x > 0, root, x).sum(), made


def test_the_masked_root_is_found() -> None:
    x, loss, made = trap()
    report = nonfinite_report(loss)
    first = report.first
    assert report and first is not None
    assert (first.operation, first.place, first.input) == ("SqrtBackward0", (__file__, made), 0)
    assert (first.index, first.count, first.masked_out) == ((1,), 2, True)
    assert first.mask.tolist() == [False, True, False, True]
    assert "where(mask, f(where(mask, x, 1)), other)" in str(report)


def test_asking_changes_nothing() -> None:
    x, loss, _ = trap()
    nonfinite_report(loss)
    assert x.grad is None
    loss.backward()
    assert x.grad is not None and x.grad[0].item() == 0.5


def test_a_block_watches_its_backward_passes() -> None:
    _, loss, made = trap()
    with nonfinite_report() as report:
        loss.backward()
    assert report.first is not None and report.first.place == (__file__, made)
    _, again, _ = trap()
    again.backward()
    assert len(report.findings) == 1


def test_the_safe_form_is_finite() -> None:
    x = rgrad.tensor([1.0, 0.0], requires_grad=True)
    safe = rgrad.where(x > 0, x, 1)
    report = nonfinite_report(rgrad.where(x > 0, rgrad.sqrt(safe), x).sum())
    assert not report and report.first is None
    assert str(report) == "all gradients were finite"


def test_infinity_counts_and_is_not_masked_out() -> None:
    x = rgrad.tensor([[1.0, 2.0], [3.0, 0.0]], requires_grad=True)
    first = nonfinite_report(x.log().sum()).first
    assert first is not None
    assert (first.operation, first.index, first.count, first.masked_out) == ("LogBackward0", (1, 1), 1, False)
    assert first.gradient.tolist()[1][1] == float("inf")
    assert "slope is infinite at 0" in str(first)


def test_only_where_it_begins_is_reported() -> None:
    x = rgrad.tensor([0.0, 1.0], requires_grad=True)
    report = nonfinite_report(((x * 2).exp() - 1).sqrt().sum())
    assert [found.operation for found in report.findings] == ["SqrtBackward0"]


def test_a_sum_of_gradients_that_overflows() -> None:
    x = rgrad.tensor([1.0], requires_grad=True)
    y = x * 1
    report = nonfinite_report((y * 3e38 + y * 3e38).sum())
    first = report.first
    assert first is not None and first.input is None
    assert first.operation == "MulBackward0" and "their sum overflows" in str(first)


def test_a_broken_gradient_to_start_from() -> None:
    x = rgrad.ones(2, requires_grad=True)
    first = nonfinite_report(x * 2, rgrad.tensor([1.0, float("nan")])).first
    assert first is not None and (first.input, first.index) == (None, (1,))


def test_what_was_found_before_an_error_is_kept() -> None:
    x = rgrad.tensor([0.0], requires_grad=True)
    y = x * 1

    def fail(_: rgrad.Tensor) -> None:
        raise KeyError("stop")

    y.register_hook(fail)
    report = nonfinite_report()
    with pytest.raises(KeyError), report:
        y.sqrt().sum().backward()
    assert report.first is not None and report.first.operation == "SqrtBackward0"


def test_anomaly_mode_and_a_search_do_not_disturb_each_other() -> None:
    _, loss, _ = trap()
    with pytest.warns(UserWarning), nonfinite_report() as report:
        with pytest.raises(RuntimeError, match="nan"), rgrad.autograd.detect_anomaly():
            loss.backward()
        assert not rgrad.is_anomaly_enabled()
    assert report.first is not None and report.first.operation == "SqrtBackward0"
