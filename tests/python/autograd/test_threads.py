"""Tensors that cross threads: used, differentiated, dropped and visited by the collector where they were not made."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

import rgrad


def run_elsewhere(work):
    """Run `work` on another thread and give what it returns; its exception is raised here."""
    outcome: list[object] = []

    def body() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def test_a_tensor_of_one_thread_is_differentiated_on_another():
    x = rgrad.ones(3, requires_grad=True)
    y = run_elsewhere(lambda: (x * 2).sum())
    run_elsewhere(lambda: (y * 3).backward())
    assert x.grad.tolist() == [6.0, 6.0, 6.0]


def test_a_tensor_is_freed_by_the_thread_that_drops_it_last():
    holder = [rgrad.ones(3, requires_grad=True) * 2]
    alive = weakref.ref(holder[0])
    run_elsewhere(holder.clear)
    assert alive() is None


def test_the_collector_frees_a_cycle_from_another_thread():
    class Holder:
        pass

    holder = Holder()
    holder.tensor = rgrad.ones(3)
    holder.tensor.holder = holder
    alive = weakref.ref(holder.tensor)
    del holder
    run_elsewhere(gc.collect)
    assert alive() is None


def test_every_accumulation_of_several_threads_arrives():
    x = rgrad.zeros(4, requires_grad=True)

    def work() -> None:
        for _ in range(200):
            (x * 1.0).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.tolist() == [800.0] * 4


@pytest.mark.parametrize("enabled", [True, False])
def test_the_grad_mode_belongs_to_a_thread(enabled):
    with rgrad.set_grad_enabled(enabled):
        assert run_elsewhere(rgrad.is_grad_enabled)
