"""The error of an input that cannot be reached says where the path was cut."""

from __future__ import annotations

import re
import sys

import pytest

import rgrad


def refusal(output: rgrad.Tensor, wanted: rgrad.Tensor) -> str:
    with pytest.raises(RuntimeError, match="not have been used in the graph") as raised:
        rgrad.autograd.grad(output, wanted)
    return str(raised.value)


@pytest.fixture(autouse=True)
def fresh_log() -> None:
    """A backward pass empties the log."""
    rgrad.ones((), requires_grad=True).backward()


def here() -> str:
    return f"{__file__}:{sys._getframe(1).f_lineno}"


def test_detach_is_named() -> None:
    x, w = rgrad.ones(3, requires_grad=True), rgrad.ones(3, requires_grad=True)
    y = x * 2
    cut, place = y.detach(), here()
    assert f"may end at detach() (called at {place})" in refusal((cut * w).sum(), x)


def test_a_source_that_is_gone_is_possible() -> None:
    x, w = rgrad.ones(3, requires_grad=True), rgrad.ones(3, requires_grad=True)
    cut, place = (x * 2).detach(), here()
    assert place in refusal((cut * w).sum(), x)


def test_an_operation_under_no_grad_is_named() -> None:
    x, w = rgrad.ones(3, requires_grad=True), rgrad.ones(3, requires_grad=True)
    with rgrad.no_grad():
        cut, place = x * 2, here()
    message = refusal((cut * w).sum(), x)
    assert f"mul while gradients are switched off (no_grad) (called at {place})" in message


@pytest.mark.parametrize(
    ("cut", "reason"),
    [
        (lambda x: x.long(), "a conversion to integers"),
        (lambda x: x > 0, "gt, "),
        (lambda x: x.argmax(), "argmax, "),
        (lambda x: x.data, "data "),
        (lambda x: x[0].item(), "item() "),
    ],
)
def test_other_cuts_are_named(cut, reason) -> None:
    x, w = rgrad.ones(3, requires_grad=True), rgrad.ones(3, requires_grad=True)
    result = cut(x) * w
    assert f"may end at {reason}" in refusal(result.sum(), x)


def test_cuts_of_other_tensors_are_not_named() -> None:
    x, w = rgrad.ones(3, requires_grad=True), rgrad.ones(3, requires_grad=True)
    other = w.detach()
    assert "may end at" not in refusal((other * w).sum(), x)


def test_a_loss_without_history_names_the_cut() -> None:
    x = rgrad.ones(3, requires_grad=True)
    loss, place = (x * 2).sum().detach(), here()
    with pytest.raises(RuntimeError, match=re.escape(f"detach() (called at {place})")):
        loss.backward()


def test_a_backward_pass_empties_the_log() -> None:
    x, w = rgrad.ones(3, requires_grad=True), rgrad.ones(3, requires_grad=True)
    x.detach()
    w.sum().backward()
    assert "may end at" not in refusal(w.sum(), x)


def test_what_runs_inside_of_a_function_or_a_pass_is_no_cut() -> None:
    class Double(rgrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    x, w = rgrad.ones(3, requires_grad=True), rgrad.ones(3, requires_grad=True)
    Double.apply(x).exp().sum().backward()
    Double.apply(x)
    assert "may end at" not in refusal(w.sum(), x)


def test_a_full_log_takes_no_more() -> None:
    x, w = rgrad.ones(3, requires_grad=True), rgrad.ones(3, requires_grad=True)
    for _ in range(100):
        w.detach()
    assert "may end at" not in refusal((x.detach() * w).sum(), x)
