"""Subclasses of `Tensor`: how they are made, copied and pickled, and the classes of the old dtypes."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import oracle
import rgrad

torch = oracle.torch


class Tagged(rgrad.Tensor):
    """With an argument of its own."""

    def __new__(cls, data, tag=None):
        return rgrad.Tensor._make_subclass(cls, data)

    def __init__(self, data, tag=None):
        self.tag = tag


class Slotted(rgrad.Tensor):
    __slots__ = ("place",)


class OwnParameter(rgrad.nn.Parameter):
    pass


CONSTRUCTORS = oracle.lines("""
    lib.Tensor([1, 2])
    lib.Tensor(2, 3).shape
    lib.Tensor()
    lib.Tensor((2, 3))
    lib.Tensor(range(3))
    lib.Tensor(np.ones(2))
    lib.Tensor(lib.Size([2])).shape
    lib.Tensor(lib.ones(2, dtype=lib.float64))
    lib.Tensor(1.5)
    lib.Tensor(True)
    lib.Tensor(None)
    lib.Tensor("ab")
    lib.Tensor(-1)
    lib.Tensor([[1, 2], [3]])
    lib.FloatTensor(2, 3).shape
    lib.DoubleTensor([1, 2])
    lib.LongTensor([1.5, 2])
    lib.BoolTensor([True, False])
    lib.ByteTensor([1, 2])
    lib.IntTensor(3).shape
    lib.FloatTensor()
    lib.FloatTensor((2, 3))
    lib.FloatTensor(lib.Size([2, 3])).shape
    lib.FloatTensor(np.ones(2))
    lib.FloatTensor(lib.ones(2))
    lib.FloatTensor(lib.ones(2).double())
    lib.FloatTensor(1.5)
    lib.FloatTensor(True)
    lib.FloatTensor("a")
    lib.FloatTensor.dtype
    lib.FloatTensor.__name__
    lib.FloatTensor.is_cuda
    isinstance(lib.ones(1), lib.FloatTensor)
    isinstance(lib.ones(1).double(), lib.FloatTensor)
    isinstance(lib.ones(1).double(), lib.DoubleTensor)
    isinstance(1, lib.FloatTensor)
    issubclass(lib.FloatTensor, lib.Tensor)
    type(lib.FloatTensor(2)) is lib.Tensor
    lib.ones(2).type()
    lib.ones(2).type(lib.DoubleTensor)
    lib.ones(2).type("torch.LongTensor")
    lib.ones(2).type(lib.float64)
    lib.ones(2).type("torch.NoTensor")
    lib.ones(2).as_subclass(int)
    lib.Tensor._make_subclass(int, lib.ones(2))
    type(lib.ones(2).as_subclass(lib.nn.Parameter)).__name__
    isinstance(lib.ones(2), lib.nn.Parameter)
    isinstance(lib.nn.Buffer(lib.ones(2)), lib.nn.Buffer)
    isinstance(lib.ones(2), lib.nn.Buffer)
    type(lib.nn.Buffer(lib.ones(2))) is lib.Tensor
""")


@pytest.mark.parametrize("expression", CONSTRUCTORS)
def test_constructors_and_classes(expression):
    oracle.agree(oracle.evaluated(expression))


PROGRAMS = oracle.lines("""
    Kind(x, tag=3).tag
    Kind(x, 3).__dict__
    (Kind(x, 3) * 2).__dict__
    Kind(x).data_ptr() == x.data_ptr()
    Kind(x)._base is None
    Kind(x)._is_view()
    Kind(x.requires_grad_()).requires_grad
    x.requires_grad_().as_subclass(Kind).grad_fn.name()
    type(lib.nn.Parameter(Kind(x))).__name__
    isinstance(lib.nn.Parameter(Kind(x)), lib.nn.Parameter)
    isinstance(Kind(x), lib.nn.Parameter)
    isinstance(Kind(x), lib.Tensor)
    isinstance(Kind(x), lib.FloatTensor)
    type(lib.nn.Parameter(x) * 1).__name__
    repr(Kind(x))
    Kind(x).type()
    copy.copy(Kind(x, [1])).__dict__
    type(copy.copy(Kind(x))).__name__
    type(copy.deepcopy(lib.nn.Parameter(x))).__name__
    type(Kind(x) + x).__name__
    type(x + Kind(x)).__name__
    type(x[Kind(x) > 0]).__name__
    type(Kind(x).numpy()).__name__
    type(Kind(x).tolist()).__name__
    Bare([1.0, 2.0])
    Bare(2, 3).shape
    type(Bare(2, 3)).__name__
    Late([1.0], tag=2)
    Late([1.0]).tag
""")


@pytest.mark.parametrize("expression", PROGRAMS)
def test_subclasses(expression):
    def program(lib):
        class Kind(lib.Tensor):
            @staticmethod
            def __new__(cls, data, tag=None):
                return lib.Tensor._make_subclass(cls, data)

            def __init__(self, data, tag=None):
                self.tag = tag

        class Bare(lib.Tensor):
            pass

        class Late(lib.Tensor):
            def __init__(self, data, tag=1):
                self.tag = tag

        names = {"lib": lib, "Kind": Kind, "Bare": Bare, "Late": Late, "copy": copy, "x": lib.tensor([1.0, 2.0])}
        value = eval(expression, names)
        return value.as_subclass(lib.Tensor) if isinstance(value, lib.Tensor) else value

    oracle.agree(program)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol):
    tagged = Tagged(rgrad.tensor([1.0, 2.0]), "name")
    again = pickle.loads(pickle.dumps(tagged, protocol))
    assert type(again) is Tagged and again.tag == "name" and again.tolist() == [1.0, 2.0]
    parameter = OwnParameter(rgrad.ones(2))
    parameter.note = [1]
    again = pickle.loads(pickle.dumps(parameter, protocol))
    assert type(again) is OwnParameter and again.requires_grad and again.note == [1]


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy])
def test_copies_keep_class_and_attributes(copier):
    tagged = Tagged(rgrad.tensor([1.0, 2.0]), ["name"])
    again = copier(tagged)
    assert type(again) is Tagged and again.tag == ["name"]
    assert (again.tag is tagged.tag) == (copier is copy.copy)
    assert (again.data_ptr() == tagged.data_ptr()) == (copier is copy.copy)
    parameter = copier(OwnParameter(rgrad.ones(2), requires_grad=False))
    assert type(parameter) is OwnParameter and not parameter.requires_grad


def test_slots():
    tensor = rgrad.ones(2).as_subclass(Slotted)
    tensor.place = 3
    tensor.other = 4
    assert (tensor.place, tensor.other) == (3, 4)
    assert not hasattr(tensor + 1, "place")


def test_a_graph_keeps_the_object():
    leaf = Tagged(rgrad.ones(2), "leaf").requires_grad_()
    result = leaf * 2
    del leaf
    gc.collect()
    assert result.grad_fn.next_functions[0][0].next_functions[0][0].variable.tag == "leaf"


def test_weak_references_and_identity():
    tensor = Tagged(rgrad.ones(2))
    assert hash(tensor) == id(tensor)
    assert {tensor: 1}[tensor] == 1
    reference = weakref.ref(tensor)
    assert reference() is tensor
    del tensor
    gc.collect()
    assert reference() is None


def test_another_class_for_an_object():
    class Kind(rgrad.Tensor):
        pass

    tensor = rgrad.ones(2)
    tensor.__class__ = Kind
    assert type(tensor) is Kind and type(tensor + 1) is Kind
    tensor.__class__ = rgrad.Tensor
    assert type(tensor) is rgrad.Tensor and type(tensor + 1) is rgrad.Tensor
    with pytest.raises(TypeError, match="laid out"):
        tensor.__class__ = Slotted
    with pytest.raises(TypeError):
        tensor.__class__ = int
    reference = weakref.ref(Kind)
    tensor.__class__ = Kind
    del Kind
    gc.collect()
    assert type(tensor).__name__ == "Kind"
    del tensor
    gc.collect()
    assert reference() is None


def test_numpy_of_a_subclass():
    tensor = Tagged(rgrad.tensor([1.0, 4.0]))
    assert np.asarray(tensor).tolist() == [1.0, 4.0]
    assert np.sqrt(tensor).tolist() == [1.0, 2.0]
