"""What becomes of a value assigned to a module, and how it is found again."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict

import pytest

import rgrad
from rgrad import nn


def parameter(value: float = 1.0) -> nn.Parameter:
    return nn.Parameter(rgrad.full((2,), float(value)))


def registries(module: nn.Module) -> tuple[list[str], list[str], list[str]]:
    return list(module._parameters), list(module._buffers), list(module._modules)


def test_assignment_registers_by_the_kind_of_the_value():
    module = nn.Module()
    module.weight = parameter()
    module.mean = nn.Buffer(rgrad.zeros(2))
    module.inner = nn.ReLU()
    module.count = 3
    module.tensor = rgrad.zeros(2)
    assert registries(module) == (["weight"], ["mean"], ["inner"])
    assert module.count == 3


def test_an_entry_takes_the_place_of_one_of_another_kind():
    module = nn.Module()
    module.register_buffer("entry", rgrad.zeros(2), persistent=False)
    module.entry = parameter()
    assert registries(module) == (["entry"], [], [])
    assert not module._non_persistent_buffers_set
    module.other = nn.ReLU()
    module.other = parameter()
    assert registries(module) == (["entry", "other"], [], [])
    module.plain = 3
    module.plain = nn.ReLU()
    assert isinstance(module.plain, nn.ReLU)
    assert registries(module) == (["entry", "other"], [], ["plain"])


@pytest.mark.parametrize("value", [3, rgrad.zeros(2), nn.ReLU(), nn.Buffer(rgrad.zeros(2))])
def test_a_parameter_is_replaced_by_parameters_and_none_only(value):
    module = nn.Module()
    module.weight = parameter()
    with pytest.raises(TypeError):
        module.weight = value
    module.weight = None
    assert module._parameters == {"weight": None}
    assert module.weight is None
    module.weight = parameter(2)
    assert module.weight.tolist() == [2, 2]


def test_a_module_is_replaced_by_modules_and_none_only():
    module = nn.Module()
    module.inner = nn.ReLU()
    with pytest.raises(TypeError):
        module.inner = 3
    module.inner = None
    assert module._modules == {"inner": None}
    assert module.inner is None


def test_a_buffer_is_replaced_by_any_tensor():
    module = nn.Module()
    module.register_buffer("mean", rgrad.zeros(2))
    module.mean = rgrad.ones(2)
    assert module._buffers["mean"] is module.mean
    with pytest.raises(TypeError):
        module.mean = 3
    module.mean = None
    assert module._buffers == {"mean": None}


@pytest.mark.parametrize("register", ["register_parameter", "register_buffer", "add_module", "register_module"])
@pytest.mark.parametrize(
    ("name", "error"),
    [("", KeyError), ("a.b", KeyError), ("training", KeyError), ("forward", KeyError), (3, TypeError)],
)
def test_names_that_cannot_be_registered(register, name, error):
    with pytest.raises(error):
        getattr(nn.Module(), register)(name, None)


@pytest.mark.parametrize("register", ["register_parameter", "register_buffer", "add_module"])
def test_values_that_cannot_be_registered(register):
    with pytest.raises(TypeError):
        getattr(nn.Module(), register)("entry", 3)


def test_a_name_is_registered_for_one_kind_only():
    module = nn.Module()
    module.weight = parameter()
    module.register_parameter("weight", parameter(2))
    with pytest.raises(KeyError):
        module.register_buffer("weight", rgrad.zeros(2))
    with pytest.raises(KeyError):
        module.add_module("weight", nn.ReLU())


def test_a_computed_parameter_is_refused():
    computed = parameter()
    computed.requires_grad_(False)
    computed.mul_(rgrad.ones(2, requires_grad=True))
    assert computed.grad_fn is not None
    with pytest.raises(ValueError, match="leaf"):
        nn.Module().register_parameter("weight", computed)


@pytest.mark.parametrize("value", [parameter(), nn.ReLU(), nn.Buffer(rgrad.zeros(2))])
def test_registration_waits_for_the_constructor(value):
    class Hasty(nn.Module):
        def __init__(self) -> None:
            self.count = 3
            self.entry = value
            super().__init__()

    with pytest.raises(AttributeError, match="__init__"):
        Hasty()


def test_deletion_forgets_the_entry():
    module = nn.Linear(2, 2)
    module.register_buffer("mean", rgrad.zeros(2), persistent=False)
    module.inner = nn.ReLU()
    for name in ("weight", "mean", "inner"):
        delattr(module, name)
        assert not hasattr(module, name)
    assert registries(module) == (["bias"], [], [])
    assert not module._non_persistent_buffers_set
    with pytest.raises(AttributeError):
        del module.weight


def test_the_constructor_takes_no_arguments_unless_another_base_does():
    with pytest.raises(TypeError):
        nn.Module(3)
    with pytest.raises(TypeError):
        nn.Module(bias=True)

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

    class Layer(nn.Module, Named):
        call_super_init = True

    assert Layer("first").name == "first"


class TestDirectWrites:
    """The registries are dictionaries that other code writes into, and attributes follow them."""

    def test_every_way_of_writing_is_followed(self):
        module = nn.Module()
        entries = module._parameters
        assert isinstance(entries, dict)
        first, second = parameter(1), parameter(2)
        entries["a"] = first
        assert module.a is first
        entries["a"] = second
        assert module.a is second
        entries.update({"b": first}, c=second)
        assert (module.b, module.c) == (first, second)
        assert entries.setdefault("d", first) is first
        assert entries.setdefault("d", second) is first
        assert module.d is first
        entries |= {"e": second}
        assert module.e is second
        assert entries.popitem() == ("e", second)
        assert entries.pop("d") is first
        assert entries.pop("d", None) is None
        del entries["c"]
        for name in "cde":
            assert not hasattr(module, name)
        entries.clear()
        assert not hasattr(module, "a")
        with pytest.raises(KeyError):
            entries.popitem()
        with pytest.raises(KeyError):
            entries.pop("a")

    def test_a_deleted_entry_makes_room_for_a_plain_attribute(self):
        module = nn.Linear(2, 2)
        weight = module._parameters.pop("weight")
        module.weight = weight * 2
        assert type(module.weight) is rgrad.Tensor
        assert list(module._parameters) == ["bias"]

    def test_a_registry_may_be_replaced_as_a_whole(self):
        module = nn.Linear(2, 2)
        bias = module.bias
        module._parameters = {"bias": bias}
        assert not hasattr(module, "weight")
        assert module.bias is bias
        module._parameters["bias"] = None
        assert module.bias is None

    def test_a_mapping_with_look_ups_of_its_own_is_asked_each_time(self):
        class Counted(OrderedDict):
            asked = 0

            def __getitem__(self, name):
                self.asked += 1
                return super().__getitem__(name)

        module = nn.Linear(2, 2)
        module._parameters = Counted(module._parameters)
        assert isinstance(module.weight, nn.Parameter)
        assert isinstance(module.weight, nn.Parameter)
        assert module._parameters.asked >= 2
        module.weight = parameter()
        assert module.weight.tolist() == [1, 1]

    def test_copied_attributes_belong_to_the_copy(self):
        module = nn.Linear(2, 2)
        copied = nn.Linear.__new__(nn.Linear)
        copied.__dict__ = module.__dict__.copy()
        copied.weight = parameter()
        assert copied.weight.tolist() == [1, 1]
        assert tuple(module.weight.shape) == (2, 2)


def test_a_class_attribute_hides_an_entry():
    class Tied(nn.Module):
        weight = "of the class"

    module = Tied()
    module._parameters["weight"] = parameter()
    assert module.weight == "of the class"


def test_a_property_hides_an_entry():
    class Scaled(nn.Linear):
        @property
        def scaled(self):
            return self.weight * 2

    module = Scaled(2, 2)
    module._parameters["scaled"] = parameter()
    assert type(module.scaled) is rgrad.Tensor


def test_get_attribute_may_be_extended():
    class Wrapper(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(super().__getattr__("inner"), name)

    wrapper = Wrapper(nn.Linear(2, 3))
    assert wrapper.in_features == 2
    assert wrapper.weight is wrapper.inner.weight
    with pytest.raises(AttributeError, match="missing"):
        wrapper.missing  # noqa: B018


def test_a_module_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        module = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        module.register_forward_hook(lambda module, args, output: None)
        gone = weakref.ref(module)
        del module
        assert gone() is None
    finally:
        gc.enable()
