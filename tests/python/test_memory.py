"""The memory of a tensor: `data`, `set_`, `resize_`, and results that are stored in `out`."""

from __future__ import annotations

import warnings

import pytest

from oracle import agree, raises

CHANGES = {
    "set_": lambda lib, x: x.set_(lib.arange(2.0)),
    "set_ to nothing": lambda lib, x: x.set_(),
    "set_ to another type": lambda lib, x: x.set_(lib.arange(2)),
    "resize_ to less": lambda lib, x: x.resize_(2),
    "resize_ to as much": lambda lib, x: x.resize_(3, 2),
    "resize_ to a list": lambda lib, x: x.resize_([6]),
    "resize_ of a view": lambda lib, x: x[1].resize_(2),
    "resize_ that keeps the elements": lambda lib, x: x.resize_(20)[:6],
    "resize_as_": lambda lib, x: x.resize_as_(lib.zeros(2, 1)),
    "resize_ to a negative size": lambda lib, x: x.resize_(-1),
}


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("case", CHANGES)
def test_changes_of_memory(case, requires_grad):
    def program(lib):
        x = lib.arange(6.0).reshape(2, 3).requires_grad_(requires_grad)
        result = CHANGES[case](lib, x)
        return result, result.is_contiguous(), x.shape if "resize_" not in case else None

    agree(program)


OUTS = {
    "a function of two": lambda lib, x: lib.mul(x, 2, out=lib.empty(2, 3)),
    "one without elements": lambda lib, x: lib.add(x, 1, out=lib.empty(0)),
    "a smaller one": lambda lib, x: lib.add(x, 1, out=lib.empty(2)),
    "a larger one": lambda lib, x: lib.add(x, 1, out=lib.empty(4, 4)),
    "of a larger type": lambda lib, x: lib.exp(x, out=lib.empty(2, 3, dtype=lib.float64)),
    "of a smaller type": lambda lib, x: lib.exp(x, out=lib.empty(2, 3, dtype=lib.int64)),
    "transposed": lambda lib, x: lib.exp(x, out=lib.empty(3, 2).t()),
    "the argument itself": lambda lib, x: lib.exp(x, out=x),
    "two results": lambda lib, x: lib.max(x, 1, out=(lib.empty(2), lib.empty(2, dtype=lib.int64))),
    "one for two results": lambda lib, x: lib.max(x, 1, out=lib.empty(2)),
    "none": lambda lib, x: lib.exp(x, out=None),
    "a number": lambda lib, x: lib.exp(x, out=3),
    "for a view": lambda lib, x: lib.unsqueeze(x, 0, out=lib.empty(1, 2, 3)),
    "for a method": lambda lib, x: x.exp(out=lib.empty(2, 3)),
    "of a leaf": lambda lib, x: lib.exp(x.detach(), out=lib.empty(2, 3, requires_grad=True)),
}


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("case", OUTS)
def test_results_in_out(case, requires_grad):
    agree(lambda lib: OUTS[case](lib, lib.arange(6.0).reshape(2, 3).requires_grad_(requires_grad)))


def test_out_is_what_is_returned_and_warns_of_another_size():
    def program(lib):
        out = lib.empty(2, 3)
        other = lib.empty(4)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            same = lib.exp(lib.zeros(2, 3), out=out) is out
            lib.exp(lib.zeros(2, 3), out=other)
        return same, [warning.category for warning in caught], other

    agree(program)


def test_out_without_recording():
    def program(lib):
        out = lib.empty(2, requires_grad=True)
        with lib.no_grad():
            lib.mul(lib.ones(2, requires_grad=True), 2, out=out)
        return out

    agree(program)
    raises(lambda lib: lib.mul(lib.ones(2, requires_grad=True), 2, out=lib.empty(2)))
