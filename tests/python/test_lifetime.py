"""What a scenario has made is freed when its names are gone: tensors, nodes, memory, without the cycle collector."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import rgrad


class Memory(np.ndarray):
    """An array whose end is noticed: a tensor on it shows when its storage is freed."""


class Watch:
    """The tensors, nodes and storages of a scenario, held weakly."""

    def __init__(self) -> None:
        self.alive: list[tuple[str, weakref.ref]] = []

    def leaf(self, *sizes, requires_grad=True):
        array = np.ones(sizes).view(Memory)
        self.alive.append(("storage", weakref.ref(array)))
        return self(rgrad.from_numpy(array).requires_grad_(requires_grad))

    def __call__(self, tensor):
        self.alive.append(("tensor", weakref.ref(tensor)))
        if tensor.grad_fn is not None:
            self.alive.append(("node", weakref.ref(tensor.grad_fn)))
        return tensor

    def left(self):
        return [kind for kind, reference in self.alive if reference() is not None]


def forward(watch):
    x = watch.leaf(3)
    return [x, watch(x * 2), watch((x * x).exp().sum())]


def backward(watch):
    x = watch.leaf(3)
    y = watch((x * x).sum())
    y.backward()
    return [x, y, watch(x.grad)]


def twice_backward(watch):
    x = watch.leaf(3)
    y = watch((x.exp() * x).sum())
    y.backward(retain_graph=True)
    y.backward()
    return [x, y]


def retained_graph_never_used(watch):
    x = watch.leaf(3)
    y = watch(x.exp().sum())
    y.backward(retain_graph=True)
    return [x, y]


def retained_gradient(watch):
    x = watch.leaf(3)
    y = watch(x * 2)
    y.retain_grad()
    y.sum().backward()
    return [x, y, watch(y.grad)]


def views(watch):
    x = watch.leaf(4, 3)
    y = watch(x * 1)
    parts = [watch(v) for v in (y[0], y.t(), y.reshape(-1), y[:, 1:], y.expand(2, 4, 3))]
    (parts[1].sum() + parts[4].sum()).backward()
    return [x, y, *parts]


def view_outlives_base(watch):
    x = watch.leaf(4, 3)
    return [watch(watch(x * 1)[0])]


def in_place(watch):
    x = watch.leaf(4, 3)
    y = watch(x * 1)
    view = watch(y[0])
    view.mul_(2)
    y.add_(view.sum())
    watch(y)
    watch(view)
    y.sum().backward()
    return [x, y, view]


def second_order(watch):
    x = watch.leaf(3)
    (gradient,) = rgrad.autograd.grad((x**3).sum(), x, create_graph=True)
    watch(gradient)
    (second,) = rgrad.autograd.grad(gradient.sum(), x)
    return [x, gradient, watch(second)]


def detached(watch):
    x = watch.leaf(3)
    y = watch(x * 2)
    z = watch(y.detach())
    z.requires_grad_()
    return [y, z, watch(z * 2)]


def failing_forward(watch):
    x = watch.leaf(3)
    y = watch(x * 2)
    with pytest.raises(RuntimeError):
        y @ rgrad.ones(4, 4, dtype=rgrad.float64)
    with pytest.raises(RuntimeError):
        y.add_(rgrad.ones(5, dtype=rgrad.float64))
    return [x, y]


def failing_backward(watch):
    x = watch.leaf(3)
    y = watch(x * 1)
    z = watch((y * y).sum())
    y.add_(1)
    with pytest.raises(RuntimeError):
        z.backward()
    return [x, y, z]


def tensor_hooks(watch):
    x = watch.leaf(3)
    y = watch(x * 2)
    seen = []
    y.register_hook(lambda g: seen.append(watch(g)))
    y.sum().backward()
    return [x, y, seen]


def modules(watch):
    layer = rgrad.nn.Linear(3, 2, dtype=rgrad.float64)
    for parameter in layer.parameters():
        watch(parameter)
    optimizer = rgrad.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        watch(rgrad.nn.functional.mse_loss(layer(watch.leaf(4, 3)), watch.leaf(4, 2, requires_grad=False))).backward()
        optimizer.step()
    return [layer, optimizer]


def unbound(watch):
    x = watch.leaf(3, 2)
    parts = [watch(p) for p in (x * 1).unbind(0)]
    return [parts[1], watch(rgrad.stack(parts))]


def data_and_grad_assigned(watch):
    x = watch.leaf(3)
    x.data = watch.leaf(5, requires_grad=False)
    x.grad = watch.leaf(5, requires_grad=False)
    return [x]


SCENARIOS = [
    forward,
    backward,
    twice_backward,
    retained_graph_never_used,
    retained_gradient,
    views,
    view_outlives_base,
    in_place,
    second_order,
    detached,
    failing_forward,
    failing_backward,
    tensor_hooks,
    modules,
    unbound,
    data_and_grad_assigned,
]


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_all_is_freed_by_counting(scenario, without_collector):
    watch = Watch()
    kept = scenario(watch)
    assert watch.left()
    del kept
    assert watch.left() == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_result_may_go_last(scenario, without_collector):
    """The results are dropped in the opposite order."""
    watch = Watch()
    kept = scenario(watch)
    while kept:
        kept.pop()
    assert watch.left() == []


def test_a_graph_is_freed_by_backward():
    """What an operation has saved goes while the result stays."""
    watch = Watch()
    x = rgrad.ones(3, dtype=rgrad.float64, requires_grad=True)
    y = (x * watch.leaf(3, requires_grad=False)).sum()
    # The object too: somebody has a weak reference to it, as the watch does, and its tensor lives.
    assert watch.left() == ["storage", "tensor"]
    y.backward()
    assert watch.left() == []
    assert y.grad_fn is not None


def test_an_exception_does_not_keep_tensors():
    watch = Watch()
    try:
        watch.leaf(3) @ watch.leaf(4)
    except RuntimeError as error:
        message = str(error)
    assert message
    assert watch.left() == []


def test_a_cycle_through_attributes_is_collected():
    watch = Watch()
    tensor = watch.leaf(3)
    tensor.myself = tensor
    other = watch(tensor * 2)
    other.first, tensor.second = tensor, other
    del tensor, other
    assert watch.left()
    gc.collect()
    assert watch.left() == []


def test_a_cycle_through_a_closure_is_collected():
    watch = Watch()

    def made():
        tensor = watch.leaf(3)
        tensor.call = lambda: tensor

    made()
    assert watch.left()
    gc.collect()
    assert watch.left() == []


def test_the_same_objects_come_back():
    """A graph gives back the object of a leaf, also after its name was gone for a while."""
    x = rgrad.ones(2, requires_grad=True)
    x.note = "kept"
    y = x * 2
    assert y.grad_fn is y.grad_fn
    leaf_node = y.grad_fn.next_functions[0][0]
    assert leaf_node.variable is x
    (y.sum()).backward()
    assert x.grad is x.grad


def test_long_chains_are_freed_without_recursion():
    x = rgrad.ones(1, requires_grad=True)
    for step in (lambda t: t + 1, lambda t: t[:], lambda t: t.view(-1)):
        y = x * 1
        for _ in range(30_000):
            y = step(y)
        del y
