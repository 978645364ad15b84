"""Hooks over what is saved for backward: packing, unpacking, and what they may do."""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import agree, raises


def leaf(lib):
    return lib.tensor([0.5, -1.0, 2.0], requires_grad=True)


def hooks(lib, pack, unpack):
    return lib.autograd.graph.saved_tensors_hooks(pack, unpack)


def test_what_is_packed_and_unpacked():
    def program(lib):
        log = []
        x = leaf(lib)

        def pack(tensor):
            log.append(("pack", tensor.detach()))
            return len(log) - 1

        def unpack(number):
            log.append(("unpack", number))
            return log[number][1]

        with hooks(lib, pack, unpack):
            y = x.sin().exp()
        z = y * y
        z.sum().backward()
        return log, x.grad

    agree(program)


def test_packed_elsewhere():
    x = leaf(rgrad)
    with hooks(
        rgrad,
        lambda tensor: tensor.detach().numpy().tobytes(),
        lambda data: rgrad.tensor(np.frombuffer(data, np.float32)),
    ):
        y = (x * 3.0).exp()
    y.sum().backward()
    assert rgrad.allclose(x.grad, 3 * (3 * x.detach()).exp())


def test_the_innermost_hooks_count():
    def program(lib):
        log = []
        x = leaf(lib)
        with hooks(lib, lambda t: log.append("outer") or t, lambda t: t):
            with hooks(lib, lambda t: log.append("inner") or t, lambda t: t):
                x.exp()
            x.exp()
        x.exp()
        return log

    agree(program)


@pytest.mark.parametrize("create_graph", [False, True])
def test_saved_tensors_keep_their_place_in_the_graph(create_graph):
    def program(lib):
        x = leaf(lib)
        with hooks(lib, lambda t: t.detach() * 1, lambda t: t):
            y = (x * x * x).exp()
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=create_graph)
        return lib.autograd.grad(first.sum(), x) if create_graph else first

    agree(program)


@pytest.mark.parametrize(
    "unpack",
    [
        lambda lib: lambda packed: 3,
        lambda lib: lambda packed: None,
        lambda lib: lambda packed: lib.ones(7),
        lambda lib: lambda packed: 1 / 0,
        lambda lib: lambda: None,
    ],
)
def test_an_unpack_hook_that_fails(unpack):
    def program(lib):
        x = leaf(lib)
        with hooks(lib, lambda t: t, unpack(lib)):
            y = x * x
        y.sum().backward()

    raises(program)


@pytest.mark.parametrize(
    "pack", [lambda lib: lambda tensor: 1 / 0, lambda lib: lambda: None, lambda lib: lambda tensor: tensor.add_(1)]
)
def test_a_pack_hook_that_fails(pack):
    def program(lib):
        x = leaf(lib) * 1
        with hooks(lib, pack(lib), lambda packed: packed):
            return x * x

    raises(program)


def test_a_failure_leaves_the_hooks_as_they_were():
    x = leaf(rgrad)
    with pytest.raises(ZeroDivisionError), hooks(rgrad, lambda tensor: 1 / 0, lambda packed: packed):
        x.exp()
    y = x.exp()
    y.sum().backward()
    assert rgrad.equal(x.grad, y.detach())


def test_hooks_can_be_forbidden():
    def program(lib):
        with lib.autograd.graph.disable_saved_tensors_hooks("not here"):
            with hooks(lib, lambda t: t, lambda t: t):
                return leaf(lib).exp()

    assert "not here" in str(raises(program))


def test_a_saved_tensor_that_was_changed_is_refused_unless_it_was_packed_as_a_copy():
    def program(lib, pack):
        x = leaf(lib) * 1
        with hooks(lib, pack, lambda packed: packed):
            y = x * x
        x.add_(1)
        y.sum().backward()

    agree(lambda lib: program(lib, lambda tensor: tensor))
    agree(lambda lib: program(lib, lambda tensor: tensor.clone()))


def test_save_on_cpu_and_changes_of_saved_tensors():
    def on_cpu(lib):
        x = leaf(lib)
        with lib.autograd.graph.save_on_cpu():
            y = (x * x).exp()
        y.sum().backward()
        return x.grad

    def changed(lib):
        x = leaf(lib)
        with lib.autograd.graph.allow_mutation_on_saved_tensors():
            y = x * 1
            z = y.exp() * y
            y.mul_(5)
            z.sum().backward()
        return x.grad

    agree(on_cpu)
    agree(changed)


def test_hooks_on_one_saved_tensor():
    def program(lib):
        log = []
        x = leaf(lib)
        y = x.exp()
        y.grad_fn._raw_saved_result.register_hooks(
            lambda t: log.append(("pack", t.detach())) or t.detach() * 2, lambda t: log.append("unpack") or t
        )
        y.sum().backward()
        return log, x.grad

    agree(program)


def test_hooks_on_a_saved_tensor_come_once():
    def program(lib):
        y = leaf(lib).exp()
        saved = y.grad_fn._raw_saved_result
        saved.register_hooks(lambda t: t.detach(), lambda t: t)
        saved.register_hooks(lambda t: t.detach(), lambda t: t)

    raises(program)


def test_saved_tensors_of_a_node_can_be_read_until_they_are_freed():
    def program(lib, after):
        x = leaf(lib)
        y = x.exp() * x
        node = y.grad_fn
        read = node._saved_self.detach(), node._saved_other.detach()
        if after:
            y.sum().backward()
            return node._saved_self
        return read

    agree(lambda lib: program(lib, False))
    raises(lambda lib: program(lib, True))


def test_a_pack_hook_sees_which_operation_made_a_result():
    def program(lib):
        seen = []
        with hooks(lib, lambda t: seen.append(t.requires_grad) or t, lambda t: t):
            leaf(lib).exp()
        return seen

    agree(program)


def test_the_context_in_which_saved_tensors_may_change():
    def nested(lib):
        context = lib.autograd.graph.allow_mutation_on_saved_tensors
        with context(), context():
            pass

    def outside(lib):
        with lib.autograd.graph.allow_mutation_on_saved_tensors():
            y = leaf(lib).exp()
        y.sum().backward()

    def counted(lib):
        counts = []
        with lib.autograd.graph.allow_mutation_on_saved_tensors() as context:
            x = leaf(lib)
            y = x * 1
            z = y.exp() * y
            counts.append(len(context.cloned))
            y[:1].mul_(5)
            counts.append(len(context.cloned))
            y.mul_(5)
            z.sum().backward()
            context.clear()
            counts += [len(context.cloned), len(context.original)]
        return counts, x.grad

    raises(nested)
    raises(outside)
    agree(counted)
