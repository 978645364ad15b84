"""What the profiler notes, sums up and writes."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import rgrad
from oracle import torch
from rgrad.autograd.profiler import profile, record_function
from rgrad.profiler import ProfilerAction, schedule


def program(library):
    x = library.ones(4, 5, requires_grad=True)
    (x * 2).exp().sum().backward()


def by_name(prof, **grouping):
    return {row.key: row for row in prof.key_averages(**grouping)}


def test_operations_and_nodes_are_noted() -> None:
    with profile() as prof:
        program(rgrad)
    rows = by_name(prof)
    for name in (
        "aten::mul",
        "aten::exp",
        "aten::sum",
        "MulBackward0",
        "ExpBackward0",
        "SumBackward0",
        "AccumulateGrad",
    ):
        assert rows[name].count >= 1, name
    assert prof.self_cpu_time_total > 0


def test_names_counts_of_operations_are_those_of_torch() -> None:
    with profile() as ours:
        program(rgrad)
    with torch.autograd.profiler.profile() as theirs:
        program(torch)
    expected = {row.key: row.count for row in theirs.key_averages()}
    found = by_name(ours)
    for name in ("aten::exp", "aten::sum", "MulBackward0", "ExpBackward0", "SumBackward0"):
        assert found[name].count == expected[name], name


def test_children_are_within_their_parents() -> None:
    with profile() as prof:
        with record_function("outer"):
            with record_function("inner"):
                rgrad.ones(3) + 1
    events = {event.name: event for event in prof.function_events}
    assert events["aten::add"].cpu_parent is events["inner"]
    assert events["inner"].cpu_parent is events["outer"]
    outer = events["outer"]
    assert outer.self_cpu_time_total == pytest.approx(outer.cpu_time_total - events["inner"].cpu_time_total)
    assert sum(event.self_cpu_time_total for event in prof.function_events) == pytest.approx(outer.cpu_time_total)


def test_record_function_decorates() -> None:
    @record_function("named")
    def work() -> None:
        rgrad.ones(3) * 2

    with profile() as prof:
        work()
        work()
    assert by_name(prof)["named"].count == 2


def test_shapes_lines_and_memory() -> None:
    with profile(record_shapes=True, with_stack=True, profile_memory=True) as prof:
        a, b = rgrad.ones(4, 5), rgrad.ones(5, 6)
        a @ b
        b.t()
    (product,) = (event for event in prof.function_events if event.name == "aten::matmul")
    assert product.input_shapes == [[4, 5], [5, 6]]
    assert product.stack[0].startswith(f"{__file__}(")
    assert product.cpu_memory_usage == 4 * 6 * 4
    assert by_name(prof)["aten::t"].cpu_memory_usage == 0
    table = prof.key_averages(group_by_input_shape=True).table(sort_by="cpu_memory_usage")
    assert "[[4, 5], [5, 6]]" in table and "CPU Mem" in table


def test_the_table_is_sorted_and_limited() -> None:
    with profile() as prof:
        for _ in range(3):
            rgrad.ones(3).exp()
        rgrad.ones(3).sin()
    table = prof.key_averages().table(sort_by="count", row_limit=1)
    rows = table.splitlines()
    assert rows[0].startswith("Name") and rows[2].startswith("aten::exp") and rows[3].startswith("Self CPU time total")
    with pytest.raises(ValueError, match="sort_by"):
        prof.key_averages().table(sort_by="beauty")


def test_a_trace_for_chrome(tmp_path: Path) -> None:
    with profile(record_shapes=True) as prof:
        program(rgrad)
    path = tmp_path / "trace.json"
    prof.export_chrome_trace(path)
    events = json.loads(path.read_text())["traceEvents"]
    (exp,) = (event for event in events if event["name"] == "aten::exp")
    (node,) = (event for event in events if event["name"] == "ExpBackward0")
    assert exp["ph"] == "X" and exp["dur"] > 0 and exp["args"]["Input Dims"] == [[4, 5]]
    assert exp["args"]["Sequence number"] == node["args"]["Sequence number"]
    assert node["ts"] > exp["ts"]


def test_other_threads_are_noted() -> None:
    with profile() as prof:
        rgrad.ones(3).sin()
        thread = threading.Thread(target=lambda: rgrad.ones(3).cos())
        thread.start()
        thread.join()
    threads = {event.name: event.thread for event in prof.function_events}
    assert threads["aten::sin"] != threads["aten::cos"]


def test_nothing_is_noted_when_it_is_off() -> None:
    with profile(enabled=False) as prof:
        rgrad.ones(3).sin()
    with pytest.raises(RuntimeError, match="no results"):
        prof.key_averages()
    with record_function("nobody listens"), profile() as prof:
        pass
    assert list(prof.function_events) == []


def test_one_profiler_is_on_at_a_time() -> None:
    with profile():
        with pytest.raises(RuntimeError, match="one can be on"), profile():
            pass
    with profile() as prof:
        rgrad.ones(3).sin()
    assert "aten::sin" in by_name(prof)


@pytest.mark.parametrize(
    "settings", [dict(wait=1, warmup=1, active=2), dict(wait=0, warmup=2, active=1, repeat=2, skip_first=3)]
)
def test_schedules_are_those_of_torch(settings) -> None:
    ours, theirs = schedule(**settings), torch.profiler.schedule(**settings)
    assert [ours(step).name for step in range(20)] == [theirs(step).name for step in range(20)]
    assert ours(0) in set(ProfilerAction)


def test_steps_are_recorded_by_a_schedule() -> None:
    recorded = []
    ready = lambda prof: recorded.append([event.name for event in prof.events() if event.name.startswith("Prof")])  # noqa: E731
    with rgrad.profiler.profile(schedule=schedule(wait=1, warmup=0, active=2), on_trace_ready=ready) as prof:
        for _ in range(6):
            rgrad.ones(3).sin()
            prof.step()
    assert recorded == [["ProfilerStep#1", "ProfilerStep#2"], ["ProfilerStep#4", "ProfilerStep#5"]]


def test_without_a_schedule_all_is_recorded(tmp_path: Path) -> None:
    activities = [rgrad.profiler.ProfilerActivity.CPU]
    handler = rgrad.profiler.tensorboard_trace_handler(str(tmp_path), "worker")
    with rgrad.profiler.profile(activities=activities, on_trace_ready=handler) as prof:
        program(rgrad)
    assert "exp" in prof.key_averages().table(sort_by="cpu_time_total")
    (written,) = tmp_path.iterdir()
    assert json.loads(written.read_text())["traceEvents"]
