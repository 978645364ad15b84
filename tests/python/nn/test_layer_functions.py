"""Layers as functions beside torch's: gradients of two orders, with and without a graph of the gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import rgrad
from oracle import torch

RANDOM = np.random.default_rng(5)


def values(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape)


def call(name: str, *rest, **keywords):
    return lambda library, *tensors: getattr(library.nn.functional, name)(*tensors, *rest, **keywords)


def weighted(library, tensors, seed: int):
    """A sum with uneven weights."""
    random = np.random.default_rng(seed)
    terms = [
        (tensor * library.tensor(random.uniform(0.5, 1.5, tuple(tensor.shape)))).sum()
        for tensor in tensors
        if tensor is not None and tensor.requires_grad
    ]
    return sum(terms[1:], terms[0]) if terms else None


def differentiated(library, function, arrays) -> list:
    """The result of a function, its gradients with and without a graph, and the gradients of those."""
    leaves = [library.tensor(array).requires_grad_() for array in arrays]
    result = function(library, *leaves)
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    total = weighted(library, results, 1)
    plain = library.autograd.grad(total, leaves, retain_graph=True, allow_unused=True)
    first = library.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    found = [*results, *plain, *first]
    again = weighted(library, first, 2)
    if again is not None:
        found += library.autograd.grad(again, leaves, allow_unused=True)
    return [None if tensor is None else tensor.detach().numpy() for tensor in found]


def agree(function, *arrays) -> None:
    ours, theirs = (differentiated(library, function, arrays) for library in (rgrad, torch))
    for mine, other in itertools.zip_longest(ours, theirs):
        # No gradient is a gradient of zero.
        mine, other = (0.0 if array is None else array for array in (mine, other))
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_convolutions(rank, stride, groups):
    size, kernel = (7, 6, 5)[:rank], (2, 3, 2)[:rank]
    for padding, dilation in itertools.product((0, 1), (1, 2)):
        steps = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        agree(call(f"conv{rank}d", **steps), values(2, 4, *size), values(6, 4 // groups, *kernel), values(6))
        agree(call(f"conv_transpose{rank}d", **steps), values(2, 4, *size), values(4, 6 // groups, *kernel), values(6))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pools(rank):
    image = values(2, 3, *(8, 7, 9)[:rank])
    for kernel, stride, padding, ceil in itertools.product((2, 3), (None, 2), (0, 1), (True, False)):
        agree(call(f"avg_pool{rank}d", kernel, stride, padding, ceil), image)
        agree(call(f"max_pool{rank}d", kernel, stride, padding, 1, ceil), image)
    for size in (1, 3, 11):
        agree(call(f"adaptive_avg_pool{rank}d", size), image)
        agree(call(f"adaptive_max_pool{rank}d", size), image)


def test_normalization():
    agree(
        lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (4, 5), w, b), values(3, 4, 5), values(4, 5), values(4, 5)
    )
    agree(lambda lib, x, w, b: lib.nn.functional.group_norm(x, 2, w, b), values(3, 4, 5), values(4), values(4))
    for shape in ((5, 4), (3, 4, 5), (2, 4, 3, 2)):
        for weights in ([], [values(4), values(4)]):
            agree(
                lambda lib, x, *rest: lib.nn.functional.batch_norm(x, None, None, *rest, training=True),
                values(*shape),
                *weights,
            )
        averages = values(4), np.abs(values(4))
        agree(
            lambda lib, x, w, b: lib.nn.functional.batch_norm(x, *(lib.tensor(array) for array in averages), w, b),  # noqa: B023
            values(*shape),
            values(4),
            values(4),
        )


def test_running_averages_follow_the_batch():
    batch = values(5, 4, 3)

    def averages(library):
        mean, variance = library.zeros(4, dtype=library.float64), library.ones(4, dtype=library.float64)
        library.nn.functional.batch_norm(library.tensor(batch), mean, variance, training=True, momentum=0.3)
        return np.stack([mean.numpy(), variance.numpy()])

    np.testing.assert_allclose(averages(rgrad), averages(torch), rtol=1e-12)


def test_resizing_and_folding():
    for mode, rank in (("nearest", 1), ("linear", 1), ("bilinear", 2), ("bicubic", 2), ("trilinear", 3), ("area", 2)):
        image = values(2, 3, *(5, 7, 4)[:rank])
        agree(call("interpolate", 3, mode=mode), image)
        agree(call("interpolate", scale_factor=1.7, mode=mode), image)
    for mode in ("constant", "reflect", "replicate", "circular"):
        agree(call("pad", (1, 2, 0, 1), mode), values(2, 3, 4, 5))
    agree(call("unfold", (2, 3), 1, 1, 2), values(2, 3, 6, 7))
    agree(call("unfold", 2, dilation=2), values(3, 5, 4))
    agree(call("fold", (4, 5), 2), values(2, 8, 12))


def test_attention_and_bilinear():
    agree(call("scaled_dot_product_attention", is_causal=True), values(2, 3, 4), values(2, 5, 4), values(2, 5, 2))
    agree(call("scaled_dot_product_attention"), values(2, 3, 4), values(2, 3, 4), values(2, 3, 4), values(3, 3))
    agree(call("bilinear"), values(2, 3), values(2, 4), values(5, 3, 4), values(5))


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
@pytest.mark.parametrize("sides", [1, 2])
def test_packed_sequences(kind, sides):
    rows = {"lstm": 16, "gru": 12}.get(kind, 4)
    params = [array for _ in range(sides) for array in (values(rows, 3), values(rows, 4), values(rows), values(rows))]
    states = [values(sides, 3, 4) for _ in range(2 if kind == "lstm" else 1)]

    def run(library, data, *rest):
        held, weights = rest[: len(states)], list(rest[len(states) :])
        function = getattr(library if library is rgrad else torch._VF, kind)
        held = held if kind == "lstm" else held[0]
        return function(data, library.tensor([3, 2, 2]), held, weights, True, 1, 0.0, False, sides == 2)

    agree(run, values(7, 3), *states, *params)
