"""The same seeds give the same numbers as torch's, the last bit of a few normal ones aside."""

from __future__ import annotations

import math

import numpy as np
import pytest

import rgrad
from oracle import agree, evaluated, lines, run, torch

# Numbers, errors, and how far the generator goes on: three more numbers are drawn after each.
EXPRESSIONS = """
    lib.rand(5)
    lib.rand(20)
    lib.rand(3, 7, dtype=lib.float64)
    lib.rand((2, 3))
    lib.rand(())
    lib.rand(0)
    lib.rand(-1)
    lib.rand(2, dtype=lib.int64)
    lib.rand(2, requires_grad=True)
    lib.rand(size=(2,))
    lib.rand(2, generator=lib.Generator().manual_seed(3))
    lib.randn(5)
    lib.randn(15)
    lib.randn(16)
    lib.randn(17)
    lib.randn(100)
    lib.randn(3, 7, dtype=lib.float64)
    lib.randn(4, 8, dtype=lib.float64)
    lib.randn(2, dtype=lib.int64)
    lib.randn(2, requires_grad=True)
    lib.randn(20, generator=lib.Generator().manual_seed(3))
    lib.randint(10, (5,))
    lib.randint(-5, 5, (20,))
    lib.randint(0, 2**40, (5,))
    lib.randint(10, (3, 3), dtype=lib.int32)
    lib.randint(10, (3, 3), dtype=lib.uint8)
    lib.randint(10, (3, 3), dtype=lib.float32)
    lib.randint(2, (9,), dtype=lib.bool)
    lib.randint(300, (3,), dtype=lib.uint8)
    lib.randint(3, 3, (2,))
    lib.randint(5, 3, (2,))
    lib.randint(0, (2,))
    lib.randint(10, 5)
    lib.randint(10)
    lib.randint(low=2, high=5, size=(3,))
    lib.randint(high=5, size=(3,))
    lib.randint(5, size=(3,))
    lib.randint(1, 5, size=(3,))
    lib.randint(1.5, (3,))
    lib.randint(5, (-3,))
    lib.randint(5, (2,), generator=lib.Generator().manual_seed(3))
    lib.randint(5, [2])
    lib.randint("5", (2,))
    lib.randperm(10)
    lib.randperm(0)
    lib.randperm(1)
    lib.randperm(-1)
    lib.randperm(5, dtype=lib.int32)
    lib.randperm(5, dtype=lib.float32)
    lib.randperm(50000)
    lib.randperm(2.5)
    lib.randperm(300, dtype=lib.uint8)
    lib.randperm(5, generator=lib.Generator().manual_seed(3))
    lib.rand_like(lib.ones(2, 3))
    lib.rand_like(lib.ones(2, 3).t())
    lib.rand_like(lib.ones(2, 3), dtype=lib.float64)
    lib.rand_like(lib.ones(2, dtype=lib.int64))
    lib.rand_like(lib.ones(4).expand(3, 4))
    lib.randn_like(lib.ones(2, 3))
    lib.randn_like(lib.ones(4, 8).t())
    lib.randn_like(lib.ones(2, 20)[:, ::2])
    lib.randint_like(lib.ones(4), 10)
    lib.randint_like(lib.ones(4, dtype=lib.int64), 2, 10)
    lib.zeros(5).uniform_()
    lib.zeros(5).uniform_(-1, 2)
    lib.zeros(5).uniform_(2, 1)
    lib.zeros(5).uniform_(0, float("inf"))
    lib.zeros(5, dtype=lib.float64).uniform_()
    lib.zeros(5, dtype=lib.int64).uniform_()
    lib.zeros(6, 4).t().uniform_()
    lib.zeros(5).normal_()
    lib.zeros(20).normal_(1, 3)
    lib.zeros(5).normal_(0, -1)
    lib.zeros(5).normal_(mean=2.0, std=0.0)
    lib.zeros(5, dtype=lib.int64).normal_()
    lib.zeros(6, 4).t().normal_()
    lib.zeros(10).bernoulli_()
    lib.zeros(10).bernoulli_(0.2)
    lib.zeros(10).bernoulli_(1.5)
    lib.zeros(10).bernoulli_(-0.1)
    lib.zeros(10, dtype=lib.int64).bernoulli_(0.5)
    lib.zeros(10, dtype=lib.bool).bernoulli_(0.5)
    lib.zeros(10, dtype=lib.float64).bernoulli_(0.5)
    lib.zeros(5).uniform_(generator=lib.Generator().manual_seed(4))
    lib.ones(5, requires_grad=True).uniform_()
    (lib.ones(5, requires_grad=True) * 1).normal_()
    lib.nn.functional.dropout(lib.ones(20), 0.3)
    lib.nn.functional.dropout(lib.ones(20), 0.3, training=False)
    lib.nn.functional.dropout(lib.ones(20, dtype=lib.float64), 0.3)
    lib.nn.functional.dropout(lib.ones(6), 1.5)
    lib.nn.functional.dropout(lib.ones(6), -0.5)
    lib.nn.functional.dropout(lib.ones(20, requires_grad=True), 0.5)
    lib.nn.functional.dropout(lib.ones(6), 0.5, True, True)
    lib.nn.Dropout(0.4)(lib.ones(10))
    lib.nn.Dropout(0.4).eval()(lib.ones(10))
    list(lib.nn.Linear(3, 2).parameters())
    list(lib.nn.Linear(30, 20, dtype=lib.float64).parameters())
    list(lib.nn.Linear(3, 2, bias=False).parameters())
    lib.initial_seed()
    lib.get_rng_state().shape
    lib.get_rng_state()
    lib.manual_seed(-1) and lib.rand(2)
    lib.manual_seed(2**63) and lib.rand(2)
    lib.manual_seed(2**64)
    lib.manual_seed(2**64 - 1) and lib.initial_seed()
    lib.manual_seed(-2**63) and lib.rand(2)
    lib.manual_seed(-2**63 - 1)
    lib.manual_seed("a")
    lib.manual_seed(None)
    lib.manual_seed(True) and lib.rand(1)
    lib.manual_seed(lib.tensor(3)) and lib.rand(2)
    lib.manual_seed(np.int64(3)) and lib.rand(2)
    type(lib.manual_seed(3)).__name__
    lib.set_rng_state(lib.zeros(3))
    lib.set_rng_state(lib.zeros(3, dtype=lib.uint8))
    lib.set_rng_state(None)
    lib.Generator().initial_seed()
    lib.Generator(device="cpu").device.type
    lib.Generator().manual_seed(3).get_state().shape
    lib.Generator().set_state(lib.zeros(3, dtype=lib.uint8))
"""


@pytest.mark.parametrize("expression", lines(EXPRESSIONS))
def test_numbers(expression):
    program = evaluated(expression)

    def seeded(lib):
        lib.manual_seed(11)
        return run(program, lib), lib.rand(3)

    agree(seeded)


EXACT = {
    "rand": lambda lib: lib.rand(1000),
    "rand in double precision": lambda lib: lib.rand(1000, dtype=lib.float64),
    "randint": lambda lib: lib.randint(-(2**60), 2**60, (1000,)),
    "randint of bytes": lambda lib: lib.randint(256, (1000,), dtype=lib.uint8),
    "randperm": lambda lib: lib.randperm(1000),
    "uniform_": lambda lib: lib.empty(1000).uniform_(-3, 2),
    "bernoulli_": lambda lib: lib.empty(1000).bernoulli_(0.3),
    "dropout": lambda lib: lib.nn.functional.dropout(lib.ones(1000), 0.3),
    "layers": lambda lib: [list(lib.nn.Linear(n, 7).parameters()) for n in (1, 5, 64)],
}


@pytest.mark.parametrize("seed", [0, 1, 2**40, 2**63, -1])
@pytest.mark.parametrize("name", EXACT)
def test_equal_to_the_last_bit(name, seed):
    def program(lib):
        lib.manual_seed(seed)
        return EXACT[name](lib)

    agree(program, slack=(0, 0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 40, 1000, 100_003])
def test_normal_numbers_to_the_last_bits(count, dtype):
    """Logarithms, sines and cosines are rounded by other libraries there: a few units in the last place."""
    samples = []
    for lib in (rgrad, torch):
        lib.manual_seed(count)
        samples.append(lib.randn(count, dtype=getattr(lib, dtype)).numpy())
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(*samples, rtol=16 * eps, atol=16 * eps)


def test_a_state_is_torch_s_and_can_be_gone_back_to():
    def program(lib):
        lib.manual_seed(5)
        lib.rand(7)
        lib.randn(3)
        state = lib.get_rng_state()
        first = lib.rand(5), lib.randn(20)
        lib.set_rng_state(state)
        return state, first, (lib.rand(5), lib.randn(20)), lib.get_rng_state(), lib.initial_seed()

    agree(program)


def test_states_of_torch_are_taken_over():
    torch.manual_seed(9)
    torch.randn(5)
    rgrad.set_rng_state(rgrad.from_numpy(torch.get_rng_state().numpy()))
    for draw in (lambda lib: lib.randn(3), lambda lib: lib.rand(700), lambda lib: lib.randperm(20)):
        np.testing.assert_allclose(draw(rgrad).numpy(), draw(torch).numpy(), rtol=1e-5)


def test_generators_are_apart():
    def program(lib):
        lib.manual_seed(1)
        one, other = lib.Generator(), lib.Generator().manual_seed(2)
        one.manual_seed(2)
        numbers = [lib.rand(3, generator=one), lib.rand(3), lib.rand(3, generator=other), lib.rand(3)]
        state = one.get_state()
        more = lib.randperm(9, generator=one)
        one.set_state(state)
        return numbers, more, lib.randperm(9, generator=one), one.initial_seed(), other.get_state()

    agree(program)


def test_the_default_generator():
    def program(lib):
        same = lib.manual_seed(4) is lib.default_generator
        numbers = lib.rand(2), lib.rand(2, generator=lib.default_generator)
        lib.default_generator.manual_seed(4)
        return same, numbers, lib.rand(2), lib.default_generator.initial_seed()

    agree(program)


def test_seeds_that_nobody_can_guess():
    seeds = {rgrad.seed() for _ in range(3)} | {rgrad.Generator().seed() for _ in range(3)}
    assert len(seeds) == 6
    assert rgrad.initial_seed() in seeds


def test_random_numbers_end_a_history():
    def program(lib):
        lib.manual_seed(0)
        results = []
        for fill in ("uniform_", "normal_", "bernoulli_"):
            leaf = lib.ones(6, requires_grad=True)
            computed = leaf * 2
            getattr(computed[:3], fill)()
            computed.sum().backward()
            results.append((computed.detach(), computed._version, leaf.grad))
        return results

    agree(program)


def test_distributions_have_their_moments():
    """Against the formulas, not against torch: the mean and the variance of many numbers."""
    rgrad.manual_seed(0)
    n = 200_000
    for sample, mean, variance in (
        (rgrad.rand(n), 1 / 2, 1 / 12),
        (rgrad.randn(n), 0, 1),
        (rgrad.randint(10, (n,)).double(), 4.5, 99 / 12),
        (rgrad.empty(n).bernoulli_(0.3), 0.3, 0.21),
        (rgrad.nn.functional.dropout(rgrad.ones(n), 0.2), 1, 0.25),
    ):
        five_sigma = 5 * math.sqrt(variance / n)
        assert abs(sample.mean().item() - mean) < five_sigma
        assert abs(sample.var().item() - variance) < 0.05 * variance
