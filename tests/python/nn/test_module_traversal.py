"""Listing and finding what is registered in a tree of modules, beside torch."""

from __future__ import annotations

import pytest

from oracle import agree, raises, run


def tree(library):
    """A tree in which a module, a parameter and a buffer are each reached by two names."""
    nn = library.nn
    shared = nn.Linear(2, 2)
    root = nn.Module()
    root.first = nn.Sequential(shared, nn.ReLU())
    root.second = shared
    root.nothing = None
    root.register_module("absent", None)
    root.register_parameter("none", None)
    root.third = nn.Linear(2, 2, bias=False)
    root.third.weight = shared.weight
    root.register_buffer("mean", library.zeros(2))
    root.third.register_buffer("mean", root.mean)
    return root


LISTINGS = [
    lambda m: [name for name, _ in m.named_parameters()],
    lambda m: [name for name, _ in m.named_parameters(prefix="net")],
    lambda m: [name for name, _ in m.named_parameters(recurse=False)],
    lambda m: [name for name, _ in m.named_parameters(remove_duplicate=False)],
    lambda m: [name for name, _ in m.third.named_parameters("third", False)],
    lambda m: [name for name, _ in m.named_buffers()],
    lambda m: [name for name, _ in m.named_buffers("net", remove_duplicate=False)],
    lambda m: [name for name, _ in m.named_modules()],
    lambda m: [name for name, _ in m.named_modules(prefix="net", remove_duplicate=False)],
    lambda m: [name for name, _ in m.named_modules(memo={m.second})],
    lambda m: [name for name, _ in m.named_children()],
    lambda m: [type(each).__name__ for each in m.modules()],
    lambda m: [type(each).__name__ for each in m.children()],
    lambda m: [tuple(each.shape) for each in m.parameters()],
    lambda m: [tuple(each.shape) for each in m.buffers(recurse=False)],
    lambda m: [name for name, _ in m._named_members(lambda each: each._buffers.items(), prefix="p")],
]


@pytest.mark.parametrize("listing", LISTINGS)
def test_listings(listing):
    agree(lambda library: listing(tree(library)))


TARGETS = [
    "",
    "first",
    "first.0",
    "first.0.weight",
    "second.in_features",
    "none",
    "mean",
    "first.9",
    "x.y",
    "first.0.w.y",
]


@pytest.mark.parametrize("method", ["get_submodule", "get_parameter", "get_buffer"])
@pytest.mark.parametrize("target", TARGETS)
def test_finding(method, target):
    agree(lambda library: type(getattr(tree(library), method)(target)).__name__)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("target", ["", "first.1", "first.9", "second", "new", "x.y", "first.0.weight", "absent"])
def test_replacing(target, strict):
    def program(library):
        root = tree(library)
        root.set_submodule(target, library.nn.Tanh(), strict=strict)
        return repr(root)

    agree(program)


def test_only_modules_can_be_put_in_place():
    raises(lambda library: tree(library).set_submodule("second", 3))


def test_apply_reaches_children_first():
    def program(library):
        order = []
        root = tree(library)
        returned = root.apply(lambda module: order.append(type(module).__name__))
        return order, returned is root

    agree(program)


def test_a_shared_parameter_gets_all_of_its_gradient():
    def program(library):
        root = tree(library)
        library.nn.init.constant_(root.second.weight, 0.5)
        library.nn.init.zeros_(root.second.bias)
        x = library.ones(1, 2)
        (root.first(x).sum() + root.third(x).sum()).backward()
        return root.second.weight.grad

    agree(program)


def test_modes_and_requirements_spread():
    def program(library):
        root = tree(library)
        root.eval()
        modes = [module.training for module in root.modules()]
        root.first.train()
        modes += [module.training for module in root.modules()]
        root.requires_grad_(False)
        wrong = run(lambda library: root.train(3), library)
        return modes, [parameter.requires_grad for parameter in root.parameters()], wrong

    agree(program)
