"""SGD, Adam and AdamW step by step beside torch: parameters, state, groups, closures, refusals."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest

import rgrad
from oracle import agree, raises, run, same, torch


def product(**choices):
    """All combinations of options, each as a dictionary."""
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


OPTIONS = {
    "SGD": product(lr=[0.1], momentum=[0, 0.9], weight_decay=[0, 0.1], maximize=[False, True], dampening=[0, 0.5])
    + product(lr=[0.1], momentum=[0.9], nesterov=[True], weight_decay=[0, 0.1], maximize=[False, True])
    + [{}, {"lr": 0.0}, {"lr": 0.1, "foreach": True}, {"lr": 0.1, "fused": True}],
    "Adam": product(lr=[0.1], weight_decay=[0, 0.1], amsgrad=[False, True], maximize=[False, True])
    + [
        {},
        {"betas": (0.5, 0.6)},
        {"eps": 1e-2},
        {"betas": (0.0, 0.0)},
        {"decoupled_weight_decay": True, "weight_decay": 0.1},
        {"foreach": True},
        {"fused": True},
        {"lr": 0.0},
    ],  # fmt: skip
    "AdamW": product(lr=[0.1], weight_decay=[0, 0.1], amsgrad=[False, True], maximize=[False, True])
    + [{}, {"betas": (0.5, 0.6)}, {"eps": 1e-2}, {"foreach": True}, {"fused": True}],
}
CASES = [(name, options) for name, row in OPTIONS.items() for options in row]
IDS = [f"{name}-{options}" for name, options in CASES]


def parameters(lib, dtype="float32"):
    """Three parameters: a matrix, a transposed one, and a scalar."""
    random = np.random.default_rng(3)
    dtype = getattr(lib, dtype)
    matrix = lib.tensor(random.normal(size=(3, 4)), dtype=dtype).requires_grad_()
    transposed = lib.tensor(random.normal(size=(4, 3)), dtype=dtype).t().requires_grad_()
    return [matrix, transposed, lib.tensor(0.7, dtype=dtype).requires_grad_()]


def loss_of(params):
    """A loss with a gradient in each parameter, which changes from step to step."""
    matrix, transposed, scalar = params
    return ((matrix * transposed - scalar) ** 2).sum() + (matrix - 1).pow(2).sum() * scalar


def trained(lib, optimizer, params, steps):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(params)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses


def state_of(optimizer, params):
    """What the optimizer remembers of each parameter."""
    return [dict(sorted(optimizer.state[p].items())) for p in params]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_steps(name, options, dtype):
    """Parameters and remembered tensors after each of four steps, which count as changes."""

    def program(lib):
        params = parameters(lib, dtype)
        optimizer = getattr(lib.optim, name)(params, **options)
        seen = []
        for _ in range(4):
            trained(lib, optimizer, params, 1)
            seen.append([p.detach().clone() for p in params])
            seen.append(copy.deepcopy(state_of(optimizer, params)))
        assert lib is torch or all(p._version for p in params)
        return seen, [p.is_leaf for p in params]

    agree(program, strides=False, slack=(1e-4, 1e-5) if dtype == "float32" else None)


@pytest.mark.parametrize("name", OPTIONS)
def test_recorded_steps(name):
    """With `differentiable`, gradients flow through a step into the parameter before it."""

    def program(lib):
        start = lib.tensor([1.0, -2.0], dtype=lib.float64, requires_grad=True)
        parameter = start.clone()
        optimizer = getattr(lib.optim, name)([parameter], lr=0.1, differentiable=True)
        parameter.grad = (start * start).detach() + 0 * start
        optimizer.step()
        parameter.sum().backward()
        return parameter.detach(), start.grad

    # torch corrects the means by a count of steps in single precision.
    agree(program, slack=(1e-6, 1e-6))


@pytest.mark.parametrize("name", OPTIONS)
def test_learning_rates_that_are_tensors(name):
    def program(lib):
        params = parameters(lib)
        trained(lib, getattr(lib.optim, name)(params, lr=lib.tensor(0.1)), params, 3)
        return params

    agree(program)


@pytest.mark.parametrize("name", OPTIONS)
def test_groups(name):
    """Options of their own, defaults, groups added later, names."""

    def program(lib):
        params = parameters(lib)
        optimizer = getattr(lib.optim, name)([{"params": params[0], "lr": 0.5}, {"params": [params[1]]}], lr=0.01)
        trained(lib, optimizer, params, 2)
        optimizer.add_param_group({"params": params[2:], "weight_decay": 0.3})
        trained(lib, optimizer, params, 2)
        named = getattr(lib.optim, name)(lib.nn.Linear(2, 1).named_parameters(), lr=0.1)
        options = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
        return [p.detach() for p in params], options, named.param_groups[0]["param_names"], repr(optimizer)

    agree(program)


@pytest.mark.parametrize("name", OPTIONS)
def test_states_go_on_where_they_were_saved(name):
    """Also from one library to the other, as arrays."""

    def half(lib):
        params = parameters(lib, "float64")
        optimizer = getattr(lib.optim, name)(
            params, lr=0.1, **({"momentum": 0.9} if name == "SGD" else {"amsgrad": True})
        )
        trained(lib, optimizer, params, 3)
        return params, optimizer

    def go_on(lib, values, state):
        params = [lib.tensor(value).requires_grad_() for value in values]
        optimizer = getattr(lib.optim, name)(params, lr=9.0)
        optimizer.load_state_dict(state)
        trained(lib, optimizer, params, 3)
        return params

    def carried(lib, value):
        """A state with its tensors made those of another library."""
        if isinstance(value, (rgrad.Tensor, torch.Tensor)):
            return lib.tensor(value.detach().numpy().copy())
        if isinstance(value, dict):
            return {key: carried(lib, entry) for key, entry in value.items()}
        return value

    finals = []
    for lib in (rgrad, torch):
        params, optimizer = half(lib)
        values, state = [p.detach().numpy().copy() for p in params], copy.deepcopy(optimizer.state_dict())
        trained(lib, optimizer, params, 3)
        finals.append(params)
        for other in (rgrad, torch):
            finals.append(go_on(other, values, {**state, "state": carried(other, state["state"])}))
    for found in finals[1:]:
        for ours, theirs in zip(found, finals[0]):
            np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_state_dictionaries(name):
    def program(lib):
        params = parameters(lib)
        optimizer = getattr(lib.optim, name)([{"params": params[:1]}, {"params": params[1:], "lr": 0.2}], lr=0.1)
        empty = optimizer.state_dict()
        trained(lib, optimizer, params, 2)
        return empty, optimizer.state_dict()

    agree(program, strides=False)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["deepcopy", "pickle"])
def test_copies_of_optimizers(name, copied):
    params = parameters(rgrad)
    optimizer = getattr(rgrad.optim, name)(params, lr=0.1)
    trained(rgrad, optimizer, params, 2)
    for parameter in params:
        parameter.grad = None
    twin = copied(optimizer)
    twins = twin.param_groups[0]["params"]
    assert all(ours is not theirs for ours, theirs in zip(params, twins))
    trained(rgrad, optimizer, params, 2)
    trained(rgrad, twin, twins, 2)
    assert all(rgrad.equal(*pair) for pair in zip(params, twins))


def test_zero_grad():
    def program(lib):
        params = parameters(lib)
        optimizer = lib.optim.SGD(params, lr=0.1)
        loss_of(params).backward()
        kept = [p.grad for p in params]
        optimizer.zero_grad(set_to_none=False)
        zeros = [p.grad.clone() for p in params]
        same_tensor = [p.grad is k for p, k in zip(params, kept)]
        optimizer.zero_grad()
        return zeros, same_tensor, [p.grad for p in params]

    agree(program, strides=False)


def test_gradients_with_a_history_are_cut_off():
    def program(lib):
        parameter = lib.tensor([2.0], requires_grad=True)
        (parameter**3).sum().backward(create_graph=True)
        optimizer = lib.optim.SGD([parameter], lr=0.1)
        before = parameter.grad.requires_grad
        optimizer.zero_grad(set_to_none=False)
        return before, parameter.grad.requires_grad, parameter.grad

    agree(program)


def test_closures():
    def program(lib):
        params = parameters(lib)
        optimizer = lib.optim.Adam(params, lr=0.1)

        def closure():
            optimizer.zero_grad()
            loss = loss_of(params)
            loss.backward()
            return loss

        with lib.no_grad():
            losses = [optimizer.step(closure).detach() for _ in range(3)]
        return losses, params

    agree(program)


def test_parameters_without_gradients_stay():
    def program(lib):
        params = parameters(lib)
        params[1].requires_grad_(False)
        optimizer = lib.optim.Adam(params, lr=0.1)
        optimizer.step()
        before = len(optimizer.state)
        trained(lib, optimizer, params, 1)
        return before, len(optimizer.state), params

    agree(program, graph=False)


def test_hooks():
    def program(lib):
        params = parameters(lib)
        optimizer = lib.optim.SGD(params, lr=0.1)
        calls = []
        handles = [
            optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append(("before", len(args), kwargs))),
            optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append(("after", len(args), kwargs))),
        ]
        trained(lib, optimizer, params, 1)
        for handle in handles:
            handle.remove()
        trained(lib, optimizer, params, 1)
        return calls

    agree(program)


REFUSED = {
    "no parameters": lambda lib: lib.optim.SGD([], lr=0.1),
    "a tensor": lambda lib: lib.optim.SGD(lib.ones(2), lr=0.1),
    "no tensors": lambda lib: lib.optim.SGD([1, 2], lr=0.1),
    "a computed tensor": lambda lib: lib.optim.SGD([lib.ones(2, requires_grad=True) * 2], lr=0.1),
    "twice in a group": lambda lib: twice(lib, lambda p: [p, p]),
    "twice in groups": lambda lib: twice(lib, lambda p: [{"params": [p]}, {"params": [p]}]),
    "negative lr": lambda lib: lib.optim.SGD([lib.ones(1)], lr=-1),
    "negative momentum": lambda lib: lib.optim.SGD([lib.ones(1)], momentum=-1),
    "negative decay": lambda lib: lib.optim.SGD([lib.ones(1)], weight_decay=-1),
    "nesterov": lambda lib: lib.optim.SGD([lib.ones(1)], nesterov=True),
    "nesterov and dampening": lambda lib: lib.optim.SGD([lib.ones(1)], momentum=1, dampening=1, nesterov=True),
    "unknown option": lambda lib: lib.optim.SGD([lib.ones(1)], beta=1),
    "beta": lambda lib: lib.optim.Adam([lib.ones(1)], betas=(1.0, 0.9)),
    "second beta": lambda lib: lib.optim.Adam([lib.ones(1)], betas=(0.9, -0.1)),
    "eps": lambda lib: lib.optim.Adam([lib.ones(1)], eps=-1e-8),
    "adamw decay": lambda lib: lib.optim.AdamW([lib.ones(1)], weight_decay=-0.1),
    "lr of two": lambda lib: lib.optim.Adam([lib.ones(1)], lr=lib.ones(2)),
    "lr for foreach": lambda lib: lib.optim.Adam([lib.ones(1)], lr=lib.tensor(0.1), foreach=True),
    "fused and foreach": lambda lib: lib.optim.Adam([lib.ones(1)], fused=True, foreach=True),
    "group without params": lambda lib: lib.optim.SGD([{"lr": 1}], lr=0.1),
    "a set in a group": lambda lib: lib.optim.SGD([{"params": {lib.ones(1)}}], lr=0.1),
    "groups of another number": lambda lib: lib.optim.SGD([lib.ones(1)]).load_state_dict(
        {"state": {}, "param_groups": []}
    ),
    "parameters of another number": lambda lib: lib.optim.SGD([lib.ones(1)]).load_state_dict(
        lib.optim.SGD([lib.ones(1), lib.ones(2)]).state_dict()
    ),
    "no such entry": lambda lib: lib.optim.SGD([lib.ones(1)]).load_state_dict({}),
    "the base class": lambda lib: lib.optim.Optimizer([lib.ones(1)], {}).step(),
}


def twice(lib, arranged):
    return lib.optim.SGD(arranged(lib.ones(1, requires_grad=True)), lr=0.1)


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    theirs = run(REFUSED[case], torch)
    if hasattr(theirs, "kind"):
        raises(REFUSED[case])
    else:
        # torch only warns of a parameter that is there twice.
        same(type(run(REFUSED[case], rgrad)).__name__, type(theirs).__name__)


def test_a_failing_closure_changes_nothing():
    params = parameters(rgrad)
    optimizer = rgrad.optim.Adam(params, lr=0.1)
    before = [p.detach().clone() for p in params]

    def closure():
        loss_of(params).backward()
        raise KeyError("from the closure")

    with pytest.raises(KeyError):
        optimizer.step(closure)
    assert all(rgrad.equal(p, b) for p, b in zip(params, before))
    assert not optimizer.state
