"""`vmap`: dimensions, structures, errors, randomness, and what a batched tensor looks like."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest

import rgrad
from oracle import agree, raises
from rgrad.func import vmap

Pair = namedtuple("Pair", "left right")


def matrix(library, rows=2, columns=3):
    return library.arange(float(rows * columns)).reshape(rows, columns)


@pytest.mark.parametrize("in_dim", [0, 1, -1, -2])
@pytest.mark.parametrize("out_dim", [0, 1, -1])
def test_dimensions(in_dim, out_dim):
    agree(lambda t: t.vmap(lambda x: x * 2 + x.sum(), in_dims=in_dim, out_dims=out_dim)(matrix(t)))


@pytest.mark.parametrize(
    ("function", "in_dims"),
    [
        (lambda x, y: x * y, (0, None)),
        (lambda x, y: x + y, (None, 1)),
        (lambda x, y: x @ y, (0, 1)),
        (lambda x, y: (x - y).sum(), 0),
    ],
)
def test_several_inputs(function, in_dims):
    agree(lambda t: t.vmap(function, in_dims=in_dims)(matrix(t, 3, 3), matrix(t, 3, 3) + 1), strides=False)


@pytest.mark.parametrize(
    ("function", "in_dims", "make"),
    [
        (lambda d: d["a"] * d["b"][0], ({"a": 0, "b": (None,)},), lambda x: {"a": x, "b": (x[0],)}),
        (lambda p: Pair(p.right, p.left.sum()), (Pair(0, 1),), lambda x: Pair(x, x.T)),
        (lambda a: {"x": a, "y": [a, a.sum()]}, 0, lambda x: x),
        (lambda d: OrderedDict(z=d["z"] + 1), 0, lambda x: OrderedDict(z=x)),
        (lambda parts: tuple(part * 2 for part in parts), ([0, None],), lambda x: [x, x[0]]),
    ],
)
def test_nested_containers(function, in_dims, make):
    def program(t):
        result = t.vmap(function, in_dims=in_dims)(make(matrix(t)))
        return (
            tuple(result) if isinstance(result, Pair) else dict(result) if isinstance(result, OrderedDict) else result
        )

    agree(program)


@pytest.mark.parametrize("out_dims", [0, 1, (0, 1), (1, None)])
def test_out_dims(out_dims):
    constant = isinstance(out_dims, tuple) and out_dims[1] is None
    agree(lambda t: t.vmap(lambda x: (x, t.ones(3) if constant else x), out_dims=out_dims)(matrix(t)))


def test_an_output_that_is_the_same_for_all_is_repeated():
    agree(lambda t: t.vmap(lambda x: t.arange(2.0))(matrix(t)), strides=False)


def test_levels_nest():
    def program(t):
        x, y = matrix(t), matrix(t) + 1
        outer = t.vmap(t.vmap(lambda a, b: a * b, in_dims=(None, 0)), in_dims=(0, None))
        crossed = t.vmap(t.vmap(lambda a, b: a @ b, in_dims=(None, 1)), in_dims=(0, None), out_dims=1)
        both = t.vmap(t.vmap(lambda a, b: a.sin() + b))(x, y)
        third = t.vmap(lambda a: t.vmap(lambda b: t.vmap(lambda c: a * b * c)(x[0]))(x[0]))(x[0])
        return outer(x[0], y[0]), crossed(x, y.T), both, third

    agree(program, strides=False)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7])
def test_chunks(chunk_size):
    def program(t):
        function = t.vmap(lambda x, y: (x * y, (x + y).sum()), in_dims=(0, None), chunk_size=chunk_size)
        return function(matrix(t, 5, 2), t.ones(2))

    agree(program)


def test_keyword_arguments_are_the_same_for_all():
    agree(lambda t: t.vmap(lambda x, factor=1.0: x * factor)(matrix(t), factor=t.ones(2, 1)))


def test_a_batch_of_no_examples():
    agree(lambda t: t.vmap(lambda x: (x * 2, x.sum(), x.softmax(0)))(t.ones(0, 3)), strides=False)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.vmap(lambda x: x)(1),
        lambda t: t.vmap(lambda: t.ones(2))(),
        lambda t: t.vmap(lambda x, y: x)(matrix(t), t.ones(3)),
        lambda t: t.vmap(lambda x: x, in_dims=3)(matrix(t)),
        lambda t: t.vmap(lambda x: x, in_dims=None)(matrix(t)),
        lambda t: t.vmap(lambda x: x, in_dims=(None,))(matrix(t)),
        lambda t: t.vmap(lambda x, y: x, in_dims=(0,))(matrix(t), matrix(t)),
        lambda t: t.vmap(lambda x: x, in_dims=[0])(matrix(t)),
        lambda t: t.vmap(lambda x: x, in_dims=1.5)(matrix(t)),
        lambda t: t.vmap(lambda x, y: x, in_dims=(0, 0))(matrix(t), 3),
        lambda t: t.vmap(lambda x: 1)(matrix(t)),
        lambda t: t.vmap(lambda x: (x, "text"))(matrix(t)),
        lambda t: t.vmap(lambda x: x, out_dims=5)(matrix(t)),
        lambda t: t.vmap(lambda x: (x, x), out_dims=(0,))(matrix(t)),
        lambda t: t.vmap(lambda x: x, out_dims=None)(matrix(t)),
        lambda t: t.vmap(lambda x: x, chunk_size=0)(matrix(t)),
        lambda t: t.vmap(lambda x: x, randomness="any")(matrix(t)),
    ],
)
def test_calls_that_do_not_fit(program):
    raises(program)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.sum().item(),
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x.tolist(),
        lambda x: x.numpy(),
        lambda x: x.data,
        lambda x: x.nonzero(),
        lambda x: x[x > 1],
        lambda x: x.sum().backward(),
    ],
)
def test_values_of_examples_cannot_be_read(function):
    raises(lambda t: t.vmap(function)(matrix(t)))


def test_a_level_ends_with_an_error():
    with pytest.raises(ZeroDivisionError):
        vmap(lambda x: 1 / 0)(rgrad.ones(2))
    assert vmap(lambda x: x + 1)(rgrad.ones(2)).tolist() == [2.0, 2.0]


def test_what_a_batched_tensor_says_of_itself():
    def program(t):
        seen = []

        def look(x):
            seen.append((x.shape, x.dim(), x.numel(), len(x), x.dtype, x.requires_grad, x.is_leaf, x.grad_fn is None))
            seen.append(repr(x * 1))
            return x

        t.vmap(look)(matrix(t))
        t.vmap(t.vmap(lambda x: (seen.append(repr(x)), x)[1]))(matrix(t))
        return seen

    agree(program)


def test_changes_in_place():
    def program(t):
        x = matrix(t)
        changed = t.vmap(lambda row: row.add_(1))(x)

        def fill(row):
            fresh = t.zeros_like(row)
            fresh.add_(row)
            fresh[0] = 5.0
            fresh[1:] *= 2
            made = row.new_ones(2)
            made.copy_(row[:2])
            return fresh, made.zero_() + made, made.fill_(row[0])

        return changed, x, t.vmap(fill)(x)

    agree(program, strides=False)
    raises(lambda t: t.vmap(lambda x: t.zeros(3).add_(x))(matrix(t)))
    raises(lambda t: t.vmap(lambda x, y: x.add_(y), in_dims=(None, 0))(t.zeros(3), matrix(t)))


def test_in_place_changes_of_views_are_recorded():
    def program(t):
        w = matrix(t).requires_grad_()

        def half(x):
            y = x * 2
            y[1:].mul_(x[:2])
            return y

        t.vmap(half)(w).sum().backward()
        return w.grad

    agree(program)


@pytest.mark.parametrize(
    ("function", "in_dims", "make"),
    [
        (lambda x, i: x[i], (None, 0), lambda t: (matrix(t), t.tensor([[0, 1], [1, 0]]))),
        (lambda x, i: x[:, i], 0, lambda t: (matrix(t, 6, 4).reshape(2, 3, 4), t.tensor([[0, 1], [2, 3]]))),
        (lambda x, i: x[i, :, i], 0, lambda t: (matrix(t, 9, 6).reshape(2, 3, 3, 3), t.tensor([[0, 1], [2, 0]]))),
        (lambda x, i: x[i, 1], (0, None), lambda t: (matrix(t, 6, 3).reshape(2, 3, 3), t.tensor([0, 2]))),
        (lambda x, i: x[i, :, i], (0, None), lambda t: (matrix(t, 9, 6).reshape(2, 3, 3, 3), t.tensor([0, 2]))),
        (lambda x, i: x.gather(0, i), 0, lambda t: (matrix(t), t.tensor([[0, 1], [2, 2]]))),
        (lambda x, i: x.index_select(0, i), 0, lambda t: (matrix(t), t.tensor([[0, 1], [2, 2]]))),
        (lambda x, i: x.scatter_add(0, i, x[:2]), 0, lambda t: (matrix(t), t.tensor([[0, 1], [2, 2]]))),
        (lambda x, i: x.index_put((i,), x[:2] * 10), 0, lambda t: (matrix(t), t.tensor([[0, 1], [2, 0]]))),
    ],
)
def test_indices(function, in_dims, make):
    agree(lambda t: t.vmap(function, in_dims=in_dims)(*make(t)), strides=False)
    square = lambda x, i: (function(x, i) ** 2).sum()  # noqa: E731
    agree(lambda t: t.vmap(t.func.grad(square), in_dims=in_dims)(*make(t)), strides=False)


def test_one_place_for_each_example():
    agree(lambda t: t.vmap(lambda x, i: x[i])(matrix(t), t.tensor([0, 2])))
    # PyTorch refuses to differentiate this.
    gradient = vmap(rgrad.func.grad(lambda x, i: x[i] ** 2))(matrix(rgrad), rgrad.tensor([0, 2]))
    assert gradient.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 10.0]]


def test_a_number_for_each_example_counts_little_for_the_common_type():
    def program(t):
        number, vector = t.ones(2, dtype=t.float64), t.ones(3)
        product = t.vmap(lambda a, b: a * b, in_dims=(0, None))
        return product(number, vector), product(t.tensor([1, 2]), vector), product(number, t.tensor(1.0))

    agree(program, strides=False)


class TestRandomness:
    """Random numbers inside vmap."""

    @pytest.mark.parametrize(
        "function",
        [
            lambda t, x: t.rand(3),
            lambda t, x: t.randn_like(x),
            lambda t, x: t.randint(0, 3, (2,)),
            lambda t, x: x.clone().normal_(),
            lambda t, x: t.nn.functional.dropout(x),
        ],
    )
    def test_has_to_be_asked_for(self, function):
        raises(lambda t: t.vmap(lambda x: function(t, x))(matrix(t)))

    @pytest.mark.parametrize("randomness", ["same", "different"])
    @pytest.mark.parametrize(
        "function",
        [
            lambda t, x: t.rand(50),
            lambda t, x: t.randn_like(x),
            lambda t, x: t.randperm(50).double(),
            lambda t, x: x.clone().uniform_(),
            lambda t, x: t.nn.functional.dropout(t.ones_like(x)),
        ],
    )
    def test_is_that_of_each_example_or_of_all(self, function, randomness):
        def program(t):
            drawn = t.vmap(lambda x: function(t, x), randomness=randomness)(t.zeros(2, 50))
            return drawn.shape, bool((drawn[0] == drawn[1]).all())

        shape, same = agree(program)
        assert shape == (2, 50)
        assert same is (randomness == "same")

    def test_levels_decide_for_themselves(self):
        function = vmap(vmap(lambda x: rgrad.rand(20), randomness="different"), randomness="same")
        drawn = function(rgrad.zeros(2, 3))
        assert drawn.shape == (2, 3, 20)
        assert bool((drawn[0] == drawn[1]).all())
        assert not bool((drawn[0, 0] == drawn[0, 1]).all())

    def test_what_is_one_for_all_cannot_be_filled(self):
        raises(lambda t: t.vmap(lambda x: t.zeros(3).normal_() + x, randomness="different")(matrix(t)))


def test_histories_lead_through():
    def program(t):
        w = t.arange(3.0).requires_grad_()
        y = t.vmap(lambda x: (x * w).sin().sum())(matrix(t))
        y.sum().backward()
        return y, w.grad

    agree(program)


def test_results_with_names():
    def program(lib):
        return tuple(lib.vmap(lambda x: x.max(0))(lib.arange(6.0).reshape(2, 3)))

    agree(program)


def test_a_gradient_of_what_all_examples_share_is_refused():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        return lib.vmap(lambda t: lib.autograd.grad((x * t).sum(), x)[0])(lib.ones(3))

    raises(program)
