"""The hooks around `forward`, of one module and of all, beside torch."""

from __future__ import annotations

import pickle

import pytest

import rgrad
from oracle import agree, run


def doubling(library):
    """A module that doubles its argument, or raises on request."""

    class Doubling(library.nn.Module):
        def forward(self, x, factor=2, fail=False):
            if fail:
                raise ValueError("failed on request")
            return x * factor

    return Doubling()


def test_the_order_of_hooks():
    def program(library):
        calls = []
        module = doubling(library)
        for name in "ab":
            module.register_forward_pre_hook(lambda m, args, name=name: calls.append(("pre", name, args)))
            module.register_forward_hook(lambda m, args, output, name=name: calls.append((name, args, output)))
        module.register_forward_pre_hook(lambda m, args: calls.append("first"), prepend=True)
        module.register_forward_hook(lambda m, args, output: calls.append("after forward"), prepend=True)
        return module(3), calls

    agree(program)


@pytest.mark.parametrize("returned", [None, 5, (5,), (5, 7), (), [5]])
def test_what_a_pre_hook_returns_replaces_the_arguments(returned):
    def program(library):
        module = doubling(library)
        module.register_forward_pre_hook(lambda m, args: returned)
        return module(3)

    agree(program)


@pytest.mark.parametrize("returned", [None, ((5,), {}), ((5,), {"factor": 4}), (5,), 5, [(5,), {}], ((5,), {}, 3)])
def test_a_pre_hook_with_keywords(returned):
    def program(library):
        seen = []
        module = doubling(library)
        module.register_forward_pre_hook(lambda m, args, kwargs: seen.append((args, kwargs)), with_kwargs=True)
        module.register_forward_pre_hook(lambda m, args, kwargs: returned, with_kwargs=True)
        return run(lambda library: module(3, factor=10), library), seen

    agree(program)


def test_hooks_replace_the_output():
    def program(library):
        module = doubling(library)
        module.register_forward_hook(lambda m, args, output: output + 1)
        module.register_forward_hook(lambda m, args, kwargs, output: (output, kwargs), with_kwargs=True)
        return module(3, factor=5)

    agree(program)


def test_hooks_that_are_always_called():
    def program(library):
        calls = []
        module = doubling(library)
        module.register_forward_hook(lambda m, args, output: calls.append(("not called", output)))
        module.register_forward_hook(lambda m, args, output: calls.append(("called", output)), always_call=True)
        module.register_forward_hook(
            lambda m, args, kwargs, output: calls.append((kwargs, output)), with_kwargs=True, always_call=True
        )
        failed = run(lambda library: module(3, fail=True), library)
        return failed, calls, module(3)

    agree(program)


def test_a_failing_hook_lets_the_other_hooks_run():
    def program(library):
        calls = []

        def failing(module, args, output):
            calls.append("failing")
            raise KeyError("in the hook")

        module = doubling(library)
        module.register_forward_hook(failing, always_call=True)
        module.register_forward_hook(lambda m, args, output: calls.append(output), always_call=True)
        return run(lambda library: module(3), library), run(lambda library: module(3, fail=True), library), calls

    agree(program)


def test_handles_remove_their_hooks():
    def program(library):
        module = doubling(library)
        first = module.register_forward_hook(lambda m, args, output: output + 1, with_kwargs=False, always_call=True)
        with module.register_forward_hook(lambda m, args, kwargs, output: output + 10, with_kwargs=True):
            both = module(3)
        one = module(3)
        first.remove()
        first.remove()
        return both, one, module(3), len(module._forward_hooks), len(module._forward_hooks_always_called)

    agree(program)


def test_tables_may_be_written_into():
    def program(library):
        module = doubling(library)
        plain = module(3)
        module._forward_hooks[1000] = lambda m, args, output: output + 1
        module._forward_pre_hooks[1001] = lambda m, args: (args[0] + 1,)
        hooked = module(3)
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
        return plain, hooked, module(3)

    agree(program)


def test_hooks_of_all_modules():
    def program(library):
        hooks = library.nn.modules.module
        calls = []
        module = library.nn.Sequential(doubling(library), doubling(library))
        module[0].register_forward_pre_hook(lambda m, args: calls.append("own before"))
        module[0].register_forward_hook(lambda m, args, output: calls.append("own after"))
        handles = [
            hooks.register_module_forward_pre_hook(lambda m, args: calls.append(("before", type(m).__name__, args))),
            hooks.register_module_forward_hook(lambda m, args, output: calls.append(("after", output))),
            hooks.register_module_forward_hook(
                lambda m, args, kwargs, output: calls.append((kwargs, output)), with_kwargs=True
            ),
            hooks.register_module_forward_hook(
                lambda m, args, output: calls.append(("always", output)), always_call=True
            ),
        ]
        try:
            results = [module(3), run(lambda library: module[1](3, fail=True), library)]
        finally:
            for handle in handles:
                handle.remove()
        return results, calls, module(3), len(calls)

    agree(program)


def test_hooks_of_registration():
    def program(library):
        hooks = library.nn.modules.module
        nn = library.nn
        calls = []

        def replaced(module, name, value):
            calls.append((name, type(value).__name__))
            return nn.Tanh() if isinstance(value, nn.ReLU) else None

        handles = [
            hooks.register_module_parameter_registration_hook(replaced),
            hooks.register_module_buffer_registration_hook(replaced),
            hooks.register_module_module_registration_hook(replaced),
        ]
        try:
            module = nn.Module()
            module.weight = nn.Parameter(library.ones(1))
            module.weight = None
            module.inner = nn.ReLU()
            module.inner = None
            module.add_module("other", nn.ReLU())
            module.register_buffer("mean", None)
            module.mean = library.ones(1)
        finally:
            for handle in handles:
                handle.remove()
        module.later = nn.ReLU()
        return calls, repr(module)

    agree(program)


def test_calls_without_hooks_stay_quick_after_hooks_of_all_modules():
    module = doubling(rgrad)
    handle = rgrad.nn.modules.module.register_module_forward_pre_hook(lambda m, args: None)
    assert module._hooked
    handle.remove()
    module(3)
    assert not module._hooked


def test_a_module_without_forward_cannot_be_called():
    agree(lambda library: library.nn.Module()(3))


def double_output(module, args, output):
    return output * 2


def test_hooks_survive_pickling():
    module = rgrad.nn.Identity()
    handle = module.register_forward_hook(double_output)
    restored, handle = pickle.loads(pickle.dumps((module, handle)))
    assert restored(3) == 6
    handle.remove()
    assert restored(3) == 3
