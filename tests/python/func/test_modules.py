"""Modules as functions: gradients of each sample, ensembles, and calls with other parameters."""

from __future__ import annotations

import copy

import pytest

import rgrad
from oracle import agree, raises


def network(t, scale=1.0):
    layers = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 2))
    with t.no_grad():
        for parameter in layers.parameters():
            values = t.linspace(-1.0, 1.2, parameter.numel()).reshape(parameter.shape)
            parameter.copy_(values * scale)
    return layers


def data(t):
    return t.linspace(-2.0, 2.0, 15).reshape(5, 3), t.tensor([0, 1, 1, 0, 1])


def parameters_of(module):
    return {name: parameter.detach() for name, parameter in module.named_parameters()}


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_gradients_of_each_sample(chunk_size):
    def program(t):
        module = network(t)
        x, y = data(t)

        def loss(parameters, x, y):
            output = t.func.functional_call(module, parameters, (x.unsqueeze(0),))
            return t.nn.functional.cross_entropy(output, y.unsqueeze(0))

        each = t.vmap(t.func.grad(loss), in_dims=(None, 0, 0), chunk_size=chunk_size)
        values = t.vmap(t.func.grad_and_value(loss), in_dims=(None, 0, 0), chunk_size=chunk_size)
        return each(parameters_of(module), x, y), values(parameters_of(module), x, y)[1]

    ours = agree(program, strides=False)[0]
    # The same by one backward pass for each sample.
    for i in range(5):
        module = network(rgrad)
        x, y = data(rgrad)
        rgrad.nn.functional.cross_entropy(module(x[i : i + 1]), y[i : i + 1]).backward()
        for name, parameter in module.named_parameters():
            assert rgrad.allclose(ours[name][i], parameter.grad, atol=1e-6)


@pytest.mark.parametrize("in_dims", [(0, 0, None), (0, 0, 0)])
def test_ensembles(in_dims):
    def program(t):
        models = [network(t, scale) for scale in (1.0, 0.5, 2.0)]
        parameters, buffers = t.func.stack_module_state(models)
        base = copy.deepcopy(models[0])
        x = data(t)[0][:3]

        def call(parameters, buffers, x):
            return t.func.functional_call(base, (parameters, buffers), (x,))

        output = t.vmap(call, in_dims=in_dims)(parameters, buffers, x)
        output.sum().backward()
        return output, {name: parameter.grad for name, parameter in parameters.items()}, list(buffers)

    agree(program, strides=False, graph=False)


def test_stacked_parameters_are_leaves():
    def program(t):
        parameters, _ = t.func.stack_module_state([network(t), network(t, 2.0)])
        return {name: (p.shape, p.requires_grad, p.is_leaf) for name, p in parameters.items()}

    agree(program)


def test_calls_with_other_parameters():
    def program(t):
        module, other = network(t), parameters_of(network(t, 0.5))
        x, _ = data(t)
        call = t.func.functional_call
        first = {name: other[name] for name in list(other)[:2]}
        rest = {name: other[name] for name in list(other)[2:]}
        return (
            call(module, other, (x,)),
            call(module, other, x),
            call(module, first, None, {"input": x}),
            call(module, (first, rest), (x,), strict=True),
            call(module, {"unknown": x}, (x,)),
            module(x),
        )

    agree(program)


def test_tied_weights():
    def program(t):
        class Tied(t.nn.Module):
            def __init__(self):
                super().__init__()
                self.first = t.nn.Parameter(t.ones(2))
                self.second = self.first
                self.register_buffer("third", t.arange(2.0))

            def forward(self, x):
                return self.first * x + self.second + self.third

        module, x = Tied(), t.arange(2.0)
        call = t.func.functional_call
        return (
            call(module, {"first": x}, (x,)),
            call(module, {"first": x}, (x,), tie_weights=False),
            call(module, {"third": x * 3}, (x,)),
            call(module, {"first": x, "third": x}, (x,), strict=True),
        )

    agree(program)
    raises(lambda t: t.func.functional_call(network(t), {"0.weight": t.ones(4, 3)}, (data(t)[0],), strict=True))


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.func.functional_call(network(t), [{"0.bias": t.ones(4)}, {"0.bias": t.ones(4)}], (data(t)[0],)),
        lambda t: t.func.functional_call(network(t), 3, (data(t)[0],)),
        lambda t: t.func.stack_module_state([]),
        lambda t: t.func.stack_module_state([network(t), t.nn.Linear(2, 2)]),
        lambda t: t.func.stack_module_state([network(t), network(t).eval()]),
    ],
)
def test_calls_that_do_not_fit(program):
    raises(program)


def test_parameters_come_back_after_an_error():
    module = network(rgrad)
    before = list(module.parameters())
    with pytest.raises(RuntimeError):
        rgrad.func.functional_call(module, {"0.weight": rgrad.ones(2, 2)}, (data(rgrad)[0],))
    assert all(a is b for a, b in zip(before, module.parameters()))


def test_batch_norms_without_running_statistics_take_batches():
    def program(t):
        t.manual_seed(0)
        net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.BatchNorm1d(4), t.nn.ReLU())
        assert t.func.replace_all_batch_norm_modules_(net) is net
        assert sorted(net.state_dict()) == ["0.bias", "0.weight", "1.bias", "1.weight"]
        return net.eval()(t.arange(6.0).reshape(2, 3)), net[1].track_running_stats

    agree(program)
