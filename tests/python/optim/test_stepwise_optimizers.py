"""The optimizers written in tensor operations beside torch: parameters, state, recorded steps, refusals."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest

import rgrad
from oracle import agree, raises, torch


def product(**choices):
    """All combinations of options, each as a dictionary."""
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


COMMON = product(lr=[0.05], weight_decay=[0, 0.1], maximize=[False, True])
OPTIONS = {
    "Adadelta": [{}, {"rho": 0.5, "eps": 1e-3}, {"rho": 0}, *COMMON],
    "Adafactor": [{}, {"eps": (1e-6, 0.1)}, {"d": 3.0, "beta2_decay": -0.5}, *COMMON],
    "Adagrad": [{}, {"lr_decay": 0.1}, {"initial_accumulator_value": 0.3, "eps": 0.01}, {"fused": False}, *COMMON],
    "Adamax": [{}, {"betas": (0.5, 0.6), "eps": 1e-2}, *COMMON],
    "ASGD": [{}, {"t0": 2, "lambd": 0.01, "alpha": 0.5}, *COMMON],
    "NAdam": [{}, {"momentum_decay": 0.1}, {"decoupled_weight_decay": True, "weight_decay": 0.1}, *COMMON],
    "RAdam": [{}, {"betas": (0.5, 0.9)}, {"decoupled_weight_decay": True, "weight_decay": 0.1}, *COMMON],
    "RMSprop": [{"capturable": False}, {"alpha": 0.5, "eps": 1e-3}]
    + product(lr=[0.05], momentum=[0, 0.9], centered=[False, True], weight_decay=[0, 0.1], maximize=[False, True]),
    "Rprop": [{}, {"etas": (0.3, 1.5), "step_sizes": (1e-3, 0.02)}, {"maximize": True}],
}
CASES = [(name, options) for name, row in OPTIONS.items() for options in row]
WITH_FLAGS = [name for name in OPTIONS if name != "Adafactor"]


def parameters(lib, dtype="float64"):
    """Parameters of three, two, one and no dimensions."""
    random = np.random.default_rng(5)
    shapes = [(2, 3, 2), (3, 4), (5,), ()]
    return [lib.tensor(random.normal(size=shape), dtype=getattr(lib, dtype)).requires_grad_() for shape in shapes]


def loss_of(params):
    """A bounded loss, curved differently along each parameter."""
    return sum((i + 1) * (p - i).sin().sum() + (p * 0.3).cos().sum() for i, p in enumerate(params))


def trained(lib, optimizer, params, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(params).backward()
        optimizer.step()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{name}-{options}" for name, options in CASES])
def test_steps(name, options, dtype):
    def program(lib):
        params = parameters(lib, dtype)
        optimizer = getattr(lib.optim, name)(params, **options)
        seen = []
        for _ in range(8):
            trained(lib, optimizer, params, 1)
            seen.append([p.detach().clone() for p in params])
        return seen, optimizer.state_dict(), repr(optimizer), list(optimizer.defaults)

    agree(program, slack=(1e-4, 1e-5) if dtype == "float32" else (1e-6, 1e-8))


@pytest.mark.parametrize("name", [*OPTIONS, "LBFGS"])
def test_complex_parameters(name):
    def program(lib):
        values = np.random.default_rng(7).normal(size=(3, 2, 2))
        params = [
            lib.nn.Parameter(lib.tensor(values @ [1, 1j])),
            lib.nn.Parameter(lib.tensor(0.5 - 1j).to(lib.complex128)),
        ]
        # Each iteration of LBFGS enlarges differences of rounding.
        options = {"max_iter": 2, "lr": 0.1} if name == "LBFGS" else {}
        optimizer = getattr(lib.optim, name)(params, **options)

        def closure():
            optimizer.zero_grad()
            loss = sum((p - 2j).abs().square().sum() + (p * p * p).real.sum().cos() for p in params)
            loss.backward()
            return loss

        for _ in range(4):
            optimizer.step(closure)
        return [p.detach() for p in params], {} if name == "LBFGS" else optimizer.state_dict()

    agree(program, slack=(1e-6, 1e-8))


@pytest.mark.parametrize("name", WITH_FLAGS)
@pytest.mark.parametrize("flag", ["foreach", "differentiable"])
def test_ways_of_taking_a_step(name, flag):
    def program(lib):
        params = parameters(lib)
        optimizer = getattr(lib.optim, name)(params, **{flag: flag == "foreach"})
        trained(lib, optimizer, params, 3)
        return params

    agree(program, slack=(1e-6, 1e-8))


@pytest.mark.parametrize("name", WITH_FLAGS)
def test_recorded_steps(name):
    def program(lib):
        start = lib.tensor([1.0, -2.0], dtype=lib.float64, requires_grad=True)
        parameter = start.clone()
        optimizer = getattr(lib.optim, name)([parameter], lr=0.1, differentiable=True)
        parameter.grad = (start * start).detach() + 0.5 * start
        optimizer.step()
        parameter.sum().backward()
        return parameter.detach(), start.grad

    agree(program, slack=(1e-6, 1e-6))


@pytest.mark.parametrize("name", OPTIONS)
def test_states_go_from_one_library_to_the_other(name):
    def carried(lib, value):
        if isinstance(value, (rgrad.Tensor, torch.Tensor)):
            return lib.tensor(value.detach().numpy().copy())
        return {key: carried(lib, entry) for key, entry in value.items()} if isinstance(value, dict) else value

    finals = []
    for lib, other in ((rgrad, torch), (torch, rgrad)):
        params = parameters(lib)
        optimizer = getattr(lib.optim, name)(params, lr=0.02)
        trained(lib, optimizer, params, 3)
        state = copy.deepcopy(optimizer.state_dict())
        again = [carried(other, p).requires_grad_() for p in params]
        resumed = getattr(other.optim, name)(again, lr=9.0)
        resumed.load_state_dict({**state, "state": carried(other, state["state"])})
        for library, chosen, leaves in ((lib, optimizer, params), (other, resumed, again)):
            trained(library, chosen, leaves, 3)
            finals.append([p.detach().numpy() for p in leaves])
    for final in finals[1:]:
        for ours, theirs in zip(final, finals[0]):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", OPTIONS)
def test_groups_closures_and_tensor_rates(name):
    def program(lib):
        params = parameters(lib)
        rate = lib.tensor(0.1)
        optimizer = getattr(lib.optim, name)([{"params": params[:2], "lr": 0.01}, {"params": params[2:]}], lr=rate)

        def closure():
            optimizer.zero_grad()
            loss = loss_of(params)
            loss.backward()
            return loss

        losses = [optimizer.step(closure).detach() for _ in range(3)]
        return losses, params

    agree(program, slack=(1e-6, 1e-8))


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["deepcopy", "pickle"])
def test_copies(name, copied):
    params = parameters(rgrad)
    optimizer = getattr(rgrad.optim, name)(params)
    trained(rgrad, optimizer, params, 2)
    twin = copied(optimizer)
    twins = twin.param_groups[0]["params"]
    trained(rgrad, optimizer, params, 2)
    trained(rgrad, twin, twins, 2)
    assert all(rgrad.equal(*pair) for pair in zip(params, twins))


BAD = {
    **{name: [{"lr": -1.0}, {"weight_decay": -1.0}, {"eps": -1.0}] for name in OPTIONS},
    "ASGD": [{"lr": -1.0}, {"weight_decay": -1.0}],
    "Rprop": [{"lr": -1.0}, {"etas": (1.5, 2.0)}, {"etas": (0.5, 0.9)}],
    "Adafactor": [{"lr": -1.0}, {"beta2_decay": 0.5}, {"eps": (-1.0, 0.1)}, {"eps": (None, -1.0)}, {"d": 0.5}],
    "LBFGS": [{"lr": -1.0}, {"history": 3}],
    "Muon": [{"lr": -1.0}, {"momentum": -1.0}, {"weight_decay": -1.0}, {"adjust_lr_fn": "other"}],
    "SparseAdam": [{"lr": 0.0}, {"eps": 0.0}, {"betas": (1.0, 0.5)}],
}
for _name in ("Adamax", "NAdam", "RAdam"):
    BAD[_name] = [*BAD[_name], {"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}]
BAD["NAdam"] = [*BAD["NAdam"], {"momentum_decay": -1.0}]
BAD["RMSprop"] = [*BAD["RMSprop"], {"alpha": -1.0}, {"momentum": -1.0}]
BAD["Adadelta"] = [*BAD["Adadelta"], {"rho": 1.5}]
BAD["Adagrad"] = [*BAD["Adagrad"], {"lr_decay": -1.0}, {"fused": True, "differentiable": True}]


@pytest.mark.parametrize(("name", "options"), [(name, options) for name, row in BAD.items() for options in row])
def test_refused_options(name, options):
    raises(lambda lib: getattr(lib.optim, name)([lib.ones(2, 2, requires_grad=True)], **options))


def test_muon():
    """torch turns the momentum orthogonal in a type of eight bits of precision; ours is compared with SVD too."""

    def program(lib):
        params = [lib.tensor(p.detach().numpy(), requires_grad=True) for p in (parameters(lib, "float32")[1],) * 2]
        params[1] = params[1].t().detach().contiguous().requires_grad_()
        optimizer = lib.optim.Muon(params, lr=0.01, adjust_lr_fn="match_rms_adamw")
        trained(lib, optimizer, params, 3)
        return [p.detach() for p in params], optimizer.state_dict()

    agree(program, slack=(2e-2, 2e-3))
    matrix = parameters(rgrad)[1].detach()
    found = rgrad.optim.muon.orthogonalized(matrix, (1.5, -0.5, 0.0), 40, 1e-7)
    left, _, right = np.linalg.svd(matrix.numpy(), full_matrices=False)
    np.testing.assert_allclose(found.numpy(), left @ right, atol=1e-8)


def test_muon_takes_matrices_only():
    raises(lambda lib: lib.optim.Muon([lib.ones(3, requires_grad=True)]))


def test_sparse_adam_refuses_dense_gradients():
    def program(lib):
        parameter = lib.ones(3, requires_grad=True)
        parameter.sum().backward()
        lib.optim.SparseAdam([parameter]).step()

    raises(program)


def rosenbrock(lib, x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


LBFGS = [
    {},
    {"lr": 0.1},
    {"lr": 0.001, "history_size": 2, "max_iter": 7},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 10.0, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_eval": 4},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-2, "tolerance_change": 1e-3},
]


@pytest.mark.parametrize("options", LBFGS, ids=str)
@pytest.mark.parametrize("function", ["rosenbrock", "bounded"])
def test_lbfgs(options, function):
    def program(lib):
        params = parameters(lib)[1:] if function == "bounded" else [lib.tensor([-1.2, 1.0, 0.3, 2.0]).double()]
        params = [p.detach().requires_grad_() for p in params]
        optimizer = lib.optim.LBFGS(params, **options)

        def closure():
            optimizer.zero_grad()
            loss = loss_of(params) if function == "bounded" else rosenbrock(lib, params[0])
            loss.backward()
            return loss

        losses = [optimizer.step(closure).detach() for _ in range(2)]
        state = optimizer.state_dict()["state"][0]
        return (
            losses,
            params,
            state["func_evals"],
            state["n_iter"],
            sorted(state),
            len(state["old_dirs"]),
            float(state["t"]),
        )

    agree(program, slack=(1e-4, 1e-6))


def test_lbfgs_finds_the_minimum():
    x = rgrad.tensor([-1.2, 1.0], dtype=rgrad.float64, requires_grad=True)
    optimizer = rgrad.optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = rosenbrock(rgrad, x)
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(x.detach().numpy(), np.ones(2), atol=1e-3)


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: lib.optim.LBFGS([lib.ones(2, requires_grad=True)]).step(),
        lambda lib: lib.optim.LBFGS(
            [{"params": [lib.ones(2, requires_grad=True)]}, {"params": [lib.ones(2, requires_grad=True)]}]
        ),
    ],
)
def test_lbfgs_refuses(program):
    raises(program)
