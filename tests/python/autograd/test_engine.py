"""The backward pass: accumulation, freed graphs, long chains, lifetimes, in-place changes and views."""

from __future__ import annotations

import weakref

import pytest

import rgrad


def test_a_second_backward_names_the_operation_and_its_line():
    x = rgrad.ones(3, requires_grad=True)
    y = x.exp()
    y.sum().backward()
    with pytest.raises(RuntimeError, match=r"ExpBackward0 \(made at .*test_engine\.py:14\)"):
        y.sum().backward()


def test_retain_graph_keeps_the_saved_tensors():
    x = rgrad.ones(3, requires_grad=True)
    y = x.exp().sum()
    y.backward(retain_graph=True)
    first = x.grad.clone()
    y.backward()
    assert rgrad.equal(x.grad, 2 * first)


def test_a_saved_tensor_that_was_changed_names_both_lines():
    x = rgrad.ones(3, requires_grad=True)
    y = x.exp()
    z = y * 2
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"ExpBackward0 \(made at .*:31\).*changed at .*:33"):
        z.sum().backward()


def test_a_chain_of_a_million_nodes():
    x = rgrad.ones(1, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    y.backward()
    del y
    assert x.grad.item() == 1.0


def test_gradients_accumulate_in_the_same_tensor():
    x = rgrad.ones(3, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first
    assert first.tolist() == [5.0, 5.0, 5.0]


def test_an_implicit_gradient_needs_one_element():
    x = rgrad.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="scalar"):
        (x * 2).backward()


def test_higher_derivatives():
    x = rgrad.tensor(2.0, requires_grad=True, dtype=rgrad.float64)
    value = x**4
    for expected in (32.0, 48.0, 48.0, 24.0):
        (value,) = rgrad.autograd.grad(value, x, create_graph=True)
        assert value.item() == expected


def test_an_unused_input_is_refused_unless_allowed():
    x, unused = rgrad.ones(2, requires_grad=True), rgrad.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="not have been used"):
        rgrad.autograd.grad(x.sum(), [x, unused])
    assert rgrad.autograd.grad(x.sum(), [x, unused], allow_unused=True)[1] is None


def test_a_change_through_a_view_is_part_of_the_history_of_the_base():
    x = rgrad.ones(4, requires_grad=True)
    base = x * 1.0
    base[1:3].mul_(5.0)
    base.sum().backward()
    assert x.grad.tolist() == [1.0, 5.0, 5.0, 1.0]


def test_assigning_a_part_makes_a_plain_tensor_part_of_the_graph():
    weight = rgrad.ones(2, requires_grad=True)
    target = rgrad.zeros(3)
    target[:2] = weight * 4
    assert target.requires_grad
    (target * rgrad.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert weight.grad.tolist() == [4.0, 8.0]


def test_a_view_notices_a_change_of_its_base():
    x = rgrad.ones(3, requires_grad=True)
    base = x * 1.0
    part = base[0]
    base.mul_(7.0)
    part.backward()
    assert x.grad.tolist() == [7.0, 0.0, 0.0]


@pytest.mark.parametrize("change", [lambda x: x.add_(1), lambda x: x[0].add_(1), lambda x: x.uniform_()])
def test_a_leaf_cannot_be_changed_in_place(change):
    x = rgrad.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError):
        change(x)
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert x._version == 0


def test_nothing_outlives_its_last_name():
    x = rgrad.ones(3, requires_grad=True)
    y = (x * 2).exp()
    z = y.sum()
    z.backward()
    watched = [weakref.ref(value) for value in (x, y, z, x.grad, z.grad_fn)]
    del x, y, z
    assert [reference() for reference in watched] == [None] * len(watched)
