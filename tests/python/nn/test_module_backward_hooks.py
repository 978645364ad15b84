"""The hooks in the backward pass of a module, beside torch."""

from __future__ import annotations

import pytest

from oracle import agree, run


def pairing(library):
    """A module of two inputs and two outputs."""

    class Pairing(library.nn.Module):
        def forward(self, x, y, note=None):
            return x * 2, x * y

    return Pairing()


def leaf(library, *values):
    return library.tensor(values, requires_grad=True)


def test_gradients_of_inputs_and_outputs():
    def program(library):
        seen = []
        module = pairing(library)
        module.register_full_backward_hook(lambda m, grad_input, grad_output: seen.append((grad_input, grad_output)))
        x, y = leaf(library, 1.0, 2.0), leaf(library, 3.0, 4.0)
        first, second = module(x, y)
        (first.sum() + 3 * second.sum()).backward()
        return seen, x.grad, y.grad

    agree(program)


def test_entries_without_gradients():
    def program(library):
        seen = []
        module = pairing(library)
        module.register_full_backward_hook(lambda m, grad_input, grad_output: seen.append((grad_input, grad_output)))
        x, y = leaf(library, 1.0), library.ones(1)
        first, _ = module(x, y, None)
        first.sum().backward()
        return seen, x.grad

    agree(program)


def test_hooks_replace_gradients():
    def program(library):
        module = pairing(library)
        module.register_full_backward_pre_hook(lambda m, grad_output: tuple(g * 10 for g in grad_output))
        module.register_full_backward_hook(lambda m, grad_input, grad_output: tuple(g + 1 for g in grad_input))
        x, y = leaf(library, 1.0), leaf(library, 2.0)
        first, second = module(x, y)
        (first + second).sum().backward()
        return x.grad, y.grad

    agree(program)


def test_the_order_of_backward_hooks():
    def program(library):
        calls = []
        hooks = library.nn.modules.module
        module = library.nn.ReLU()
        for name in "ab":
            module.register_full_backward_pre_hook(lambda m, grad_output, name=name: calls.append(("pre", name)))
            module.register_full_backward_hook(lambda m, i, o, name=name: calls.append(name))
        module.register_full_backward_pre_hook(lambda m, grad_output: calls.append("first of all"), prepend=True)
        module.register_full_backward_hook(lambda m, i, o: calls.append("first"), prepend=True)
        handles = [
            hooks.register_module_full_backward_pre_hook(lambda m, grad_output: calls.append("global pre")),
            hooks.register_module_full_backward_hook(lambda m, i, o: calls.append("global")),
        ]
        try:
            module(leaf(library, 1.0)).sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        return calls

    agree(program)


@pytest.mark.parametrize("returned", [None, (None,), 3, (3,)])
def test_inputs_that_record_no_gradients(returned):
    def program(library):
        seen = []

        def hook(module, grad_input, grad_output):
            seen.append((grad_input, grad_output))
            return returned

        module = library.nn.Linear(1, 1)
        library.nn.init.ones_(module.weight)
        module.register_full_backward_hook(hook)
        output = module(library.ones(1, 1))
        return run(lambda library: output.sum().backward(), library), seen

    agree(program)


def test_the_number_of_gradients_has_to_be_kept():
    def program(library):
        module = library.nn.ReLU()
        module.register_full_backward_hook(lambda m, grad_input, grad_output: (grad_input[0], grad_input[0]))
        module(leaf(library, 1.0)).sum().backward()

    agree(program)


def test_nothing_happens_without_recording():
    def program(library):
        calls = []
        module = library.nn.ReLU()
        module.register_full_backward_hook(lambda *arguments: calls.append(1))
        with library.no_grad():
            output = module(leaf(library, 1.0))
        return output, calls, module(library.ones(1))

    agree(program)


def test_the_kinds_of_backward_hooks_exclude_each_other():
    def program(library):
        full, partial = library.nn.ReLU(), library.nn.ReLU()
        full.register_full_backward_hook(lambda *arguments: None)
        partial.register_backward_hook(lambda *arguments: None)
        return (
            run(lambda library: full.register_backward_hook(print), library),
            run(lambda library: partial.register_full_backward_hook(print), library),
        )

    agree(program)


def test_partial_hooks_see_the_last_operation():
    def program(library):
        seen = []
        module = library.nn.Linear(1, 1)
        library.nn.init.ones_(module.weight)
        library.nn.init.ones_(module.bias)
        module.register_backward_hook(lambda m, grad_input, grad_output: seen.append(grad_output))
        module(leaf(library, 1.0)).sum().backward()
        return seen

    agree(program)


def test_outputs_other_than_tensors_are_warned_of():
    def program(library):
        class Listing(library.nn.Module):
            def forward(self, x):
                return [x * 2]

        module = Listing()
        module.register_full_backward_hook(lambda *arguments: None)
        with pytest.warns(UserWarning):
            (output,) = module(leaf(library, 1.0))
        output.sum().backward()

    agree(program)


def test_gradients_of_gradients_pass_the_hooks():
    def program(library):
        calls = []
        module = library.nn.Tanh()
        module.register_full_backward_hook(lambda m, i, o: calls.append(len(i)))
        x = leaf(library, 0.5)
        (first,) = library.autograd.grad(module(x).sum(), x, create_graph=True)
        (second,) = library.autograd.grad(first.sum(), x)
        return first.detach(), second, len(calls)

    agree(program)
