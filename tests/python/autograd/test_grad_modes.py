"""Modes that switch recording: as contexts, as decorators, in generators, coroutines and threads."""

from __future__ import annotations

import asyncio
import inspect
import threading
import warnings

import pytest

import rgrad
from oracle import agree, raises

MODES = ["no_grad", "enable_grad"]


def state(lib):
    return lib.is_grad_enabled(), lib.is_inference_mode_enabled()


def test_contexts():
    def program(lib):
        seen = [state(lib)]
        with lib.no_grad() as entered:
            seen.append(state(lib))
            with lib.enable_grad():
                seen.append(state(lib))
                with lib.set_grad_enabled(False):
                    seen.append(state(lib))
                seen.append(state(lib))
            seen.append(state(lib))
        seen.append(state(lib))
        return seen, entered

    agree(program)


def test_a_mode_ends_with_an_exception():
    def program(lib):
        try:
            with lib.no_grad():
                raise KeyError
        except KeyError:
            return state(lib)

    agree(program)


def test_a_context_can_be_used_again():
    def program(lib):
        mode, seen = lib.no_grad(), []
        for _ in range(2):
            with mode:
                seen.append(state(lib))
            seen.append(state(lib))
        return seen

    agree(program)


def test_a_context_inside_itself_is_undone():
    mode = rgrad.no_grad()
    with mode, mode:
        pass
    assert rgrad.is_grad_enabled()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("parentheses", [False, True])
def test_decorators(mode, parentheses):
    def program(lib):
        make = getattr(lib, mode)
        decorate = make() if parentheses else make

        @decorate
        def function(a, *, b=2):
            """Its documentation."""
            return a, b, state(lib)

        class Holder:
            @decorate
            def method(self):
                return state(lib)

            @property
            @decorate
            def value(self):
                return state(lib)

        return function(1, b=3), function.__name__, function.__doc__, Holder().method(), Holder().value, state(lib)

    agree(program)


def test_a_recursive_function():
    def program(lib):
        @lib.no_grad()
        def function(depth):
            return [state(lib), *(function(depth - 1) if depth else [])]

        return function(3), state(lib)

    agree(program)


def test_set_grad_enabled_is_a_function_a_context_and_a_decorator():
    def program(lib):
        seen = []
        mode = lib.set_grad_enabled(False)
        seen.append(state(lib))
        with lib.enable_grad():
            seen.append(state(lib))
        seen.append(state(lib))
        with mode:
            seen.append(state(lib))
        seen.append(state(lib))

        @lib.set_grad_enabled(False)
        def function():
            return state(lib)

        seen += [state(lib), function(), state(lib)]
        return seen

    agree(program)


@pytest.mark.parametrize("mode", [1, None, "yes"])
def test_the_mode_is_a_bool(mode):
    raises(lambda lib: lib.set_grad_enabled(mode))
    assert rgrad.is_grad_enabled()


def a_generator(lib, log):
    @lib.no_grad()
    def generator():
        answer = "first"
        while True:
            try:
                request = yield answer, state(lib)
            except ValueError:
                answer = "caught"
            except GeneratorExit:
                log.append(("closing", state(lib)))
                raise
            else:
                if request == "end":
                    return "returned", state(lib)
                answer = request

    return generator


def test_generators():
    def program(lib):
        log = []
        make = a_generator(lib, log)
        generator = make()
        log += [next(generator), state(lib), generator.send("sent"), state(lib)]
        log += [generator.throw(ValueError()), state(lib)]
        try:
            generator.send("end")
        except StopIteration as end:
            log += [end.value, state(lib)]
        closed = make()
        next(closed)
        closed.close()
        log.append(state(lib))
        broken = make()
        next(broken)
        try:
            broken.throw(KeyError())
        except KeyError:
            log.append(state(lib))
        return log, inspect.isgeneratorfunction(make)

    agree(program)


def test_the_caller_of_a_generator_keeps_its_own_mode():
    def program(lib):
        @lib.enable_grad()
        def generator():
            for _ in range(2):
                yield state(lib)

        with lib.no_grad():
            return [(inside, state(lib)) for inside in generator()]

    agree(program)


def test_coroutines():
    def program(lib):
        @lib.no_grad()
        async def coroutine():
            before = state(lib)
            await asyncio.sleep(0)
            return before, state(lib)

        return asyncio.run(coroutine()), state(lib)

    agree(program)


@pytest.mark.parametrize("mode", MODES)
def test_a_decorated_class_is_a_function(mode):
    def program(lib):
        class Holder:
            def __init__(self, value):
                self.value, self.seen = value, state(lib)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made = getattr(lib, mode)()(Holder)(3)
        return [warning.category.__name__ for warning in caught], made.value, made.seen

    agree(program)


def test_a_mode_belongs_to_a_thread():
    def program(lib):
        seen = []
        with lib.no_grad(), lib.inference_mode():
            thread = threading.Thread(target=lambda: seen.append(state(lib)))
            thread.start()
            thread.join()
        return seen

    agree(program)


def test_what_is_recorded():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        with lib.no_grad():
            y = x * 2
            new = lib.ones(2, requires_grad=True)
            x.add_(1)
        return y, new, x

    agree(program)


def test_a_view_that_is_not_recorded_still_requires_grad():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        with lib.no_grad():
            return x[0].requires_grad

    agree(program)


def test_inference_mode():
    def program(lib):
        seen = []
        with lib.inference_mode() as entered:
            seen.append(state(lib))
            with lib.inference_mode(False):
                seen.append(state(lib))
            with lib.enable_grad():
                seen.append(state(lib))
            seen.append(state(lib))
        with lib.no_grad():
            with lib.inference_mode(False):
                seen.append(state(lib))
            seen.append(state(lib))
        return seen, entered, state(lib)

    agree(program)


def test_inference_mode_as_a_decorator():
    def program(lib):
        @lib.inference_mode
        def bare():
            return state(lib)

        @lib.inference_mode()
        def called():
            return state(lib)

        @lib.inference_mode(mode=False)
        def off():
            return state(lib)

        return bare(), called(), off(), state(lib)

    agree(program)


def an_inference_tensor(lib):
    with lib.inference_mode():
        return lib.ones(2)


@pytest.mark.parametrize(
    "program",
    [
        lambda lib, x: (x.is_inference(), x.requires_grad, (x * 2).is_inference()),
        lambda lib, x: x.clone().is_inference(),
        lambda lib, x: x._version,
        lambda lib, x: x * lib.ones(2, requires_grad=True),
        lambda lib, x: x + lib.ones(2, requires_grad=True),
        lambda lib, x: x.clone() * lib.ones(2, requires_grad=True),
        lambda lib, x: x.add_(1),
        lambda lib, x: x.requires_grad_(True),
        lambda lib, x: x[0],
    ],
)
def test_inference_tensors(program):
    agree(lambda lib: program(lib, an_inference_tensor(lib)))


def test_results_in_inference_mode_have_no_history():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        with lib.inference_mode():
            return x * 2, (x * 2).is_inference()

    agree(program)


SWITCHES = [
    ("set_multithreading_enabled", "is_multithreading_enabled"),
    ("_force_original_view_tracking", "is_view_replay_enabled"),
]


@pytest.mark.parametrize(("setter", "getter"), SWITCHES)
def test_switches_without_effect(setter, getter):
    def program(lib):
        make, read = getattr(lib.autograd, setter), getattr(lib.autograd, getter)
        seen = [read()]
        with make(not seen[0]):
            seen.append(read())
        seen.append(read())
        make(not seen[0])
        seen.append(read())
        make(seen[0])
        return seen

    agree(program)
    raises(lambda lib: getattr(lib.autograd, setter)(1))


def test_layouts_and_versions():
    def program(lib):
        with lib.autograd.enforce_grad_layout_policy(False) as entered:
            return entered

    agree(program)
    raises(lambda lib: lib.autograd._unsafe_preserve_version_counter([lib.ones(1)]))


def test_changes_are_hidden_where_the_counter_is_preserved():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        y = x * 1
        z = y * y
        with lib.autograd._unsafe_preserve_version_counter(y):
            y.data.add_(0)
            y.detach().add_(1)
        z.sum().backward()
        return y._version, x.grad

    agree(program)


def test_the_state_of_anomaly_mode():
    def program(lib):
        def read():
            return lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()

        seen = []
        with lib.autograd.detect_anomaly():
            seen.append(read())
        with lib.autograd.detect_anomaly(check_nan=False) as entered:
            seen.append(read())
        seen.append(lib.is_anomaly_enabled())
        with lib.autograd.set_detect_anomaly(True, False):
            seen.append(read())
        lib.autograd.set_detect_anomaly(True)
        seen.append(read())
        lib.autograd.set_detect_anomaly(False)
        return seen, entered, lib.is_anomaly_enabled()

    agree(program)


def test_variable():
    def program(lib):
        variable, x = lib.autograd.Variable, lib.ones(2)
        first, second = variable(x), variable(x, requires_grad=True)
        first.add_(1)
        return isinstance(x, variable), isinstance(3, variable), first is x, first, second, variable().shape

    agree(program)
    raises(lambda lib: lib.autograd.Variable(3))
    raises(lambda lib: lib.autograd.Variable(lib.ones(2, dtype=lib.int64), requires_grad=True))


def test_autograd_has_torchs_public_names():
    torch = pytest.importorskip("torch")
    assert set(torch.autograd.__all__) <= set(rgrad.autograd.__all__)
