"""Checkpoints: the same results and gradients, with the function run again in backward."""

from __future__ import annotations

import functools
import gc
import weakref

import pytest

import rgrad
from oracle import agree, raises
from rgrad.utils.checkpoint import CheckpointError, CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts


def leaf(lib):
    return lib.tensor([0.5, -1.0, 2.0], requires_grad=True)


def wave(x):
    return (x.sin().exp() * x).cos()


def plain(lib, call):
    x = leaf(lib)
    y = call(wave, x)
    y.sum().backward()
    return y, x.grad


def retained(lib, call):
    x = leaf(lib)
    y = call(wave, x)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return x.grad


def released(lib, call):
    y = call(wave, leaf(lib))
    y.sum().backward()
    y.sum().backward()


def random_numbers(lib, call, **options):
    x = leaf(lib)
    lib.manual_seed(0)
    y = call(lambda x: x * lib.rand(3), x, **options)
    between = lib.rand(1)
    y.sum().backward()
    return y.detach(), x.grad, between, lib.rand(1)


def several_results(lib, call):
    x, z = leaf(lib), leaf(lib)
    y, number, constant = call(lambda a, b, c: (a * b * c, 3, a.detach()), x, z, 2.0)
    y.sum().backward()
    return x.grad, z.grad, number, constant


def nothing_requires_grad(lib, call):
    return call(wave, lib.ones(2))


def recording_is_off(lib, call):
    with lib.no_grad():
        return call(wave, leaf(lib))


def captured_weight(lib, call):
    w, x = leaf(lib), leaf(lib)
    call(lambda x: x * w, x).sum().backward()
    return w.grad, x.grad


def nested(lib, call):
    x = leaf(lib)
    call(lambda x: call(wave, call(wave, x) * 2), x).sum().backward()
    return x.grad


def failing(lib, call):
    return call(lambda x: 1 / 0, leaf(lib))


def failing_again(lib, call):
    calls = []

    def function(x):
        calls.append(1)
        if len(calls) == 2:
            raise KeyError("the second call")
        return x.exp()

    call(function, leaf(lib)).sum().backward()


def changed_argument(lib, call):
    x = leaf(lib) * 1
    y = call(lambda x: x.sin(), x)
    x.add_(1)
    y.sum().backward()


def keyword(lib, call):
    return call(lambda x, factor=1: x * factor, leaf(lib), factor=3)


def contexts(lib, call):
    return call(wave, leaf(lib), context_fn=lambda: lib.utils.checkpoint.noop_context_fn())


def debugging(lib, call):
    return call(wave, leaf(lib), debug=True).detach()


def hooks(lib, call):
    x, log = leaf(lib), []
    y = call(wave, x)
    y.register_hook(lambda g: log.append("y"))
    x.register_hook(lambda g: log.append("x"))
    y.sum().backward()
    return log


def nested_arguments(lib, call):
    x = leaf(lib)
    call(lambda items: items[0] * items[1]["a"], [x, {"a": x}]).sum().backward()
    return x.grad


def module(lib, call):
    layer = lib.nn.Linear(3, 3)
    for parameter in layer.parameters():
        parameter.data.fill_(0.2)
    x = leaf(lib)
    call(layer, x).sin().sum().backward()
    return layer.weight.grad, layer.bias.grad, x.grad


SCENARIOS = [
    plain,
    retained,
    released,
    random_numbers,
    functools.partial(random_numbers, preserve_rng_state=False),
    several_results,
    nothing_requires_grad,
    recording_is_off,
    captured_weight,
    nested,
    failing,
    failing_again,
    changed_argument,
    keyword,
    contexts,
    debugging,
    hooks,
    nested_arguments,
    module,
]


@pytest.mark.parametrize("use_reentrant", [False, True])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: getattr(s, "__name__", "other_random_numbers"))
def test_scenarios(scenario, use_reentrant):
    def program(lib):
        return scenario(lib, functools.partial(lib.utils.checkpoint.checkpoint, use_reentrant=use_reentrant))

    agree(program, strides=False, slack=(1e-5, 1e-6))


@pytest.mark.parametrize("use_reentrant", [False, True])
@pytest.mark.parametrize("segments", [1, 2, 3, 5, 9])
def test_sequential(segments, use_reentrant):
    def program(lib):
        layers = lib.nn.Sequential(lib.nn.Linear(3, 3), lib.nn.ReLU(), lib.nn.Linear(3, 3), lib.nn.Tanh())
        for parameter in layers.parameters():
            parameter.data.fill_(0.1)
        x = lib.ones(2, 3, requires_grad=True)
        y = lib.utils.checkpoint.checkpoint_sequential(layers, segments, x, use_reentrant=use_reentrant)
        y.sum().backward()
        return y, x.grad, [parameter.grad for parameter in layers.parameters()]

    agree(program, strides=False)


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_sequential_options(use_reentrant):
    def call(lib):
        return functools.partial(lib.utils.checkpoint.checkpoint_sequential, use_reentrant=use_reentrant)

    agree(lambda lib: call(lib)([wave, wave, wave], 2, leaf(lib), preserve_rng_state=False))
    raises(lambda lib: call(lib)([wave, wave], 2, leaf(lib), other=1))


@pytest.mark.parametrize(
    "program", [lambda lib, x: lib.autograd.grad(x[1].sum(), x[0]), lambda lib, x: x[1].sum().backward(inputs=[x[0]])]
)
def test_the_reentrant_way_is_for_whole_backward_passes(program):
    def run(lib):
        x = leaf(lib)
        return program(lib, (x, lib.utils.checkpoint.checkpoint(wave, x, use_reentrant=True)))

    raises(run)


def test_the_reentrant_way_needs_a_result_that_requires_grad():
    raises(
        lambda lib: (
            lib.utils.checkpoint.checkpoint(lambda x: x.detach() * 2, leaf(lib), use_reentrant=True).sum().backward()
        )
    )


def test_an_unspoken_choice_warns():
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(wave, leaf(rgrad))
    with pytest.warns(UserWarning, match="no argument of the checkpoint requires grad"):
        checkpoint(wave, rgrad.ones(1), use_reentrant=True)


def counted(calls):
    def function(x):
        calls.append("exp")
        y = x.exp()
        calls.append("add")
        return y + 1

    return function


@pytest.mark.parametrize("everywhere", [None, False, True])
@pytest.mark.parametrize("early_stop", [False, True])
def test_the_second_run_stops_early(early_stop, everywhere):
    def program(lib):
        calls, x, tools = [], leaf(lib), lib.utils.checkpoint
        if everywhere is None:
            y = tools.checkpoint(counted(calls), x, use_reentrant=False, early_stop=early_stop)
        else:
            with tools.set_checkpoint_early_stop(everywhere):
                y = tools.checkpoint(counted(calls), x, use_reentrant=False, early_stop=early_stop)
        y.sum().backward()
        return calls

    agree(program)


@pytest.mark.parametrize("early_stop", [False, True])
def test_nested_checkpoints_run_the_function_as_often(early_stop):
    def program(lib):
        calls, x = [], leaf(lib)
        call = functools.partial(lib.utils.checkpoint.checkpoint, use_reentrant=False, early_stop=early_stop)
        function = functools.partial(call, functools.partial(call, counted(calls)))
        y = call(function, x)
        y.sum().backward(retain_graph=True)
        once = len(calls)
        y.sum().backward()
        return once, len(calls), x.grad

    agree(program)


def test_grad_and_double_backward():
    def program(lib):
        x = leaf(lib)
        y = lib.utils.checkpoint.checkpoint(wave, x, use_reentrant=False)
        (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        (second,) = lib.autograd.grad(first.sum(), x)
        return first.detach(), second

    agree(program, slack=(1e-5, 1e-6))


@pytest.mark.parametrize("early_stop", [False, True])
@pytest.mark.parametrize("retain", [False, True])
def test_a_backward_pass_inside(retain, early_stop):
    def program(lib):
        def function(x):
            z = x.sin().cos()
            (gradient,) = lib.autograd.grad(z.sum(), x, retain_graph=retain)
            return z * gradient if retain else x.cos() * gradient

        x = leaf(lib)
        y = lib.utils.checkpoint.checkpoint(function, x, use_reentrant=False, early_stop=early_stop)
        y.sum().backward()
        return x.grad

    agree(program, slack=(1e-5, 1e-6))


def changing(kind):
    """A function that saves other tensors the second time."""
    calls = []

    def function(x):
        calls.append(1)
        second = len(calls) > 1
        if kind == "more":
            return (x.sin().cos() if second else x.sin()).sin()
        if kind == "fewer":
            return x.sin() if second else x.sin().cos()
        if kind == "size":
            return (x[:2] if second else x).sin().sum()
        return (x.double() if second else x).sin().sum()

    return function


@pytest.mark.parametrize("options", [{}, {"early_stop": False}, {"determinism_check": "none"}], ids=str)
@pytest.mark.parametrize("kind", ["more", "fewer", "size", "dtype"])
def test_a_function_that_changes(kind, options):
    def program(lib):
        x = leaf(lib)
        lib.utils.checkpoint.checkpoint(changing(kind), x, use_reentrant=False, **options).sum().backward()
        return x.grad

    agree(program, slack=(1e-5, 1e-6))


def test_the_errors_of_a_function_that_changes():
    with pytest.raises(CheckpointError, match=r"tensor 0 was .*size \(3,\) and now is .*size \(2,\)"):
        checkpoint(changing("size"), leaf(rgrad), use_reentrant=False).backward()
    with pytest.raises(CheckpointError, match=r"(?s)first run:\n  0: .*test_checkpoint.py:\d+ in function.*second run"):
        checkpoint(changing("fewer"), leaf(rgrad), use_reentrant=False, debug=True).sum().backward()


class Noting:
    """A context that notes when it is entered and left."""

    def __init__(self, log, name, suppress=False):
        self.log, self.name, self.suppress = log, name, suppress

    def __enter__(self):
        self.log.append(f"enter {self.name}")

    def __exit__(self, *failure):
        self.log.append(f"leave {self.name}")
        return self.suppress


def test_the_contexts_of_both_runs():
    def program(lib):
        log = []
        y = lib.utils.checkpoint.checkpoint(
            lambda x: (log.append("run"), x.exp())[1],
            leaf(lib),
            use_reentrant=False,
            early_stop=False,
            context_fn=lambda: (Noting(log, "first"), Noting(log, "second")),
        )
        y.sum().backward()
        return log

    agree(program)


@pytest.mark.parametrize(
    "options",
    [
        {"context_fn": lambda: (Noting([], "first", suppress=True), Noting([], "second"))},
        {"context_fn": lambda: (Noting([], "first"), Noting([], "second")), "debug": True},
        {"determinism_check": "other"},
    ],
)
def test_options_that_do_not_fit(options):
    raises(lambda lib: lib.utils.checkpoint.checkpoint(lambda x: 1 / 0, leaf(lib), use_reentrant=False, **options))


def test_debugging_everywhere():
    def program(lib):
        tools = lib.utils.checkpoint
        with tools.set_checkpoint_debug_enabled(True):
            return tools.checkpoint(
                wave, leaf(lib), use_reentrant=False, context_fn=lambda: (Noting([], ""), Noting([], ""))
            )

    raises(program)


def test_saved_tensors_outside_a_pass_and_twice_in_one():
    def outside(lib):
        y = lib.utils.checkpoint.checkpoint(lambda x: x.exp(), leaf(lib), use_reentrant=False)
        return y.grad_fn._saved_result.detach(), y.grad_fn._saved_result.detach()

    def twice(lib):
        class Square(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, g):
                return g * (ctx.saved_tensors[0] + ctx.saved_tensors[0])

        lib.utils.checkpoint.checkpoint(Square.apply, leaf(lib), use_reentrant=False).sum().backward()

    agree(outside)
    raises(twice)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_group_of_passes_runs_the_function_once(grouped):
    def program(lib):
        x, y, calls = leaf(lib), leaf(lib), []
        tools = lib.utils.checkpoint
        a, b = tools.checkpoint(lambda x, y: (calls.append(1), x.sin(), y.exp())[1:], x, y, use_reentrant=False)
        if grouped:
            with tools.GraphExecGroup():
                a.sum().backward(retain_graph=True)
                b.sum().backward()
        else:
            a.sum().backward(retain_graph=True)
            b.sum().backward()
        return len(calls), x.grad, y.grad

    agree(program)


def test_groups_do_not_nest():
    def program(lib):
        with lib.utils.checkpoint.GraphExecGroup(), lib.utils.checkpoint.GraphExecGroup():
            pass

    raises(program)


def test_other_hooks_see_the_arguments():
    def program(lib):
        packed, x = [], leaf(lib)
        with lib.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t.shape) or t, lambda t: t):
            y = lib.utils.checkpoint.checkpoint(wave, x, use_reentrant=False)
        y.sum().backward()
        return packed, x.grad

    agree(program, slack=(1e-5, 1e-6))


def test_intermediate_results_are_freed():
    seen = []

    def function(x):
        hidden = x.sin()
        seen.append(weakref.ref(hidden))
        return hidden.exp() * hidden

    y = checkpoint(function, leaf(rgrad), use_reentrant=False)
    assert seen[0]() is None
    y.sum().backward(retain_graph=True)
    assert seen[1]() is None


def test_a_checkpoint_outlives_nothing():
    class Token:
        pass

    token = Token()
    alive = weakref.ref(token)
    y = checkpoint(lambda x, _: wave(x), leaf(rgrad), token, use_reentrant=False)
    y.sum().backward(retain_graph=True)
    del y, token
    gc.collect()
    assert alive() is None


def multiply(x, w):
    return ((x @ w).sin() @ w).cos()


@pytest.mark.parametrize(
    "policy",
    [
        [rgrad.mm],
        [rgrad.mm, rgrad.sin],
        lambda context, operation, *args, **kwargs: CheckpointPolicy.MUST_SAVE,
        lambda context, operation, *args, **kwargs: CheckpointPolicy.PREFER_RECOMPUTE,
        lambda context, operation, *args, **kwargs: operation is rgrad.sin,
    ],
)
def test_selective_checkpoints_have_the_same_gradients(policy):
    def gradients(call):
        x = rgrad.arange(9.0).reshape(3, 3).requires_grad_()
        w = (x.detach() / 9).requires_grad_()
        call(multiply, x, w).sum().backward()
        return x.grad.tolist(), w.grad.tolist()

    contexts = functools.partial(create_selective_checkpoint_contexts, policy)
    selective = functools.partial(checkpoint, use_reentrant=False, context_fn=contexts)
    assert gradients(selective) == gradients(lambda function, *args: function(*args))


def test_what_is_kept_is_not_computed_again():
    calls = []

    def function(x):
        calls.append("mm")
        y = x @ x
        calls.append("sin")
        return y.sin()

    def run(keep):
        calls.clear()
        x = rgrad.ones(2, 2, requires_grad=True)
        contexts = functools.partial(create_selective_checkpoint_contexts, keep)
        y = checkpoint(function, x, use_reentrant=False, context_fn=contexts)
        y.sum().backward()
        return list(calls)

    assert run([]) == ["mm", "sin", "mm", "sin"]
    # What mm saves is still needed; the result of mm is not, so the second run ends before sin.
    assert run([rgrad.mm]) == ["mm", "sin", "mm"]


def test_a_kept_tensor_must_not_change():
    def function(x):
        y = x @ x
        z = y.sin()
        y.add_(1)
        return z

    def run(**options):
        x = rgrad.ones(2, 2, requires_grad=True)
        contexts = functools.partial(create_selective_checkpoint_contexts, [rgrad.mm], **options)
        checkpoint(function, x, use_reentrant=False, context_fn=contexts).sum().backward()

    with pytest.raises(RuntimeError, match="changed in place"):
        run()
    run(allow_cache_entry_mutation=True)


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_the_second_run_has_the_precision_of_the_first(reentrant, inside):
    def program(lib):
        lib.manual_seed(3)
        net = lib.nn.Sequential(lib.nn.Linear(4, 6), lib.nn.GELU(), lib.nn.Linear(6, 2))
        x = lib.randn(3, 4, requires_grad=True)
        with lib.autocast("cpu", dtype=lib.bfloat16, enabled=inside):
            y = lib.utils.checkpoint.checkpoint(net, x, use_reentrant=reentrant)
        with lib.autocast("cpu", dtype=lib.bfloat16, enabled=not inside):
            y.float().square().sum().backward()
        return str(y.dtype), x.grad, [parameter.grad for parameter in net.parameters()]

    agree(program, slack=(2e-2, 2e-2))


@pytest.mark.parametrize(("policy", "kind"), [(["mm"], ValueError), ([len], ValueError), (3, TypeError)])
def test_a_policy_is_a_function_or_a_list_of_operations(policy, kind):
    with pytest.raises(kind):
        create_selective_checkpoint_contexts(policy)
