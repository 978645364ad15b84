"""Parameters with parts set to zero for good, beside torch."""

from __future__ import annotations

import copy
import importlib

import pytest

import rgrad
from oracle import agree, lines, raises, run

# Neither library imports this by itself.
importlib.import_module("torch.nn.utils.prune")
importlib.import_module("rgrad.nn.utils.prune")

PRUNED = """
    p.identity(layer, "weight")
    p.l1_unstructured(layer, "weight", 3)
    p.l1_unstructured(layer, "weight", amount=0.4)
    p.l1_unstructured(layer, "weight", 0)
    p.l1_unstructured(layer, "bias", 2)
    p.l1_unstructured(layer, "weight", 0.5, importance_scores=scores)
    p.random_unstructured(layer, "weight", 0.3)
    p.random_unstructured(layer, "bias", 1)
    p.random_structured(layer, "weight", 1, 0)
    p.random_structured(layer, "weight", 0.5, dim=1)
    p.ln_structured(layer, "weight", 2, n=2, dim=1)
    p.ln_structured(layer, "weight", 0.5, n=1, dim=0)
    p.ln_structured(layer, "weight", 1, n=float("inf"), dim=-1)
    p.ln_structured(layer, "weight", 1, n=2, dim=0, importance_scores=scores)
    p.custom_from_mask(layer, "weight", (scores > 0).float())
    p.l1_unstructured(p.l1_unstructured(layer, "weight", 3), "weight", 4)
    p.ln_structured(p.l1_unstructured(layer, "weight", 3), "weight", 1, n=2, dim=0)
    p.l1_unstructured(p.ln_structured(layer, "weight", 1, n=2, dim=0), "weight", 0.5)
    p.random_structured(p.ln_structured(layer, "weight", 1, n=2, dim=0), "weight", 1, dim=0)
    p.custom_from_mask(p.l1_unstructured(layer, "weight", 3), "weight", (scores > 0).float())
    p.custom_from_mask(p.custom_from_mask(layer, "weight", (scores > 0).float()), "weight", (scores < 1).float())
"""


def layer_of(library):
    library.manual_seed(11)
    return library.nn.Linear(4, 3)


def pruned(library, expression):
    layer, scores = layer_of(library), library.randn(3, 4)
    eval(expression, {"p": library.nn.utils.prune, "layer": layer, "scores": scores})
    return layer


@pytest.mark.parametrize("expression", lines(PRUNED))
def test_pruning(expression):
    """The masks, training with them, and the parameters when pruning is over."""

    def program(library):
        prune = library.nn.utils.prune
        layer = pruned(library, expression)
        name = "bias" if '"bias"' in expression else "weight"
        names, mask = list(layer.state_dict()), getattr(layer, name + "_mask").clone()
        optimizer = library.optim.SGD(layer.parameters(), lr=0.1)
        for _ in range(2):
            layer(library.ones(2, 4)).pow(2).sum().backward()
            optimizer.step()
        output = layer(library.ones(2, 4)).detach()
        before = prune.is_pruned(layer), prune.is_pruned(library.nn.Sequential(layer))
        prune.remove(layer, name)
        state = dict(layer.state_dict())
        return names, mask, output, before, prune.is_pruned(layer), state, type(getattr(layer, name)).__name__

    agree(program, graph=False)


def test_several_parameters_as_one():
    def program(library):
        prune = library.nn.utils.prune
        model = library.nn.Sequential(layer_of(library), library.nn.Linear(3, 2))
        pairs = [(model[0], "weight"), (model[1], "weight"), (model[1], "bias")]
        prune.global_unstructured(pairs, pruning_method=prune.L1Unstructured, amount=0.4)
        first = dict(model.state_dict())
        prune.global_unstructured(pairs, pruning_method=prune.L1Unstructured, amount=3)
        return first, dict(model.state_dict())

    agree(program)


def test_methods_without_a_module():
    def program(library):
        prune = library.nn.utils.prune
        tensor = library.arange(-4.0, 4.0).reshape(2, 4)
        least = prune.L1Unstructured(3)
        return (
            least.prune(tensor),
            least.prune(tensor, default_mask=library.ones(2, 4)),
            least.prune(tensor, importance_scores=tensor.abs().max() - tensor.abs()),
            prune.LnStructured(1, 2, 1).compute_mask(tensor, library.ones(2, 4)),
            prune.Identity().prune(tensor),
        )

    agree(program)


def test_the_order_of_prunings_is_kept():
    def program(library):
        layer = pruned(library, 'p.ln_structured(p.l1_unstructured(layer, "weight", 3), "weight", 1, n=2, dim=0)')
        (container,) = layer._forward_pre_hooks.values()
        return len(container), [type(method).__name__ for method in container], type(container[0]).__name__

    agree(program)


def test_copies_stay_pruned():
    layer = pruned(rgrad, 'p.l1_unstructured(layer, "weight", 5)')
    copied = copy.deepcopy(rgrad.nn.Sequential(rgrad.nn.Linear(2, 2)))
    assert not rgrad.nn.utils.prune.is_pruned(copied)
    state = layer.state_dict()
    other = rgrad.nn.utils.prune.identity(rgrad.nn.Linear(4, 3), "weight")
    other.load_state_dict(state)
    assert rgrad.equal(other(rgrad.ones(1, 4)), layer(rgrad.ones(1, 4)))


REFUSED = """
    p.l1_unstructured(layer, "weight", "a")
    p.l1_unstructured(layer, "weight", -1)
    p.l1_unstructured(layer, "weight", 1.5)
    p.l1_unstructured(layer, "weight", 13)
    p.l1_unstructured(layer, "kernel", 1)
    p.ln_structured(layer, "bias", 1, 2, 0)
    p.ln_structured(layer, "weight", 1, 2, 2)
    p.ln_structured(layer, "weight", 4, 2, 0)
    p.l1_unstructured(layer, "weight", 1, importance_scores=scores[0])
    p.remove(layer, "weight")
    p.global_unstructured(3, pruning_method=p.L1Unstructured, amount=1)
    p.global_unstructured([(layer, "weight")], pruning_method=p.LnStructured, amount=1, n=2)
    p.PruningContainer(3)
"""


@pytest.mark.parametrize("expression", lines(REFUSED))
def test_refusals(expression):
    raises(lambda library: pruned(library, expression))


def test_a_refused_pruning_changes_nothing():
    layer = layer_of(rgrad)
    weight = layer.weight
    result = run(lambda library: library.nn.utils.prune.l1_unstructured(layer, "weight", 13), rgrad)
    assert result.kind is ValueError
    assert layer.weight is weight and list(layer.state_dict()) == ["weight", "bias"]
