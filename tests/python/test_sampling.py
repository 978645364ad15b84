"""Random numbers with parameters beside torch: the same numbers for the same seed."""

from __future__ import annotations

import pytest

from oracle import agree, lines, raises

NUMBERS = lines(
    """
    lib.empty(7).exponential_()
    lib.empty(7, dtype=lib.float64).exponential_(2.5)
    lib.empty(2, 3).t().exponential_(2.5)
    lib.empty(7).cauchy_()
    lib.empty(7, dtype=lib.float64).cauchy_(1.0, 3.0)
    lib.empty(7).log_normal_()
    lib.empty(7, dtype=lib.float64).log_normal_(0.5, 0.25)
    lib.empty(7).geometric_(0.3)
    lib.empty(7, dtype=lib.int64).geometric_(0.3)
    lib.empty(7, dtype=lib.int64).random_()
    lib.empty(7, dtype=lib.int64).random_(10)
    lib.empty(7, dtype=lib.int32).random_(5, 9)
    lib.empty(7, dtype=lib.float32).random_()
    lib.empty(7, dtype=lib.uint8).random_()
    lib.empty(7, dtype=lib.bool).random_()
    lib.empty(7).bernoulli_(lib.full((7,), 0.3))
    lib.empty(2, 3, dtype=lib.int64).bernoulli_(lib.tensor([0.1, 0.5, 0.9]))
    lib.bernoulli(lib.full((2, 4), 0.4))
    lib.bernoulli(lib.full((2, 4), 0.4, dtype=lib.float64))
    lib.bernoulli(lib.ones(5), 0.25)
    lib.full((4,), 0.4).bernoulli()
    lib.ones(4).bernoulli(0.2)
    lib.poisson(lib.tensor([0.5, 3.0, 30.0]))
    lib.binomial(lib.tensor([5.0, 20.0]), lib.tensor([0.2, 0.7]))
    lib.binomial(lib.tensor([[5.0], [20.0]]), lib.tensor([0.2, 0.7]))
    lib.multinomial(lib.tensor([0.1, 0.6, 0.3]), 2)
    lib.multinomial(lib.tensor([0.1, 0.6, 0.3]), 1)
    lib.multinomial(lib.tensor([0.1, 0.6, 0.3]), 9, True)
    lib.multinomial(lib.tensor([[0.1, 0.6, 0.3], [1.0, 0.0, 2.0]]), 2)
    lib.tensor([[0.1, 0.6], [1.0, 2.0]]).multinomial(3, replacement=True)
    lib.normal(lib.tensor([1.0, 2.0]), lib.tensor([0.5, 3.0]))
    lib.normal(1.0, lib.tensor([0.5, 3.0]))
    lib.normal(lib.zeros(20), 2.0)
    lib.normal(lib.zeros(2, 1), lib.ones(3))
    lib.normal(1.0, 2.0, (3, 2))
    lib.normal(mean=lib.arange(3.0), std=lib.ones(3))
    """
)


@pytest.mark.parametrize("expression", NUMBERS)
def test_numbers(expression):
    def program(lib):
        lib.manual_seed(9)
        drawn = eval(expression, {"lib": lib})
        return drawn, lib.rand(2)

    agree(program)


def test_numbers_of_a_generator():
    def program(lib):
        generator = lib.Generator().manual_seed(4)
        return (
            lib.empty(3).exponential_(generator=generator),
            lib.poisson(lib.full((3,), 4.0), generator=generator),
            lib.multinomial(lib.ones(5), 2, generator=generator),
            lib.normal(lib.zeros(3), 1.0, generator=generator),
        )

    agree(program)


def test_numbers_in_place_end_a_history():
    def program(lib):
        x = lib.ones(3, requires_grad=True)
        y = x * 2
        y.exponential_()
        y.sum().backward()
        return x.grad, y._version

    agree(program)


REFUSED = lines(
    """
    lib.empty(2, dtype=lib.int64).exponential_()
    lib.empty(2).exponential_(0.0)
    lib.empty(2).cauchy_(0.0, -1.0)
    lib.empty(2).geometric_(1.5)
    lib.bernoulli(lib.tensor([1.5]))
    lib.bernoulli(3.0)
    lib.poisson(lib.tensor([-1.0]))
    lib.multinomial(lib.tensor([0.5, 0.5]), 3)
    lib.multinomial(lib.tensor([0.5, 0.5]), 0)
    lib.multinomial(lib.tensor([-0.5, 0.5]), 1)
    lib.multinomial(lib.tensor([0.0, 0.0]), 1)
    lib.multinomial(lib.ones(2, 2, 2), 1)
    lib.multinomial(lib.tensor([1, 1]), 1)
    lib.normal(lib.zeros(2), -1.0)
    lib.normal(0.0, 1.0)
    """
)


@pytest.mark.parametrize("expression", REFUSED)
def test_refused(expression):
    raises(lambda lib: eval(expression, {"lib": lib}))
