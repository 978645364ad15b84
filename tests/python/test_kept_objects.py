"""Tensor objects that a user can tell from a new one live as long as their tensor."""

from __future__ import annotations

import gc
import weakref

import rgrad
from oracle import agree


def test_attributes_come_back_from_a_graph():
    def program(library):
        x = library.ones(2, requires_grad=True)
        y = x * 2
        y.note = "y"
        z = y * y
        del y
        gc.collect()
        return z.grad_fn._saved_self.note

    agree(program)


def test_attributes_come_back_from_grad_and_base():
    def program(library):
        x = library.ones(4, requires_grad=True)
        gradient = library.ones(4)
        gradient.note = "gradient"
        x.grad = gradient
        base = library.zeros(4)
        base.note = "base"
        view = base[:2]
        del gradient, base
        gc.collect()
        return x.grad.note, view._base.note

    agree(program)


def test_a_leaf_keeps_its_class():
    def program(library):
        weight = library.nn.Parameter(library.ones(2))
        weight.note = 3
        y = weight * 1
        del weight
        gc.collect()
        again = y.grad_fn.next_functions[0][0].variable
        return type(again).__name__, again.note

    agree(program)


def test_weak_references_see_a_living_tensor():
    def program(library):
        x = library.ones(2, requires_grad=True)
        y = x * 2
        watch = weakref.ref(y)
        z = y * y
        del y
        before = watch() is not None
        del z
        gc.collect()
        return before, watch() is None

    agree(program)


def test_the_object_outlives_a_tensor_that_kept_it():
    """Somebody got hold of the object by a weak reference while only the graph had its tensor."""
    weight = rgrad.nn.Parameter(rgrad.ones(2))
    weight.note = "still here"
    y = weight * 2
    watch = weakref.ref(weight)
    del weight
    weight = watch()
    del y
    gc.collect()
    assert weight.note == "still here"
    assert weight.requires_grad
    assert (weight * 2).tolist() == [2.0, 2.0]
    (weight * 3).sum().backward()
    assert weight.grad.tolist() == [3.0, 3.0]
    del weight
    assert watch() is None


def test_a_kept_object_is_part_of_what_is_collected():
    class Flag:
        pass

    flag = Flag()
    watch = weakref.ref(flag)
    x = rgrad.ones(2, requires_grad=True)
    y = x * 2
    z = y * y
    y.flag, flag.result = flag, z
    del x, y, z, flag
    gc.collect()
    assert watch() is None


def test_many_kept_objects_are_freed():
    class Flag:
        living = 0

        def __init__(self):
            Flag.living += 1

        def __del__(self):
            Flag.living -= 1

    for _ in range(200):
        x = rgrad.ones(2, requires_grad=True)
        y = x * x
        x.flag, y.flag = Flag(), Flag()
        z = y * y
        del x, y
        z.sum().backward()
        del z
    gc.collect()
    assert Flag.living == 0
