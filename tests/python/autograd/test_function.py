"""Functions with a backward of their own."""

from __future__ import annotations

import gc
import weakref

import pytest

import rgrad
from oracle import agree, node_name, raises


def make(lib, forward, backward=None, **methods):
    """A Function with these static methods."""
    methods = {"forward": forward, **({"backward": backward} if backward else {}), **methods}
    return type("Made", (lib.autograd.Function,), {name: staticmethod(method) for name, method in methods.items()})


def inputs(lib, count=1):
    return [lib.ones(2, requires_grad=True) * 1 for _ in range(count)]


def double(ctx, x):
    return x * 2


def same(ctx, g):
    return g


def test_forward_and_backward():
    def program(lib):
        def forward(ctx, x, power):
            ctx.save_for_backward(x)
            ctx.power = power
            return x**power

        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * ctx.power * x ** (ctx.power - 1), None

        function = make(lib, forward, backward)
        x = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = function.apply(x, 3)
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        (second,) = lib.autograd.grad(first.sum(), x)
        node = y.grad_fn
        return y.detach(), first.detach(), second, node.name(), node is y.grad_fn, node_name(node.next_functions[0][0])

    agree(program)


@pytest.mark.parametrize(
    ("count", "backward"),
    [
        (2, lambda lib: lambda ctx, g: g),
        (1, lambda lib: lambda ctx, g: (g, g)),
        (1, lambda lib: lambda ctx, g: (g, None)),
        (1, lambda lib: lambda ctx, g: "a"),
        (1, lambda lib: lambda ctx, g: 1.0),
        (1, lambda lib: lambda ctx, g: [g]),
        (1, lambda lib: lambda ctx, g: None),
        (1, lambda lib: lambda ctx, g: lib.ones(3)),
        (1, lambda lib: lambda ctx, g: lib.ones(1)),
        (1, lambda lib: lambda ctx, g: lib.ones(3, 2)),
        (1, lambda lib: lambda ctx, g: lib.ones(2, dtype=lib.float64)),
        (1, lambda lib: lambda ctx, g: 1 / 0),
        (1, lambda lib: None),
    ],
)
def test_what_a_backward_may_return(count, backward):
    def program(lib):
        function = make(lib, lambda ctx, *args: args[0] * 2, backward(lib))
        x = [lib.ones(2, requires_grad=True) for _ in range(count)]
        function.apply(*x).sum().backward()
        return [one.grad for one in x]

    agree(program, strides=False)


def test_a_gradient_for_what_is_no_tensor():
    def program(lib, value):
        function = make(lib, lambda ctx, x, k: x * k, lambda ctx, g: (g, value))
        x = lib.ones(2, requires_grad=True)
        function.apply(x, 3).sum().backward()
        return x.grad

    agree(lambda lib: program(lib, None), strides=False)
    agree(lambda lib: program(lib, lib.ones(2)))


@pytest.mark.parametrize(
    "forward",
    [
        lambda ctx, x: None,
        lambda ctx, x: x.long(),
        lambda ctx, x: (x * 2, "a", None, [1]),
        lambda ctx, x: [x * 2],
        lambda ctx, x: (x * 2, x * 3),
        lambda ctx, x: (),
        lambda ctx, x: x,
        lambda ctx, x: x.view(-1),
        lambda ctx, x: x.detach(),
        lambda ctx, x: 1 / 0,
    ],
)
def test_what_a_forward_may_return(forward):
    agree(lambda lib: make(lib, forward, lambda ctx, *g: g[0]).apply(*inputs(lib)))


def saves_a_number(ctx, x):
    ctx.save_for_backward(3)
    return x * 2


def marks_a_number_dirty(ctx, x):
    ctx.mark_dirty(3)
    return x * 2


def keeps_a_dirty_tensor(ctx, x):
    ctx.mark_dirty(x)
    return x * 2


def marks_a_number_constant(ctx, x):
    ctx.mark_non_differentiable(3)
    return x * 2


@pytest.mark.parametrize(
    "forward", [saves_a_number, marks_a_number_dirty, keeps_a_dirty_tensor, marks_a_number_constant]
)
def test_what_a_context_refuses(forward):
    raises(lambda lib: make(lib, forward, same).apply(*inputs(lib)))


def test_the_context_during_forward():
    def program(lib):
        seen = []

        def forward(ctx, x, k, y):
            seen.append((ctx.needs_input_grad, lib.is_grad_enabled(), x.requires_grad))
            ctx.save_for_backward(x, None)
            return x * 2

        def backward(ctx, g):
            seen.append((ctx.needs_input_grad, [one is None for one in ctx.saved_tensors], lib.is_grad_enabled()))
            return g * 2, None, None

        x = lib.ones(2, requires_grad=True)
        make(lib, forward, backward).apply(x, 3, lib.ones(2)).sum().backward()
        return seen, x.grad

    agree(program)


def test_results_that_are_constants():
    def program(lib):
        def forward(ctx, x):
            y, z = x * 2, x * 3
            ctx.mark_non_differentiable(z)
            return y, z

        seen = []
        x = lib.ones(2, requires_grad=True)
        y, z = make(lib, forward, lambda ctx, g, h: seen.append((g, h)) or g * 2).apply(x)
        y.sum().backward()
        return z.requires_grad, seen, x.grad

    agree(program)


@pytest.mark.parametrize("materialize", [False, True])
def test_gradients_that_are_missing(materialize):
    def program(lib):
        seen = []

        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        def backward(ctx, g, h):
            seen.append((g, h))
            return g * 2

        x = lib.ones(2, requires_grad=True)
        make(lib, forward, backward).apply(x)[0].sum().backward()
        return seen, x.grad

    agree(program)


def in_place(lib):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    return make(lib, forward, lambda ctx, g: g * 2)


def test_a_change_in_place():
    def plain(lib):
        leaf = lib.ones(2, requires_grad=True)
        x = leaf * 1
        y = in_place(lib).apply(x)
        y.sum().backward()
        return y is x, x._version, leaf.grad

    def of_a_view(lib):
        leaf = lib.ones(4, requires_grad=True)
        base = leaf * 1
        part = base[:2]
        result = in_place(lib).apply(part)
        base.sum().backward()
        return result is part, base._version, leaf.grad

    agree(plain)
    agree(of_a_view)
    raises(lambda lib: in_place(lib).apply(lib.ones(2, requires_grad=True)))


@pytest.mark.parametrize("forward", [lambda ctx, x: x.view(-1), lambda ctx, x: x])
def test_a_view_out_of_a_function_cannot_be_changed(forward):
    def program(lib, change):
        x = lib.ones(2, requires_grad=True)
        y = make(lib, forward, same).apply(x * 1)
        if change:
            y.mul_(2)
        return y._is_view(), y.requires_grad, node_name(y.grad_fn)

    agree(lambda lib: program(lib, False))
    raises(lambda lib: program(lib, True))


def test_an_argument_as_the_result():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        function = make(lib, lambda ctx, x: x, lambda ctx, g: g * 7)
        y = function.apply(x)
        y.sum().backward()
        with lib.no_grad():
            z = function.apply(x)
        return y is x, y._is_view(), x.grad, z is x, z.requires_grad

    agree(program)


@pytest.mark.parametrize("saves", [False, True])
def test_a_second_backward(saves):
    def program(lib):
        def forward(ctx, x):
            if saves:
                ctx.save_for_backward(x)
            return x * 2

        y = make(lib, forward, lambda ctx, g: ctx.saved_tensors and g * ctx.saved_tensors[0] or g).apply(*inputs(lib))
        y.sum().backward()
        y.sum().backward()

    raises(program)


def test_a_saved_argument_that_was_changed():
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        (x,) = inputs(lib)
        y = make(lib, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(x)
        x.add_(1)
        y.sum().backward()

    raises(program)


def test_setup_context():
    def program(lib):
        seen = []

        def forward(x, factor=5):
            return x * factor

        def setup_context(ctx, inputs, output):
            seen.append((len(inputs), inputs[1], output.requires_grad))
            ctx.factor = inputs[1]

        function = make(lib, forward, lambda ctx, g: (g * ctx.factor, None), setup_context=setup_context)
        x = lib.ones(2, requires_grad=True)
        function.apply(x, 3).sum().backward()
        function.apply(x, factor=4).sum().backward()
        function.apply(x).sum().backward()
        return seen, x.grad

    agree(program)


def test_arguments_by_keyword():
    def program(lib):
        seen = []

        def forward(ctx, x, factor=5):
            seen.append(ctx.needs_input_grad)
            return x * factor

        function = make(lib, forward, lambda ctx, g: (g * 2, None)[: len(ctx.needs_input_grad)])
        x = lib.ones(2, requires_grad=True)
        function.apply(factor=2, x=x).sum().backward()
        function.apply(x=x).sum().backward()
        return seen, x.grad

    agree(program, strides=False)


def test_forward_mode():
    def program(lib):
        def forward(ctx, x, k):
            ctx.save_for_forward(x)
            return x * x * k

        def jvp(ctx, tangent, _):
            return tangent * ctx.saved_tensors[0] * 2 * 3

        function = make(lib, forward, lambda ctx, g: (g, None), jvp=jvp)
        with lib.autograd.forward_ad.dual_level():
            x = lib.autograd.forward_ad.make_dual(lib.full((2,), 2.0), lib.ones(2))
            value, tangent = lib.autograd.forward_ad.unpack_dual(function.apply(x, 3))
        return value, tangent

    agree(program, graph=False)


def test_once_differentiable():
    def program(lib, twice):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @lib.autograd.function.once_differentiable
        def backward(ctx, g):
            return g * 2 * ctx.saved_tensors[0]

        x = lib.ones(2, requires_grad=True)
        (first,) = lib.autograd.grad(make(lib, forward, backward).apply(x).sum(), x, create_graph=twice)
        return lib.autograd.grad(first.sum(), x) if twice else first

    agree(lambda lib: program(lib, False))
    raises(lambda lib: program(lib, True))


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: make(lib, double, same)()(lib.ones(2)),
        lambda lib: make(lib, lambda ctx, x, k=2, j=5: x * k * j, same).apply(lib.ones(2), j=3),
        lambda lib: make(lib, lambda ctx, x, *, k=2: x * k, same).apply(lib.ones(2), k=3),
        lambda lib: make(lib, lambda x, *, k=2: x * k, same, setup_context=double).apply(lib.ones(2)),
        lambda lib: make(lib, double, same).apply(lib.ones(2), k=3),
        lambda lib: lib.autograd.Function.apply(lib.ones(2)),
        lambda lib: make(lib, double, same, vjp=same).apply(lib.ones(2, requires_grad=True)).sum().backward(),
    ],
)
def test_calls_that_are_refused(program):
    raises(program)


def test_a_second_name_of_backward():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        make(lib, double, vjp=lambda ctx, g: g * 2).apply(x).sum().backward()
        return x.grad

    agree(program)


def test_what_is_not_recorded_has_no_node():
    def program(lib):
        function = make(lib, double, same)
        with lib.no_grad():
            off = function.apply(lib.ones(2, requires_grad=True))
        return off, function.apply(lib.ones(2))

    agree(program)


def test_a_function_inside_a_backward():
    def program(lib):
        inner = make(lib, lambda ctx, x: x * 3, lambda ctx, g: g * 3)

        def backward(ctx, g):
            with lib.enable_grad():
                x = lib.ones(2, requires_grad=True)
                inner.apply(x).sum().backward()
            return g * x.grad

        x = lib.ones(2, requires_grad=True)
        make(lib, double, backward).apply(x).sum().backward()
        return x.grad

    agree(program)


class Holder:
    """Something to be collected."""


@pytest.mark.parametrize("kept", ["result", "later result", "gradient"])
def test_the_collector_frees_a_cycle_through_a_context(kept):
    def forward(ctx, x, holder):
        ctx.holder = holder
        return x * 2

    function = make(rgrad, forward, lambda ctx, g: (g, None))
    holder = Holder()
    x = rgrad.ones(2, requires_grad=True)
    y = function.apply(x, holder)
    if kept == "result":
        holder.tensor = y
    elif kept == "later result":
        holder.tensor = y * 2
    else:
        y.sum().backward(create_graph=True)
        holder.tensor = x.grad
    alive = weakref.ref(holder)
    del holder, x, y
    gc.collect()
    assert alive() is None


def test_a_node_without_its_result_keeps_what_it_saved():
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        node = make(lib, forward, same).apply(*inputs(lib)).grad_fn
        return len(node.saved_tensors)

    agree(program)
