"""How modules are printed, copied and pickled."""

from __future__ import annotations

import copy
import pickle

import rgrad
from rgrad import nn


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.tied = self.first
        self.register_buffer("mean", rgrad.zeros(2), persistent=False)
        self.rates = [1, 2]


class Described(nn.Module):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def extra_repr(self) -> str:
        return self.text


def check_independent(module: Network, copied: Network) -> None:
    assert type(copied) is Network
    assert copied.first is copied.tied
    assert copied.first.weight is copied.first._parameters["weight"]
    assert copied._non_persistent_buffers_set == {"mean"}
    assert copied.rates == [1, 2]
    with rgrad.no_grad():
        copied.first.weight.fill_(7)
    assert not (module.first.weight == 7).any()
    copied.first.weight = nn.Parameter(rgrad.ones(1))
    assert tuple(module.first.weight.shape) == (3, 2)
    copied.first._parameters["weight"] = None
    assert copied.first.weight is None


def test_a_deep_copy_is_independent():
    module = Network()
    check_independent(module, copy.deepcopy(module))


def test_a_pickled_module_is_independent():
    module = Network()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        check_independent(module, pickle.loads(pickle.dumps(module, protocol)))


def test_a_copy_that_sets_each_attribute_is_independent():
    module = Network()
    copied = Network.__new__(Network)
    memo: dict[int, object] = {}
    for name, value in module.__dict__.items():
        setattr(copied, name, copy.deepcopy(value, memo))
    check_independent(module, copied)


def test_a_shallow_copy_shares_the_parameters():
    module = nn.Linear(2, 3)
    copied = copy.copy(module)
    assert copied.weight is module.weight
    assert copied(rgrad.ones(1, 2)).tolist() == module(rgrad.ones(1, 2)).tolist()


def test_the_registries_are_pickled_as_plain_dictionaries():
    module = nn.Linear(2, 3)
    assert type(copy.deepcopy(module._parameters)) is dict
    assert type(pickle.loads(pickle.dumps(module._parameters))) is dict


def test_modules_are_printed_as_a_tree():
    module = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Identity()))
    module.add_module("none", None)
    assert repr(module) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Identity()\n"
        "  )\n"
        "  (none): None\n"
        ")"
    )


def test_extra_descriptions():
    assert repr(Described("")) == "Described()"
    assert repr(Described("size=3")) == "Described(size=3)"
    assert repr(Described("a\nb")) == "Described(\n  a\n  b\n)"
    module = Described("a")
    module.inner = nn.Tanh()
    assert repr(module) == "Described(\n  a\n  (inner): Tanh()\n)"


def test_directories_list_what_is_registered():
    names = dir(Network())
    for name in ("first", "mean", "training", "forward", "rates"):
        assert names.count(name) == 1
    assert "0" not in dir(nn.Sequential(nn.ReLU()))
