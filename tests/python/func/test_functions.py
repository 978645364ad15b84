"""Functions of the user inside `vmap` and derivatives, and the small tools of `func`."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

import rgrad
import rgrad.utils._pytree as trees
from oracle import agree, raises, torch

Point = namedtuple("Point", "x y")


def generated(t):
    class Weighted(t.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, w):
            return x * x * w

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return 2 * x * w * g, x * x * g

        @staticmethod
        def jvp(ctx, x_tangent, w_tangent):
            x, w = ctx.saved_tensors
            return 2 * x * w * x_tangent + x * x * w_tangent

    return Weighted


def stated(t):
    class Sine(t.autograd.Function):
        @staticmethod
        def forward(x):
            return x.sin()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0].cos()

        @staticmethod
        def vmap(info, in_dims, x):
            assert info.batch_size == x.shape[in_dims[0]]
            assert info.randomness == "error"
            return Sine.apply(x), in_dims[0]

    return Sine


def values(t):
    return t.linspace(-1.0, 1.3, 12).reshape(3, 4), t.linspace(0.5, 1.5, 4)


@pytest.mark.parametrize(
    "program",
    [
        lambda t, f, x, w: t.vmap(f, in_dims=(0, None))(x, w),
        lambda t, f, x, w: t.vmap(t.func.grad(lambda x, w: f(x, w).sum(), argnums=(0, 1)), in_dims=(0, None))(x, w),
        lambda t, f, x, w: t.func.grad(lambda w: t.vmap(f, in_dims=(0, None))(x, w).sum())(w),
        lambda t, f, x, w: t.func.jacrev(lambda w: f(x[0], w))(w),
        lambda t, f, x, w: t.func.jacfwd(lambda a: f(a, w))(x[0]),
        lambda t, f, x, w: t.vmap(lambda a, v: t.func.jvp(lambda a, w: f(a, w), (a, w), (v, w)))(x, x),
        lambda t, f, x, w: t.func.jacrev(t.func.jacrev(lambda a: f(a, w).sum()))(x[0]),
        lambda t, f, x, w: t.func.hessian(lambda a: f(a, w).sum())(x[0]),
        lambda t, f, x, w: t.vmap(t.vmap(lambda a, b: f(a, b)), in_dims=(0, None))(x, w),
    ],
)
def test_generated_rules(program):
    agree(lambda t: program(t, generated(t).apply, *values(t)), strides=False, graph=False)


@pytest.mark.parametrize(
    "program",
    [
        lambda t, f, x: t.vmap(f)(x),
        lambda t, f, x: t.vmap(t.vmap(f))(x),
        lambda t, f, x: t.vmap(t.func.grad(lambda a: f(a).sum()))(x),
        lambda t, f, x: t.func.grad(lambda a: t.vmap(f)(a).sum())(x),
    ],
)
def test_stated_rules(program):
    agree(lambda t: program(t, stated(t).apply, values(t)[0]), strides=False, graph=False)


def test_functions_without_a_rule():
    def program(t):
        class Plain(t.autograd.Function):
            @staticmethod
            def forward(x):
                return x * 2

            @staticmethod
            def setup_context(ctx, inputs, output):
                pass

        return t.vmap(Plain.apply)(values(t)[0])

    raises(program)


def test_functionalize_and_debug_unwrap():
    def program(t):
        seen = []

        def look(x):
            seen.append(t.func.debug_unwrap(x).shape)
            seen.append(t.func.debug_unwrap(x, recurse=False).shape)
            return x

        t.vmap(t.vmap(look))(values(t)[0])
        return seen[0]

    agree(program)
    assert rgrad.func.functionalize(abs) is abs
    raises(lambda t: t.func.functionalize(lambda x: x, remove="nothing")(t.ones(2)))


TREES = [
    3,
    [1, (2, 3)],
    {"b": 1, "a": [2, {"c": 3}]},
    OrderedDict(z=1, y=(2,)),
    Point(1, [2, 3]),
    deque([1, (2,)], maxlen=5),
    defaultdict(list, {"k": [1, 2]}),
    (),
    None,
    [None, "text"],
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_trees_are_flattened_as_torch_flattens_them(tree):
    theirs = torch.utils._pytree
    leaves, spec = trees.tree_flatten(tree)
    expected, other = theirs.tree_flatten(tree)
    assert leaves == expected
    assert (spec.num_leaves, spec.num_nodes, spec.num_children) == (
        other.num_leaves,
        other.num_nodes,
        other.num_children,
    )
    back = trees.tree_unflatten(leaves, spec)
    assert back == tree
    assert type(back) is type(tree)
    assert trees.tree_map(lambda leaf: [leaf], tree) == theirs.tree_map(lambda leaf: [leaf], tree)
    assert spec == trees.tree_structure(tree)


def test_trees_of_other_shapes():
    assert trees.tree_map(lambda a, b: (a, b), [1, (2,)], [3, ({"k": 4},)]) == [(1, 3), ((2, {"k": 4}),)]
    with pytest.raises(ValueError, match="disagree"):
        trees.tree_map(lambda a, b: a, [1, 2], [1])
    with pytest.raises(ValueError, match="2 leaves are given for a tree of 1"):
        trees.tree_unflatten([1, 2], trees.tree_structure(0))
    assert trees.tree_map_only(int, lambda n: n + 1, [1, "a"]) == [2, "a"]
    assert trees.tree_all(bool, [1, 2])
    assert not trees.tree_any(bool, [0, ()])


def test_containers_of_the_user():
    class Box:
        def __init__(self, content):
            self.content = content

    trees.register_pytree_node(Box, lambda box: ([box.content], None), lambda children, _: Box(*children))
    assert rgrad.vmap(lambda box: Box(box.content * 2))(Box(rgrad.ones(2))).content.tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="already"):
        trees.register_pytree_node(Box, None, None)
