"""The same program on rgrad and on torch, and what has to agree between the two runs."""

from __future__ import annotations

import builtins
import math
import warnings

import numpy as np
import pytest

import rgrad

torch = pytest.importorskip("torch")

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]
FLOATS = ["float32", "float64"]

# Relative and absolute slack, in the least precise type of a comparison.
SLACK = {
    "float16": (2e-3, 1e-3),
    "bfloat16": (1.6e-2, 8e-3),
    "float32": (2e-5, 3e-6),
    "float64": (1e-9, 1e-11),
    "complex64": (2e-5, 5e-6),
    "complex128": (1e-9, 1e-11),
}


class Raised:
    """What is compared of an exception: the builtin class that an `except` clause would name."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.kind = next(c for c in type(error).__mro__ if getattr(builtins, c.__name__, None) is c)

    def __repr__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


def run(program, library):
    """The result of `program(library)`, or what it raised."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return program(library)
    except Exception as error:  # noqa: BLE001 - the class is what the caller compares
        return Raised(error)


def agree(program, *, strides=True, graph=True, slack=None):
    """Run `program` on both libraries and compare everything that it returns, or the class that it raises."""
    ours, theirs = run(program, rgrad), run(program, torch)
    same(ours, theirs, strides=strides, graph=graph, slack=slack)
    return ours


def raises(program):
    """Both libraries refuse `program`, with the same class; gives our exception."""
    ours, theirs = run(program, rgrad), run(program, torch)
    assert isinstance(theirs, Raised), f"torch does not refuse this: {theirs!r}"
    same(ours, theirs)
    return ours.error


def evaluated(expression):
    """The program that gives the value of an expression in which `lib` is the library."""
    code = compile(expression, expression, "eval")
    return lambda library: eval(code, {"lib": library, "np": np, "math": math})


def lines(table):
    """The lines of a table of expressions; one that begins with # is a remark."""
    rows = [line.strip() for line in table.splitlines()]
    rows = [row for row in rows if row and not row.startswith("#")]
    assert len(set(rows)) == len(rows), [row for row in rows if rows.count(row) > 1]
    return rows


def kind_of(value) -> str:
    if isinstance(value, (rgrad.Tensor, torch.Tensor)):
        return "tensor"
    if isinstance(value, (rgrad.dtype, torch.dtype)):
        return "dtype"
    if isinstance(value, (rgrad.Size, torch.Size)):
        return "size"
    if isinstance(value, tuple):
        return "tuple"
    return type(value).__name__


def same(ours, theirs, *, strides=True, graph=True, slack=None, where="result"):
    """Assert that two results, however nested, are the same."""
    if isinstance(ours, Raised) or isinstance(theirs, Raised):
        assert isinstance(ours, Raised), f"{where}: torch raises {theirs}, rgrad gives {ours!r}"
        assert isinstance(theirs, Raised), f"{where}: rgrad raises {ours}, torch gives {theirs!r}"
        assert ours.kind is theirs.kind, f"{where}: rgrad raises {ours}, torch raises {theirs}"
        return
    kind = kind_of(theirs)
    assert kind_of(ours) == kind, f"{where}: {ours!r} is no {kind} like {theirs!r}"
    if kind == "tensor":
        same_tensor(ours, theirs, strides=strides, graph=graph, slack=slack, where=where)
    elif kind == "dtype":
        assert str(ours) == str(theirs), where
    elif kind in ("tuple", "list", "size"):
        assert len(ours) == len(theirs), f"{where}: {len(ours)} items, torch has {len(theirs)}"
        for i, pair in enumerate(zip(ours, theirs)):
            same(*pair, strides=strides, graph=graph, slack=slack, where=f"{where}[{i}]")
    elif kind == "dict":
        assert list(ours) == list(theirs), where
        for key in theirs:
            same(ours[key], theirs[key], strides=strides, graph=graph, slack=slack, where=f"{where}[{key!r}]")
    elif kind == "ndarray":
        assert ours.dtype == theirs.dtype, where
        assert ours.shape == theirs.shape, where
        close(ours, theirs, slack, where)
    elif kind == "float":
        assert (
            ours == theirs
            or (math.isnan(ours) and math.isnan(theirs))
            or math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-9)
        ), f"{where}: {ours!r} instead of {theirs!r}"
    else:
        assert ours == theirs, f"{where}: {ours!r} instead of {theirs!r}"


def same_tensor(ours, theirs, *, strides, graph, slack, where):
    assert str(ours.dtype) == str(theirs.dtype), f"{where}: {ours.dtype} instead of {theirs.dtype}"
    assert tuple(ours.shape) == tuple(theirs.shape), f"{where}: {ours.shape} instead of {theirs.shape}"
    if strides:
        found, expected = meaningful_strides(ours), meaningful_strides(theirs)
        assert found == expected, f"{where}: strides {ours.stride()} instead of {theirs.stride()}"
    if graph:
        assert ours.requires_grad == theirs.requires_grad, f"{where}: requires_grad is {ours.requires_grad}"
        assert ours.is_leaf == theirs.is_leaf, f"{where}: is_leaf is {ours.is_leaf}"
        names = (node_name(ours.grad_fn), node_name(theirs.grad_fn))
        assert names[0] == names[1], f"{where}: grad_fn is {names[0]} instead of {names[1]}"
    slack = slack or SLACK.get(str(theirs.dtype).partition(".")[2])
    ours, theirs = ours.detach(), theirs.detach()
    if theirs.dtype == torch.bfloat16:
        # Which numpy does not have.
        ours, theirs = ours.float(), theirs.float()
    # Forced: PyTorch's zeros without memory, which some second gradients are, become an array only so.
    close(ours.numpy(), theirs.numpy(force=True), slack, where)


def meaningful_strides(tensor):
    """Strides along the dimensions where a step leads somewhere."""
    if tensor.numel() == 0:
        return None
    return [stride for size, stride in zip(tensor.shape, tensor.stride()) if size > 1]


def node_name(node) -> str | None:
    return None if node is None else node.name().split("::")[-1]


def close(ours, theirs, slack, where):
    """Equal, or for floats as close as two correct implementations come."""
    if theirs.dtype.kind not in "fc":
        np.testing.assert_array_equal(ours, theirs, err_msg=where)
        return
    relative, absolute = slack or SLACK[theirs.dtype.name]
    pairs = [(ours, theirs)]
    if np.iscomplexobj(theirs):  # Beside an infinite part, numpy wants the other one exact.
        infinite = np.isinf(theirs) & ~np.isnan(theirs)
        pairs = [(ours[~infinite], theirs[~infinite])]
        pairs += [(part(ours[infinite]), part(theirs[infinite])) for part in (np.real, np.imag)]
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=relative, atol=absolute, equal_nan=True, err_msg=where)


def gradients(library, output, leaves, orders=2):
    """The gradients of an uneven sum of the output, order by order, with zeros where nothing depends on a leaf."""
    given, outputs = [], [output]
    for _ in range(orders):
        total = None
        for tensor in outputs:
            if tensor is not None and tensor.requires_grad:
                weights = library.arange(1, tensor.numel() + 1).reshape(tensor.shape).to(tensor.dtype)
                term = (tensor * weights).sum()
                total = term if total is None else total + term
        if total is None:
            break
        outputs = library.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
        # Adding to zeros also gives memory to those zeros of torch that have none.
        zeros = [library.zeros_like(x) for x in leaves]
        given.append([zero if g is None else zero + g.detach() for g, zero in zip(outputs, zeros)])
    return given + [[library.zeros_like(x) for x in leaves]] * (orders - len(given))


def graph_shape(node, depth=12):
    """A graph as nested tuples of names, to compare its structure."""
    if node is None or depth == 0:
        return None
    below = tuple((graph_shape(child, depth - 1), number) for child, number in node.next_functions)
    return (node_name(node), below)
