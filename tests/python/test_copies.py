"""`copy`, `deepcopy`, `clone` and `pickle` of tensors, beside torch where torch's pickles allow it."""

from __future__ import annotations

import copy
import pickle
from itertools import product

import pytest

import rgrad
from oracle import DTYPES, agree, same

COPIERS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda t: pickle.loads(pickle.dumps(t)),
    "oldest pickle": lambda t: pickle.loads(pickle.dumps(t, protocol=2)),
    "clone": lambda t: t.clone(),
    "detach": lambda t: t.detach(),
    "contiguous": lambda t: t.contiguous(),
    "to": lambda t: t.to(t.dtype, copy=True),
}

TENSORS = {
    **{dtype: lambda lib, dtype=dtype: lib.arange(6).reshape(2, 3).to(getattr(lib, dtype)) for dtype in DTYPES},
    "leaf": lambda lib: lib.ones(2, 3, requires_grad=True),
    "computed": lambda lib: lib.ones(2, 3, requires_grad=True) * 2,
    "scalar": lambda lib: lib.tensor(2.5),
    "empty": lambda lib: lib.zeros(0, 3),
    "transposed": lambda lib: lib.arange(6.0).reshape(2, 3).t(),
    "strided": lambda lib: lib.arange(12.0).reshape(3, 4)[:, ::2],
    "expanded": lambda lib: lib.arange(3.0).expand(2, 3),
    "parameter": lambda lib: lib.nn.Parameter(lib.arange(3.0)),
    "frozen parameter": lambda lib: lib.nn.Parameter(lib.arange(3.0), requires_grad=False),
}


@pytest.mark.parametrize(
    ("tensor", "copier"), [pair for pair in product(TENSORS, COPIERS) if pair != ("computed", "deepcopy")]
)
def test_copies(tensor, copier):
    """Values, type, flags, class, and whether the memory is shared."""

    def program(lib):
        original = TENSORS[tensor](lib)
        made = COPIERS[copier](original)
        shared = original.numel() > 0 and original.data_ptr() == made.data_ptr()
        return made, type(made).__name__, shared, made is original, made._is_view()

    agree(
        program,
        strides=copier not in ("pickle", "oldest pickle", "deepcopy", "copy"),
        graph=copier != "copy" or tensor != "computed",
    )


@pytest.mark.parametrize("copier", ["deepcopy", "pickle"])
def test_gradients(copier):
    """A deep copy has a copy of the gradient, a pickle none."""

    def program(lib):
        leaf = lib.ones(3, requires_grad=True)
        (leaf * 2).sum().backward()
        made = COPIERS[copier](leaf)
        with_grad = made.grad is not None
        return with_grad, made.grad, made.grad is not leaf.grad

    agree(program)


def test_the_deep_copy_of_a_result_has_no_history():
    """PyTorch refuses; modules that keep a result of their last call could not be copied."""
    result = rgrad.ones(2, requires_grad=True) * 2
    result.retain_grad()
    result.sum().backward()
    made = copy.deepcopy({"result": result})["result"]
    assert made.tolist() == [2.0, 2.0]
    assert made.is_leaf and not made.requires_grad and made.grad is None
    made.add_(1)
    assert result.tolist() == [2.0, 2.0]


def test_what_is_shared_is_shared_among_copies():
    def program(lib):
        leaf = lib.ones(2)
        holder = {"a": leaf, "b": [leaf]}
        made = copy.deepcopy(holder)
        return made["a"] is made["b"][0], made["a"] is not leaf

    agree(program)


def test_attributes_come_along():
    def program(lib):
        tensor = lib.ones(2)
        tensor.note = ["first"]
        deep, pickled = copy.deepcopy(tensor), pickle.loads(pickle.dumps(tensor))
        return deep.note, deep.note is tensor.note, pickled.note

    agree(program)


class Named(rgrad.Tensor):
    """A subclass that a pickle finds by name."""


def test_subclasses_keep_their_class():
    tensor = rgrad.ones(2).as_subclass(Named)
    for copier in ("deepcopy", "pickle"):
        made = COPIERS[copier](tensor)
        assert type(made) is Named
        assert made.tolist() == [1, 1]


def test_modules_and_types():
    def program(lib):
        module = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.ReLU())
        made = [copy.deepcopy(module), pickle.loads(pickle.dumps(module))]
        same_types = [pickle.loads(pickle.dumps(getattr(lib, dtype))) is getattr(lib, dtype) for dtype in DTYPES]
        equal = [all(lib.equal(a, b) for a, b in zip(m.parameters(), module.parameters())) for m in made]
        size = pickle.loads(pickle.dumps(lib.ones(2, 3).shape))
        return same_types, equal, size, copy.deepcopy(lib.float32) is lib.float32

    agree(program)


@pytest.mark.parametrize(
    "damage",
    [
        lambda parts: (parts[0], b"", *parts[2:]),
        lambda parts: (*parts[:3], (2**40, 2**40), parts[4]),
        lambda parts: (parts[0], b"\2" * 3, rgrad.bool, *parts[3:]),
        lambda parts: (int, *parts[1:]),
        lambda parts: (*parts[:2], "float32", *parts[3:]),
    ],
    ids=["no bytes", "too large", "no bools", "no class of tensors", "no type"],
)
def test_damaged_pickles_are_refused(damage):
    rebuild, parts = rgrad.ones(3).__reduce_ex__(2)[:2]
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        rebuild(*damage(parts))


def test_changing_a_copy_leaves_the_original():
    for copier in ("deepcopy", "pickle", "clone", "to"):
        original = rgrad.zeros(3)
        COPIERS[copier](original).add_(1)
        same(original.tolist(), [0.0, 0.0, 0.0])
