"""Hooks on tensors, on nodes and on leaves: what they see, what they may return, and in which order they run."""

from __future__ import annotations

import gc
import weakref

import pytest

import rgrad
from oracle import agree, node_name, raises


def leaf(lib, size=2):
    return lib.ones(size, requires_grad=True)


def test_a_captured_gradient_is_what_the_hooks_made_of_it():
    def program(lib):
        x = leaf(lib)
        y = x * 2
        y.register_hook(lambda g: g * 10)
        x.register_hook(lambda g: g * 100)
        z = (y * 3).sum()
        both = lib.autograd.grad(z, [y, x], retain_graph=True)
        alone = lib.autograd.grad(z, [y], retain_graph=True)
        y.retain_grad()
        z.backward()
        return both, alone, y.grad, x.grad

    agree(program)


def test_hooks_of_a_node_see_all_gradients():
    def program(lib):
        seen = []
        x = leaf(lib)
        y = x * 2
        y.grad_fn.register_prehook(lambda g: (g[0] * 10,))
        y.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
        z = (y * 3).sum()
        both = lib.autograd.grad(z, [y, x], retain_graph=True)
        alone = lib.autograd.grad(z, [y], retain_graph=True)
        return both, alone, seen

    agree(program)


def replaced_by(kind):
    def program(lib, value):
        x = leaf(lib)
        y = x * 2
        if kind == "tensor hook":
            y.register_hook(lambda g: value)
        elif kind == "prehook":
            y.grad_fn.register_prehook(lambda g: value)
        else:
            y.grad_fn.register_hook(lambda inputs, outputs: value)
        y.sum().backward()
        return x.grad

    return program


VALUES = {
    "nothing": lambda lib: None,
    "a tensor": lambda lib: lib.full((2,), 7.0),
    "another size": lambda lib: lib.ones(3),
    "a size that broadcasts": lambda lib: lib.ones(1),
    "another dtype": lambda lib: lib.ones(2, dtype=lib.float64),
    "a string": lambda lib: "a",
    "an empty tuple": lambda lib: (),
    "a number in a tuple": lambda lib: (1,),
    "None in a tuple": lambda lib: (None,),
    "a tensor in a tuple": lambda lib: (lib.full((2,), 7.0),),
    "another size in a tuple": lambda lib: (lib.ones(3),),
    "two tensors": lambda lib: (lib.ones(2), lib.ones(2)),
    "two times None": lambda lib: (None, None),
    "a tensor and None": lambda lib: (lib.full((2,), 7.0), None),
}


@pytest.mark.parametrize("kind", ["tensor hook", "prehook", "hook"])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_what_a_hook_may_return(value, kind):
    agree(lambda lib: replaced_by(kind)(lib, value(lib)))


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: lib.ones(2).register_hook(print),
        lambda lib: lib.ones(2).register_post_accumulate_grad_hook(print),
        lambda lib: (leaf(lib) * 2).register_post_accumulate_grad_hook(print),
    ],
)
def test_where_hooks_cannot_be(program):
    raises(program)


def test_the_order_of_hooks():
    def program(lib):
        log = []

        def note(name):
            def hook(*gradients):
                log.append(name)

            return hook

        x = leaf(lib, 1)
        y = x * 2
        y.grad_fn.register_prehook(note("prehook"))
        y.register_hook(note("first tensor hook"))
        y.retain_grad()
        y.register_hook(note("second tensor hook"))
        y.grad_fn.register_hook(note("hook"))
        x.register_hook(note("hook of the leaf"))
        x.register_post_accumulate_grad_hook(note("after accumulation"))
        accumulation = y.grad_fn.next_functions[0][0]
        accumulation.register_prehook(note("prehook of accumulation"))
        accumulation.register_hook(note("hook of accumulation"))
        y.sum().backward()
        return log, y.grad

    agree(program)


def test_a_hook_belongs_to_the_value_it_was_registered_for():
    def program(lib):
        seen = []
        x = leaf(lib, 1)
        y = x * 2
        y.register_hook(lambda g: seen.append(("before", g)))
        y.mul_(3)
        y.register_hook(lambda g: seen.append(("after", g)))
        y.sum().backward()
        return seen, x.grad

    agree(program)


def test_hooks_run_where_the_pass_goes():
    def program(lib):
        log = []
        x, w = leaf(lib, 1), leaf(lib, 1)
        x.register_hook(lambda g: log.append("x"))
        w.register_hook(lambda g: log.append("w"))
        (x * w).backward(inputs=[w])
        return log, x.grad, w.grad

    agree(program)


def test_after_accumulation():
    def program(lib):
        seen = []
        x = leaf(lib)
        handle = x.register_post_accumulate_grad_hook(lambda p: seen.append((p is x, p.grad.clone())))
        (x * 2).sum().backward()
        (x * 3).sum().backward()
        handle.remove()
        (x * 4).sum().backward()
        return seen, x.grad

    agree(program)


def test_a_gradient_can_be_dropped_after_accumulation():
    def program(lib):
        x = leaf(lib)

        def step(parameter):
            with lib.no_grad():
                parameter.sub_(parameter.grad)
            parameter.grad = None

        x.register_post_accumulate_grad_hook(step)
        (x * 2).sum().backward()
        return x.detach(), x.grad

    agree(program)


def test_removing():
    def program(lib):
        log = []
        x = leaf(lib, 1)
        y = x * 2
        first = y.register_hook(lambda g: log.append("first"))
        with y.register_hook(lambda g: log.append("second")):
            y.backward(retain_graph=True)
        first.remove()
        first.remove()
        y.backward()
        return log

    agree(program)


def test_a_hook_that_removes_itself_and_adds_another():
    def program(lib):
        log = []
        x = leaf(lib, 1)
        y = x * 2

        def hook(g):
            log.append("once")
            handle.remove()
            y.register_hook(lambda g: log.append("later"))

        handle = y.register_hook(hook)
        y.backward(retain_graph=True)
        y.backward()
        return log

    agree(program)


def test_an_exception_in_a_hook_is_the_callers():
    def program(lib):
        x = leaf(lib)

        def hook(g):
            raise KeyError("from the hook")

        x.register_hook(hook)
        (x * 2).sum().backward()

    raises(program)


def test_hooks_under_create_graph_are_part_of_the_graph():
    def program(lib):
        x = leaf(lib)
        y = x**3
        y.register_hook(lambda g: g * g * 5)
        (first,) = lib.autograd.grad((y * y).sum(), x, create_graph=True)
        return first.requires_grad, lib.autograd.grad(first.sum(), x)

    agree(program)


@pytest.mark.parametrize("mode", ["all", "any"])
def test_a_hook_of_several_tensors(mode):
    def program(lib):
        seen = []
        x, w, unused = leaf(lib), leaf(lib), leaf(lib)
        handle = lib.autograd.graph.register_multi_grad_hook(
            [x, w, unused], lambda g: seen.append(g if mode == "any" else list(g)), mode=mode
        )
        z = (x * 2 + w * 3).sum()
        z.backward(retain_graph=True)
        z.backward(retain_graph=True, inputs=[w])
        handle.remove()
        z.backward()
        return len(seen) if mode == "any" else seen

    agree(program)


def test_a_hook_of_several_tensors_has_two_modes():
    raises(lambda lib: lib.autograd.graph.register_multi_grad_hook([leaf(lib)], print, mode="some"))


def test_edges_stand_for_tensors():
    def program(lib):
        x = leaf(lib)
        y = x * 2
        z = y.exp()
        edge_of = lib.autograd.graph.get_gradient_edge
        through_edges = lib.autograd.grad(edge_of(z), [edge_of(y), edge_of(x)], lib.ones(2))
        return through_edges, node_name(edge_of(y).node), edge_of(y).output_nr, node_name(edge_of(x).node)

    agree(program)


def test_a_callback_at_the_end_of_the_pass():
    def program(lib):
        log = []
        engine = lib.autograd.Variable._execution_engine
        x = leaf(lib)

        def hook(g):
            engine.queue_callback(lambda: log.append("end"))
            log.append("hook")

        x.register_hook(hook)
        x.register_post_accumulate_grad_hook(lambda p: log.append("accumulated"))
        (x * 2).sum().backward()
        return log

    agree(program)
    raises(lambda lib: lib.autograd.Variable._execution_engine.queue_callback(print))


class Holder:
    """Something to be collected."""


def through_a_tensor_hook(holder):
    y = leaf(rgrad) * 2
    y.register_hook(lambda g: holder and y)
    holder.tensor = y


def through_a_leaf_hook(holder):
    holder.tensor = x = leaf(rgrad)
    x.register_hook(lambda g: holder and x)


def through_a_node_hook(holder):
    x = leaf(rgrad)
    holder.tensor = y = x * x
    y.grad_fn.register_hook(lambda inputs, outputs: holder)


def through_metadata(holder):
    x = leaf(rgrad)
    holder.tensor = y = x * x
    y.grad_fn.metadata["holder"] = holder


def through_an_accumulation_hook(holder):
    holder.tensor = x = leaf(rgrad)
    x.register_post_accumulate_grad_hook(lambda parameter: holder)


def through_a_packed_tensor(holder):
    x = leaf(rgrad)
    with rgrad.autograd.graph.saved_tensors_hooks(lambda t: (holder, t), lambda packed: packed[1]):
        holder.tensor = y = x.exp()
    y.sum().backward(retain_graph=True)


def through_a_gradient_with_a_history(holder):
    x = leaf(rgrad)
    x.holder = holder
    (x * x * x).sum().backward(create_graph=True)
    x.grad.sum().backward(create_graph=True)


@pytest.mark.parametrize(
    "tie",
    [
        through_a_tensor_hook,
        through_a_leaf_hook,
        through_a_node_hook,
        through_metadata,
        through_an_accumulation_hook,
        through_a_packed_tensor,
        through_a_gradient_with_a_history,
    ],
)
def test_the_collector_frees_a_cycle(tie):
    holder = Holder()
    tie(holder)
    alive = weakref.ref(holder)
    del holder
    gc.collect()
    assert alive() is None
