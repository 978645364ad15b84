"""Refusals: torch's class, a message that says what was wrong and where, and nothing half-changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rgrad
from oracle import Raised, lines, raises, run, torch
from samples import operations, samples
from test_operations import Call

# `a` and `b` are float tensors of sizes (2, 3), `i` an integer and `m` a bool one.
REFUSED = """
    a + lib.ones(4)
    a * lib.ones(3, 2)
    lib.add(a, lib.ones(4))
    lib.add(a)
    lib.add()
    lib.add(a, b, 3)
    lib.add(a, b, unknown=3)
    lib.add(a, "b")
    lib.add("a", b)
    lib.add(a, None)
    lib.sub(a, [1])
    lib.mul(a, {})
    lib.exp(3)
    lib.exp(a, b)
    lib.exp(None)
    lib.pow("a", 2)
    lib.where(m, a, lib.ones(5))
    lib.where(a, a, b)
    lib.matmul(a, b)
    lib.matmul(a, lib.tensor(1.0))
    lib.matmul(a, 3)
    lib.mm(a, b)
    lib.mm(a, lib.ones(3))
    lib.mm(a, lib.ones(3, 4, dtype=lib.float64))
    lib.bmm(a, b)
    lib.mv(a, lib.ones(2))
    lib.dot(a, b)
    lib.dot(lib.ones(2), lib.ones(3))
    lib.outer(a, b)
    lib.addmm(a, a, a)
    a @ i.t()
    a.sum(2)
    a.sum(-3)
    a.sum("a")
    a.sum(1.5)
    a.sum((0, 0))
    a.sum((0, 5))
    a.mean(7)
    i.mean()
    m.mean()
    a.max(2)
    a.min(-5)
    lib.zeros(0).max()
    lib.zeros(0).min()
    lib.zeros(0, 3).max(0)
    lib.zeros(0).argmax()
    lib.zeros(2, 0).amax(1)
    a.amax(9)
    a.var(5)
    a.prod((0, 1))
    a.argmax(4)
    a.all(3)
    a.softmax(5)
    a.softmax()
    a.log_softmax("a")
    a.logsumexp(4)
    a.reshape(4)
    a.reshape(-1, -1)
    a.reshape(-1, 4)
    a.reshape("a")
    a.reshape()
    a.reshape(2.0, 3)
    a.view(5)
    a.t().view(6)
    a.view()
    a.view(-2, 3)
    a.expand(3)
    a.expand(5, 3)
    a.expand(-1, -1, -1, 3)
    a.expand(2, 4)
    a.permute(0)
    a.permute(0, 0)
    a.permute(0, 2)
    a.permute(0, 1, 2)
    a.transpose(0, 2)
    a.transpose(0)
    a.unsqueeze(4)
    a.unsqueeze(-4)
    a.unsqueeze()
    a.squeeze(3)
    a.select(2, 0)
    a.select(0, 2)
    a.select(0, -3)
    a.narrow(0, 0, 3)
    a.narrow(0, -4, 1)
    a.narrow(0, 0, -1)
    a.narrow(3, 0, 1)
    a.split(-1)
    a.split([1, 2])
    a.split([2, -1])
    a.chunk(0)
    a.chunk(2, 4)
    a.unbind(2)
    lib.tensor(1.0).unbind()
    a.flatten(1, 0)
    a.flatten(3)
    a.movedim(0, 3)
    a.movedim((0, 1), (0,))
    a.t().t().unsqueeze(0).t()
    a.broadcast_to((3,))
    a.as_strided((2, 2), (1,))
    a.as_strided((5, 5), (3, 1))
    a.as_strided((2,), (-1,))
    lib.cat([])
    lib.cat([a, lib.ones(2, 4)])
    lib.cat([a, lib.ones(2)])
    lib.cat([a, b], 2)
    lib.cat([a, 3])
    lib.cat(a)
    lib.cat(3)
    lib.stack([])
    lib.stack([a, lib.ones(3, 2)])
    lib.stack([a], 3)
    a.gather(0, i + 9)
    a.gather(2, i)
    a.gather(0, a)
    a.gather(0, lib.tensor([0]))
    a.index_select(0, lib.tensor([2]))
    a.index_select(0, i)
    a.index_select(2, lib.tensor([0]))
    a.index_select(0, lib.tensor([0.5]))
    a.scatter(0, i, lib.ones(1, 1))
    a.scatter(0, i + 9, 1.0)
    a.scatter_add(0, i, 1.0)
    a.masked_select(i)
    a.masked_select(lib.tensor([True, False]))
    a.masked_fill(i, 1.0)
    a.masked_fill(m, lib.ones(2))
    a.masked_fill(lib.tensor([True, False]), 0)
    a.clamp()
    a.clamp("a")
    a.clamp(lib.ones(5))
    a.add_(lib.ones(5, 2, 3))
    a.add_("a")
    i.add_(1.5)
    i.div_(2)
    m.add_(1)
    i.exp_()
    a.copy_(lib.ones(4))
    a.fill_(lib.ones(2))
    a.fill_("a")
    a.item()
    a.unknown
    a.unknown()
    lib.unknown
    a.backward()
    a.requires_grad_().backward()
    a.requires_grad_().sum().backward(lib.ones(2))
    a.requires_grad_().sum().backward("a")
    (a.requires_grad_() * 2).backward(lib.ones(3, 2))
    i.requires_grad_()
    (a.requires_grad_() * 2).requires_grad_(False)
    lib.autograd.grad(a, a)
    lib.autograd.grad(a.requires_grad_() * 2, a)
    lib.autograd.grad(a.requires_grad_().sum(), [])
    lib.autograd.grad(a.requires_grad_().sum(), [b.requires_grad_()])
    lib.autograd.grad(a.requires_grad_().sum(), 3)
    lib.autograd.grad([a.requires_grad_().sum()], a, [lib.ones(3)])
    lib.autograd.backward([a])
    lib.autograd.backward(3)
    a.retain_grad()
    a.size(2)
    a.size("a")
    a.stride(5)
    a.to("nonsense")
    a.new_zeros("a")
    lib.set_grad_enabled()
    lib.set_grad_enabled("yes")
    lib.promote_types(lib.float32, 3)
    lib.result_type("a", 2)
    lib.can_cast(lib.float32)
    lib.set_num_threads(0)
    lib.set_num_threads(-1)
    lib.equal(a, 3)
    lib.allclose(a, lib.ones(4))
    lib.allclose(a, a, rtol=-1)
    lib.isclose(a, a.double())
    lib.is_tensor()
    lib.device("nonsense")
    lib.device(3.5)
    lib.dtype()
    lib.Size("a")
    lib.Size([1.5])
    lib.ones(2).__getattr__(3)
    setattr(a, "shape", (1,))
    setattr(a, "grad_fn", None)
    setattr(a, "is_leaf", True)
    delattr(a, "shape")
"""


def operands(lib, dtype="float32"):
    return {
        "lib": lib,
        "a": (lib.arange(6).to(getattr(lib, dtype)) / 3).reshape(2, 3),
        "b": lib.ones(2, 3),
        "i": lib.zeros(2, 3, dtype=lib.int64),
        "m": lib.ones(2, 3) > 0,
    }


@pytest.mark.parametrize("expression", lines(REFUSED))
def test_classes(expression):
    """Torch's class, with a message; the operands are as they were."""
    code = compile(expression, expression, "eval")

    def program(lib):
        names = operands(lib)
        before = {name: names[name].clone() for name in "abim"}
        try:
            return eval(code, names)
        finally:
            if lib is rgrad:
                assert all(lib.equal(names[name].detach(), before[name]) for name in "abim")
                assert all(names[name]._version == 0 for name in "abim")

    error = raises(program)
    assert str(error).strip()


# What a message names: the operation, what came, and what was expected.
MESSAGES = {
    "a + lib.ones(4)": ["add", "(2, 3)", "(4,)"],
    "lib.mm(a, b)": ["mm", "(2, 3)"],
    "a.reshape(4)": ["(2, 3)", "4"],
    "a.sum(5)": ["sum", "5"],
    "a.t().view(6)": ["view", "reshape"],
    "lib.exp('x')": ["exp", "Tensor", "str"],
    "lib.add(a, b, unknown=3)": ["add", "unknown"],
    "lib.cat([a, lib.ones(2, 4, 1)])": ["cat", "(2, 3)", "(2, 4, 1)"],
    "a.index_select(0, lib.tensor([7]))": ["index_select", "7"],
    "i.add_(1.5)": ["add", "float32", "int64"],
    "a.masked_fill(i, 1)": ["masked_fill", "bool", "int64"],
    "lib.zeros(0).max()": ["max"],
    "a.expand(5, 3)": ["expand", "(2, 3)", "(5, 3)"],
    "a.item()": ["item", "(2, 3)"],
    "a[0, 0, 0]": ["2", "dimensions"],
    "a[5]": ["5", "2"],
    "lib.nn.functional.nll_loss(a, i[:, 0] + 9)": ["nll_loss", "9", "3"],
    "lib.tensor([[1], [2, 3]])": ["1", "2"],
    "lib.tensor(300, dtype=lib.uint8)": ["300", "uint8"],
}


@pytest.mark.parametrize("expression", MESSAGES)
def test_messages(expression):
    outcome = run(lambda lib: eval(expression, operands(lib)), rgrad)
    assert isinstance(outcome, Raised)
    missing = [part for part in MESSAGES[expression] if part not in str(outcome.error)]
    assert not missing, str(outcome.error)


def test_a_failing_backward_names_the_line_of_the_operation():
    def line_of(program):
        with pytest.raises(RuntimeError) as caught:
            program()
        return str(caught.value)

    x = rgrad.ones(3, requires_grad=True)

    def changed():
        y = x.exp()  # here
        y.add_(1)  # there
        y.sum().backward()

    first = changed.__code__.co_firstlineno
    message = line_of(changed)
    assert f"test_errors.py:{first + 1}" in message
    assert f"test_errors.py:{first + 2}" in message

    def freed():
        y = x.exp()
        z = y.sum()
        z.backward()
        z.backward()

    assert f"test_errors.py:{freed.__code__.co_firstlineno + 1}" in line_of(freed)


ARGUMENTS = {
    "tensor": lambda lib, n: lib.arange(6.0).reshape(2, 3) + n,
    "vector": lambda lib, n: lib.arange(float(n + 1)),
    "scalar tensor": lambda lib, n: lib.tensor(n / 2),
    "integers": lambda lib, n: lib.arange(6).reshape(2, 3) % (n + 1),
    "indices": lambda lib, n: lib.tensor([0, n]),
    "bools": lambda lib, n: lib.arange(6).reshape(2, 3) > n,
    "bytes": lambda lib, n: lib.ones(2, 3, dtype=lib.uint8),
    "doubles": lambda lib, n: lib.ones(3, 2, dtype=lib.float64),
    "empty": lambda lib, n: lib.zeros(0, n),
    "deep": lambda lib, n: lib.ones(2, 1, 3),
    "tensors": lambda lib, n: [lib.ones(2, 3)] * n,
    "int": lambda lib, n: n,
    "negative": lambda lib, n: -n,
    "huge": lambda lib, n: 2 ** (20 * (n + 1)),
    "float": lambda lib, n: n + 0.5,
    "nan": lambda lib, n: float("nan"),
    "bool": lambda lib, n: bool(n % 2),
    "None": lambda lib, n: None,
    "text": lambda lib, n: ["mean", "floor", "a"][n % 3],
    "list": lambda lib, n: list(range(n)),
    "tuple": lambda lib, n: (n, -1),
    "floats": lambda lib, n: [0.5] * n,
    "nested": lambda lib, n: [[n], n],
    "dtype": lambda lib, n: [lib.float64, lib.int64, lib.bool][n % 3],
    "array": lambda lib, n: np.arange(float(n)),
    "object": lambda lib, n: object(),
    "slice": lambda lib, n: slice(n),
    "dict": lambda lib, n: {},
}
NAMES = ["dim", "keepdim", "dtype", "out", "alpha", "other", "input", "value", "reduction", "weight", "x"]
ARGUMENT = st.tuples(st.sampled_from(list(ARGUMENTS)), st.integers(0, 3))


def callable_of(lib, name, way):
    if way == "functional":
        return getattr(lib._rgrad._nn if lib is rgrad else lib.nn.functional, name, None)
    if way == "function":
        return getattr(lib, name, None)
    return getattr(lib.Tensor, name + ("_" if way == "in_place" else ""), None)


WAYS = ("functional", "function", "method", "in_place")
CALLS = sorted((name, way) for name, rows in operations().items() for way in WAYS if any(row[way] for row in rows))


@settings(max_examples=2500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(CALLS),
    st.lists(ARGUMENT, max_size=4),
    st.dictionaries(st.sampled_from(NAMES), ARGUMENT, max_size=1),
)
def test_no_argument_breaks_an_operation(call, positional, keywords):
    """Whatever comes, the outcome is a result or an ordinary exception with a message."""
    ours = outcome(rgrad, call, positional, keywords)
    if isinstance(ours, Raised):
        assert isinstance(ours.error, (TypeError, ValueError, RuntimeError, IndexError, AttributeError, MemoryError)), (
            ours
        )
        assert not isinstance(ours.error, SystemError) and "Panic" not in type(ours.error).__name__
        assert str(ours.error).strip()


def outcome(lib, call, positional, keywords):
    arguments = [ARGUMENTS[kind](lib, n) for kind, n in positional]
    named = {name: ARGUMENTS[kind](lib, n) for name, (kind, n) in keywords.items()}
    return run(lambda lib: callable_of(lib, *call)(*arguments, **named), lib)


WRONG = """
    vector, scalar tensor, integers, bools, doubles, deep, int, negative, float, None, text, object, tuple
""".strip().split(", ")


def is_accident(ours: Raised, theirs: Raised, kind: str) -> bool:
    """What PyTorch raises where nobody refuses an argument: its code asks a wrong object or a wrong size for more."""
    if theirs.kind is AttributeError:
        return ours.kind is TypeError
    message = str(theirs.error)
    unrefused = (
        "Dimension out of range",
        "Dimension specified as",
        "Boolean value of Tensor",
        "start must be an 0-dim",
    )
    unforeseen = ("Could this error message be improved", "SmallVector unable to grow", "sizes must be non-empty")
    is_tensor = isinstance(ARGUMENTS[kind](torch, 2), torch.Tensor)
    return is_tensor and any(text in message for text in unrefused) or any(text in message for text in unforeseen)


@pytest.mark.parametrize("call", [c for c in CALLS if c[1] != "functional" and callable_of(torch, *c)], ids="-".join)
def test_classes_of_wrong_arguments(call):
    """Good calls of which one argument is replaced: where both libraries refuse, they do it with the same class."""
    good = {len(sample.arguments): sample for sample in samples(call[0]) if sample.arguments}
    for sample in good.values():
        for place in range(call[1] != "function", len(sample.arguments)):
            for kind in WRONG:

                def program(lib):
                    arguments, keywords, _ = Call(sample, "float32", "contiguous", False).arguments(lib)
                    arguments[place] = ARGUMENTS[kind](lib, 2)
                    return callable_of(lib, *call)(*arguments, **keywords)

                ours, theirs = run(program, rgrad), run(program, torch)
                if isinstance(ours, Raised) and isinstance(theirs, Raised) and not is_accident(ours, theirs, kind):
                    told = f"{call[0]} {call[1]}, {sample} with {kind} at {place}"
                    assert ours.kind is theirs.kind, f"{told}: {ours!r}, torch: {theirs!r}"
