"""Parameters computed from others: parametrizations, the older normalisations, layers fused into one, beside torch."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import rgrad
from oracle import agree, raises, run

RANDOM = np.random.default_rng(10)
INPUT = RANDOM.normal(size=(5, 4)).astype("float32")


def parametrizations(library):
    """Some, as classes of the library's modules."""

    class Symmetric(library.nn.Module):
        def forward(self, x):
            return x + x.t()

        def right_inverse(self, value):
            return value / 2

    class Doubled(library.nn.Module):
        def forward(self, x):
            return x * 2

        def right_inverse(self, value):
            return value / 2

    class Squared(library.nn.Module):
        def forward(self, x):
            return x * x

    class Longer(library.nn.Module):
        def forward(self, x):
            return library.cat([x, x])

    class Product(library.nn.Module):
        def forward(self, left, right):
            return left * right

        def right_inverse(self, value):
            return value / 2, library.full_like(value, 2.0)

    return {each.__name__: each for each in (Symmetric, Doubled, Squared, Longer, Product)}


def step(library, layer, steps=3):
    """A few steps of training: losses and what has become of the state."""
    optimizer = library.optim.SGD(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (layer(library.tensor(INPUT)) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, dict(layer.state_dict())


@pytest.mark.parametrize(
    "names", [["Doubled"], ["Squared"], ["Product"], ["Doubled", "Squared"], ["Product", "Doubled"]]
)
@pytest.mark.parametrize("tensor", ["weight", "bias"])
def test_training_with_parametrizations(tensor, names):
    def program(library):
        library.manual_seed(5)
        layer, kinds = library.nn.Linear(4, 4), parametrizations(library)
        register = library.nn.utils.parametrize.register_parametrization
        for name in names.split():
            register(layer, tensor, kinds[name]())
        made = list(layer.state_dict()), type(layer).__name__, repr(layer), getattr(layer, tensor)
        return made, step(library, layer), [name for name, _ in layer.named_parameters()]

    agree(program, graph=False, slack=(1e-5, 1e-6))


def test_writing_goes_through_the_inverse():
    def program(library):
        parametrize = library.nn.utils.parametrize
        layer, kinds = library.nn.Linear(4, 4, bias=False), parametrizations(library)
        weight = layer.weight
        parametrize.register_parametrization(layer, "weight", kinds["Symmetric"]())
        value = library.arange(16.0).reshape(4, 4)
        layer.weight = value + value.t()
        chain = layer.parametrizations.weight
        return layer.weight.detach(), chain.original.detach(), chain.original is weight, len(chain)

    agree(program)


@pytest.mark.parametrize("leave", [True, False])
@pytest.mark.parametrize("name", ["Doubled", "Squared", "Product"])
def test_removing(name, leave):
    def program(library):
        library.manual_seed(5)
        parametrize = library.nn.utils.parametrize
        layer = library.nn.Linear(2, 2)
        weight = layer.weight
        parametrize.register_parametrization(layer, "weight", parametrizations(library)[name]())
        parametrize.register_parametrization(layer, "bias", parametrizations(library)["Doubled"]())
        between = parametrize.is_parametrized(layer), parametrize.is_parametrized(layer, "weight")
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=leave)
        after = parametrize.is_parametrized(layer), parametrize.is_parametrized(layer, "weight")
        parametrize.remove_parametrizations(layer, "bias")
        return between, after, type(layer).__name__, dict(layer.state_dict()), layer.weight is weight

    agree(program)


def test_refused_parametrizations():
    def register(library, tensor, name, **options):
        layer = library.nn.Linear(2, 2)
        library.nn.utils.parametrize.register_parametrization(
            layer, tensor, parametrizations(library)[name](), **options
        )
        return layer

    raises(lambda library: register(library, "kernel", "Doubled"))
    raises(lambda library: register(library, "weight", "Longer"))
    raises(lambda library: setattr(register(library, "weight", "Squared"), "weight", library.ones(2, 2)))
    raises(lambda library: library.nn.utils.parametrize.remove_parametrizations(library.nn.Linear(1, 1), "weight"))
    raises(lambda library: library.nn.utils.parametrize.ParametrizationList([], library.ones(2)))
    agree(lambda library: register(library, "weight", "Longer", unsafe=True).weight.shape)


def test_each_tensor_is_computed_once_in_a_block():
    def program(library):
        parametrize, calls = library.nn.utils.parametrize, []

        class Counting(library.nn.Module):
            def forward(self, x):
                calls.append(1)
                return x * 2

        layer = parametrize.register_parametrization(library.nn.Linear(2, 2), "weight", Counting())
        before = len(calls)
        with parametrize.cached():
            same = layer.weight is layer.weight
        within = len(calls) - before
        return same, within, layer.weight is layer.weight

    agree(program)


def test_buffers_and_copies():
    def program(library):
        parametrize = library.nn.utils.parametrize
        layer = library.nn.BatchNorm1d(2)
        parametrize.register_parametrization(layer, "running_var", parametrizations(library)["Doubled"]())
        copied = copy.deepcopy(layer)
        with library.no_grad():
            copied.parametrizations.running_var.original.fill_(3)
        kinds = parametrize.type_before_parametrizations(layer).__name__, type(copied).__name__
        pickled = run(lambda library: pickle.dumps(layer), library)
        return list(layer.state_dict()), layer.running_var, copied.running_var, kinds, pickled

    agree(program)


def test_parametrizations_are_transferred():
    def program(library):
        library.manual_seed(1)
        parametrize = library.nn.utils.parametrize
        source, target = library.nn.Linear(2, 2), library.nn.Linear(2, 2)
        parametrize.register_parametrization(source, "weight", parametrizations(library)["Doubled"]())
        parametrize.transfer_parametrizations_and_params(source, target)
        return dict(target.state_dict()), target.weight.detach()

    agree(program)


LAYERS = {
    "linear": lambda nn: nn.Linear(4, 3),
    "wide": lambda nn: nn.Linear(4, 6, bias=False),
}


@pytest.mark.parametrize("options", [{}, {"dim": 1}, {"dim": None}, {"name": "weight", "dim": -1}])
@pytest.mark.parametrize("layer", LAYERS)
def test_weight_norm(layer, options):
    def program(library):
        library.manual_seed(6)
        made = library.nn.utils.parametrizations.weight_norm(LAYERS[layer](library.nn), **options)
        return list(made.state_dict()), made.weight.detach(), step(library, made)

    agree(program, slack=(1e-5, 1e-6))


@pytest.mark.parametrize("options", [{}, {"dim": 1}, {"dim": None}])
def test_the_older_weight_norm(options):
    def program(library):
        library.manual_seed(6)
        layer = library.nn.utils.weight_norm(library.nn.Linear(4, 3), **options)
        names = list(layer.state_dict())
        twice = run(lambda library: library.nn.utils.weight_norm(layer), library)
        trained = step(library, layer)
        library.nn.utils.remove_weight_norm(layer)
        again = run(lambda library: library.nn.utils.remove_weight_norm(layer), library)
        return names, twice, trained, dict(layer.state_dict()), again, type(layer.weight).__name__

    agree(program, slack=(1e-5, 1e-6))


def test_states_of_the_older_weight_norm_are_taken():
    def program(library):
        library.manual_seed(6)
        older = library.nn.utils.weight_norm(library.nn.Linear(2, 3))
        newer = library.nn.utils.parametrizations.weight_norm(library.nn.Linear(2, 3))
        newer.load_state_dict(older.state_dict())
        return dict(newer.state_dict())

    agree(program)


@pytest.mark.parametrize("options", [{}, {"n_power_iterations": 3}, {"dim": 1}])
@pytest.mark.parametrize("layer", LAYERS)
def test_spectral_norm(layer, options):
    def program(library):
        library.manual_seed(7)
        made = library.nn.utils.parametrizations.spectral_norm(LAYERS[layer](library.nn), **options)
        names, trained = list(made.state_dict()), step(library, made)
        made.eval()
        return names, trained, made(library.tensor(INPUT)).detach(), library.rand(1)

    agree(program, slack=(1e-4, 1e-5))


@pytest.mark.parametrize("options", [{}, {"n_power_iterations": 3}, {"dim": 1}])
def test_the_older_spectral_norm(options):
    def program(library):
        library.manual_seed(7)
        made = library.nn.utils.spectral_norm(library.nn.Linear(4, 3), **options)
        names, trained = list(made.state_dict()), step(library, made)
        loaded = library.nn.utils.spectral_norm(library.nn.Linear(4, 3), **options)
        loaded.load_state_dict(made.state_dict())
        made.eval()
        value = made(library.tensor(INPUT)).detach()
        library.nn.utils.remove_spectral_norm(made)
        again = run(lambda library: library.nn.utils.remove_spectral_norm(made), library)
        return names, trained, dict(loaded.state_dict()), value, dict(made.state_dict()), again

    agree(program, slack=(1e-4, 1e-5))


@pytest.mark.parametrize("trivialization", [True, False])
@pytest.mark.parametrize("map", [None, "matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(4, 4), (5, 4), (3, 4), (2, 5, 4)], ids=str)
def test_orthogonal_matrices(shape, map, trivialization):
    def program(library):
        library.manual_seed(7)
        made = library.nn.Module()
        made.weight = library.nn.Parameter(library.randn(*shape, dtype=library.float64))
        options = {"use_trivialization": trivialization}
        library.nn.utils.parametrizations.orthogonal(made, "weight", map, **options)
        names, first = list(made.state_dict()), made.weight
        loss = (first * library.arange(4.0, dtype=library.float64)).square().sum()
        loss.backward()
        (original,) = made.parameters()
        with library.no_grad():
            original -= 0.1 * original.grad
        second = made.weight.detach()
        assigned = run(lambda library: setattr(made, "weight", library.randn(*shape, dtype=library.float64)), library)
        return names, first.detach(), original.grad, second, assigned, made.weight.detach(), library.rand(1)

    agree(program, strides=False, slack=(1e-7, 1e-8))


def test_refused_orthogonal_matrices():
    raises(lambda library: library.nn.utils.parametrizations.orthogonal(library.nn.Linear(2, 2), "kernel"))
    raises(lambda library: library.nn.utils.parametrizations.orthogonal(library.nn.Linear(2, 2), "bias"))
    raises(lambda library: library.nn.utils.parametrizations.orthogonal(library.nn.Linear(2, 2), "weight", "qr"))
    raises(
        lambda library: library.nn.utils.parametrizations.orthogonal(
            library.nn.Linear(2, 3, dtype=library.complex64), orthogonal_map="householder"
        )
    )


def test_refused_norms():
    raises(lambda library: library.nn.utils.spectral_norm(library.nn.Linear(2, 2), n_power_iterations=0))
    raises(lambda library: library.nn.utils.parametrizations.spectral_norm(library.nn.Linear(2, 2), "kernel"))
    raises(lambda library: library.nn.utils.parametrizations.spectral_norm(library.nn.Linear(2, 2), dim=2))
    raises(
        lambda library: library.nn.utils.parametrizations.spectral_norm(library.nn.Linear(2, 2), n_power_iterations=0)
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_linear_layers_are_fused(affine, bias):
    def program(library):
        library.manual_seed(8)
        layer, norm = library.nn.Linear(4, 3, bias=bias), library.nn.BatchNorm1d(3, affine=affine)
        with library.no_grad():
            for held in norm.state_dict().values():
                if held.is_floating_point():
                    held.uniform_(0.5, 1.5)
        refused = run(lambda library: library.nn.utils.fuse_linear_bn_eval(layer, norm), library)
        if not affine:
            return refused
        fused = library.nn.utils.fuse_linear_bn_eval(layer.eval(), norm.eval())
        return refused, dict(fused.state_dict()), fused.training, fused(library.tensor(INPUT))

    agree(program, slack=(1e-5, 1e-6))


def test_modules_without_first_values():
    rgrad.manual_seed(1)
    expected = rgrad.rand(1)
    rgrad.manual_seed(1)
    layer = rgrad.nn.utils.skip_init(rgrad.nn.Linear, 3, 2, dtype=rgrad.float64)
    assert rgrad.equal(rgrad.rand(1), expected)
    assert layer.weight.dtype is rgrad.float64 and tuple(layer.weight.shape) == (2, 3)
    raises(lambda library: library.nn.utils.skip_init(library.nn.ReLU))
    raises(lambda library: library.nn.utils.skip_init(dict))


def test_calls_with_other_parameters():
    def program(library):
        layer = library.nn.Linear(4, 1)
        others = {"weight": library.ones(1, 4), "bias": library.zeros(1)}
        call = library.nn.utils.stateless.functional_call
        return call(layer, others, library.tensor(INPUT)), call(layer, others, (library.tensor(INPUT),), strict=True)

    agree(program)
