"""`Parameter` and `Buffer`: what they share with their data, how they are copied and printed."""

from __future__ import annotations

import copy
import pickle

import pytest

import rgrad
from rgrad import nn


def test_a_parameter_is_a_leaf_that_shares_its_data():
    data = rgrad.zeros(2)
    parameter = nn.Parameter(data)
    data.fill_(3)
    assert type(parameter) is nn.Parameter
    assert isinstance(parameter, rgrad.Tensor)
    assert parameter.is_leaf
    assert parameter.requires_grad
    assert parameter.tolist() == [3, 3]


def test_a_parameter_of_a_computed_tensor_is_a_leaf():
    computed = rgrad.ones(2, requires_grad=True) * 2
    assert nn.Parameter(computed).is_leaf


def test_operations_on_a_parameter_give_plain_tensors():
    parameter = nn.Parameter(rgrad.ones(2))
    for result in (parameter * 2, parameter.detach(), parameter.data, parameter.view(2, 1)):
        assert type(result) is rgrad.Tensor
        assert not isinstance(result, nn.Parameter)


def test_a_parameter_may_do_without_gradients_and_data():
    assert not nn.Parameter(rgrad.ones(2), requires_grad=False).requires_grad
    assert not nn.Parameter(rgrad.ones(2, dtype=rgrad.int64), requires_grad=False).requires_grad
    assert tuple(nn.Parameter().shape) == (0,)


def test_integers_cannot_require_gradients():
    with pytest.raises(RuntimeError):
        nn.Parameter(rgrad.ones(2, dtype=rgrad.int64))


def test_the_gradient_arrives_at_the_parameter():
    parameter = nn.Parameter(rgrad.tensor([1.0, 2.0]))
    (parameter * parameter).sum().backward()
    assert parameter.grad.tolist() == [2, 4]


def test_a_tensor_of_another_subclass_keeps_its_class():
    class Length(rgrad.Tensor):
        pass

    length = rgrad.ones(2).as_subclass(Length)
    parameter = nn.Parameter(length)
    assert type(parameter) is Length
    assert isinstance(parameter, nn.Parameter)
    assert not isinstance(length, nn.Parameter)
    module = nn.Module()
    module.length = parameter
    assert list(module._parameters) == ["length"]


def test_a_deep_copy_has_its_own_values_and_no_gradient():
    parameter = nn.Parameter(rgrad.ones(2))
    parameter.grad = rgrad.ones(2)
    copied, again = copy.deepcopy([parameter, parameter])
    assert copied is again
    assert type(copied) is nn.Parameter
    assert copied.grad is None
    parameter.data.fill_(5)
    assert copied.tolist() == [1, 1]


def test_pickling_keeps_the_class_and_the_attributes():
    parameter = nn.Parameter(rgrad.ones(2), requires_grad=False)
    parameter.note = "frozen"
    restored = pickle.loads(pickle.dumps(parameter))
    assert type(restored) is nn.Parameter
    assert restored.note == "frozen"
    assert not restored.requires_grad
    assert restored.tolist() == [1, 1]


def test_a_parameter_says_what_it_is():
    shown = repr(nn.Parameter(rgrad.tensor([[1.0, 2.0], [3.0, 4.0]])))
    assert shown == "Parameter containing:\ntensor([[1., 2.],\n        [3., 4.]], requires_grad=True)"


def test_a_buffer_is_a_marked_tensor():
    buffer = nn.Buffer(rgrad.ones(2), persistent=False)
    assert type(buffer) is rgrad.Tensor
    assert isinstance(buffer, nn.Buffer)
    assert not buffer.persistent
    assert not isinstance(rgrad.ones(2), nn.Buffer)
    assert nn.Buffer().numel() == 0
