"""Walking the graph behind tensors."""

import rgrad
from made_graphs import MadeNode, MadeTensor, chain, leaf, operation
from rgrad.graph.trace import trace


def test_inputs_come_before_their_users() -> None:
    w = rgrad.ones(3, requires_grad=True)
    y = (w * 2 + w).sum()
    traced = trace([y])
    for place, node in enumerate(traced.nodes):
        assert all(nearer < place for nearer, _ in node.inputs)
    assert [node.operation for node in traced.nodes].count("AccumulateGrad") == 1
    assert traced.nodes[-1].operation == "SumBackward0"
    assert traced.ends == [(len(traced.nodes) - 1, 0)]


def test_inputs_without_gradient_are_left_out() -> None:
    start, _ = leaf(3)
    traced = trace([MadeTensor(operation("MulBackward0", start, None))])
    assert traced.nodes[-1].inputs == ((0, 0),)


def test_an_input_used_twice_stays_twice() -> None:
    start, _ = leaf(3)
    traced = trace([MadeTensor(operation("MulBackward0", start, start))])
    assert len(traced.nodes) == 2
    assert traced.nodes[-1].inputs == ((0, 0), (0, 0))


def test_several_outputs_share_their_nodes() -> None:
    w = rgrad.ones(3, requires_grad=True)
    middle = w * 2
    traced = trace([middle, middle.sum()])
    assert len(traced.nodes) == 3
    assert [end and traced.nodes[end[0]].operation for end in traced.ends] == [
        "MulBackward0",
        "SumBackward0",
    ]


def test_a_tensor_without_history_has_no_node() -> None:
    traced = trace([rgrad.ones(3)])
    assert traced.nodes == []
    assert traced.ends == [None]


def test_nodes_that_tell_little_are_fine() -> None:
    class Bare:
        next_functions = ()

        def name(self) -> str:
            return "torch::autograd::OddBackward0"

    node = trace([MadeTensor(Bare())]).nodes[0]  # type: ignore[arg-type]
    assert node.operation == "OddBackward0"
    assert (node.outputs, node.place, node.saved_bytes, node.variable) == ((), None, 0, None)


def test_a_deep_graph_needs_no_recursion() -> None:
    start: MadeNode = leaf(3)[0]
    traced = trace([MadeTensor(chain(start, 100_000, "SinBackward0"))])
    assert len(traced.nodes) == 100_001
