"""Gradients of single examples, beside a loop over batches of one."""

from __future__ import annotations

import pytest

import rgrad
from rgrad import nn
from rgrad.func import per_sample_gradients


def network() -> nn.Module:
    rgrad.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def by_loop(module, loss, *batch):
    rows = []
    for i in range(len(batch[0])):
        first, *others = (part[i : i + 1] for part in batch)
        parameters = [one for one in module.parameters() if one.requires_grad]
        rows.append(rgrad.autograd.grad(loss(module(first), *others), parameters))
    return [rgrad.stack(column) for column in zip(*rows)]


@pytest.mark.parametrize("chunk_size", [None, 2])
@pytest.mark.parametrize("frozen", [False, True])
def test_they_are_those_of_a_loop(chunk_size, frozen):
    module = network()
    module[0].weight.requires_grad_(not frozen)
    inputs, targets = rgrad.randn(5, 3), rgrad.tensor([0, 1, 1, 0, 1])
    found = per_sample_gradients(module, nn.functional.cross_entropy, inputs, targets, chunk_size=chunk_size)
    assert list(found) == [name for name, one in module.named_parameters() if one.requires_grad]
    for ours, expected in zip(found.values(), by_loop(module, nn.functional.cross_entropy, inputs, targets)):
        assert ours.shape == expected.shape
        assert rgrad.allclose(ours, expected, atol=1e-6)
        assert not ours.requires_grad
    assert all(one.grad is None for one in module.parameters())


def test_without_targets():
    module, inputs = network(), rgrad.randn(4, 3)
    found = per_sample_gradients(module, lambda output: (output**2).sum(), inputs)
    for ours, expected in zip(found.values(), by_loop(module, lambda output: (output**2).sum(), inputs)):
        assert rgrad.allclose(ours, expected, atol=1e-6)


def test_refusals():
    module, inputs = network(), rgrad.randn(4, 3)
    with pytest.raises(RuntimeError, match="without dimensions"):
        per_sample_gradients(module, lambda output: output, inputs)
    with pytest.raises(ValueError, match="one size"):
        per_sample_gradients(module, nn.functional.mse_loss, inputs, rgrad.randn(3, 2))
