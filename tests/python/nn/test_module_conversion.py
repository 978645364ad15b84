"""Converting the tensors of a module, its gradients and its modes, beside torch."""

from __future__ import annotations

import pytest

from oracle import agree, run


def network(library):
    root = library.nn.Sequential(library.nn.Linear(2, 2), library.nn.ReLU())
    root.register_buffer("count", library.tensor([1, 2]))
    root.register_buffer("mean", library.tensor([1.0, 2.0]))
    return root


def dtypes(module):
    return [str(tensor.dtype) for tensor in (*module.parameters(), *module.buffers())]


CONVERSIONS = [
    lambda library, m: m.to(library.float64),
    lambda library, m: m.to(library.float64, True),
    lambda library, m: m.to("cpu"),
    lambda library, m: m.to("cpu", library.float64),
    lambda library, m: m.to(device="cpu", dtype=library.float64, non_blocking=True),
    lambda library, m: m.to(library.device("cpu"), library.float64, False),
    lambda library, m: m.to(library.ones(1, dtype=library.float64)),
    lambda library, m: m.to(dtype=library.float64),
    lambda library, m: m.to(),
    lambda library, m: m.to(None),
    lambda library, m: m.to(device=None, dtype=None),
    lambda library, m: m.to(library.int64),
    lambda library, m: m.to("nowhere"),
    lambda library, m: m.to(unknown=1),
    lambda library, m: m.double(),
    lambda library, m: m.double().float(),
    lambda library, m: m.type(library.float64).requires_grad_(False),
    lambda library, m: m.cpu(),
    lambda library, m: m.share_memory(),
    lambda library, m: m.to_empty(device="cpu"),
    lambda library, m: m._apply(lambda tensor: tensor * 2),
]


@pytest.mark.parametrize("conversion", CONVERSIONS)
def test_dtypes(conversion):
    def program(library):
        module = network(library)
        returned = conversion(library, module)
        return dtypes(module), returned is module

    agree(program)


def test_parameters_stay_the_same_objects():
    def program(library):
        module = network(library)
        weight = module[0].weight
        library.nn.init.constant_(weight, 0.1)
        module[0](library.ones(1, 2)).sum().backward()
        module.double()
        kept = module[0].weight is weight
        return kept, type(weight).__name__, weight, weight.grad, str(weight.grad.dtype), weight.requires_grad

    agree(program)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_clearing_gradients(set_to_none):
    def program(library):
        module = network(library)
        module[0](library.ones(1, 2)).sum().backward()
        grad = module[0].weight.grad
        module.zero_grad(set_to_none=set_to_none)
        return [parameter.grad for parameter in module.parameters()], grad is module[0].weight.grad

    agree(program)


def test_a_cleared_gradient_loses_its_history():
    def program(library):
        weight = library.nn.Parameter(library.ones(2))
        module = library.nn.ParameterList([weight])
        (weight**3).sum().backward(create_graph=True)
        module.zero_grad(set_to_none=False)
        return weight.grad

    agree(program)


def test_the_mode_has_to_be_a_bool():
    agree(lambda library: run(lambda library: network(library).train("yes"), library))
