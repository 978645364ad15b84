"""Element types: promotion, conversion, creation, limits, printing and the parts of complex numbers, as in torch."""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import agree, evaluated, gradients, lines

NAMES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
# torch has a complex type of float16, rgrad has not.
NO_COMPLEX = "float16"


def pairs():
    return [(a, b) for a in NAMES for b in NAMES]


@pytest.mark.parametrize("a, b", pairs())
def test_promotion(a, b):
    agree(lambda lib: lib.can_cast(getattr(lib, a), getattr(lib, b)))
    if {a, b} in ({NO_COMPLEX, "complex64"}, {NO_COMPLEX, "complex128"}):
        return
    agree(lambda lib: lib.promote_types(getattr(lib, a), getattr(lib, b)))
    agree(lambda lib: lib.result_type(lib.zeros(2, dtype=getattr(lib, a)), lib.zeros((), dtype=getattr(lib, b))))


@pytest.mark.parametrize("a, b", pairs())
@pytest.mark.parametrize("values", [[0, 1, 2, 3, 100, 200], [-3, 0, 1.5, 2.25]])
def test_conversion(a, b, values):
    agree(lambda lib: lib.tensor(values).to(getattr(lib, a)).to(getattr(lib, b)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [True, 2, 2.5, 1 + 2j])
def test_numbers(name, number):
    agree(lambda lib: lib.full((2,), number, dtype=getattr(lib, name)))
    agree(lambda lib: lib.tensor([number], dtype=getattr(lib, name)))
    if name != NO_COMPLEX or not isinstance(number, complex):
        agree(lambda lib: lib.result_type(lib.zeros(2, dtype=getattr(lib, name)), number))


EACH = """
    D.is_complex
    D.is_floating_point
    D.is_signed
    D.itemsize
    D.to_real()
    lib.finfo(D).eps
    repr(lib.finfo(D))
    repr(lib.iinfo(D))
    lib.tensor([0, 1, 2]).to(D).half()
    lib.tensor([0, 1, 2]).to(D).bfloat16()
    lib.tensor([0, 1, 2]).to(D).float()
    lib.tensor([0, 1, 2]).to(D).double()
    lib.tensor([0, 1, 2]).to(D).char()
    lib.tensor([0, 1, 2]).to(D).short()
    lib.tensor([0, 1, 2]).to(D).int()
    lib.tensor([0, 1, 2]).to(D).long()
    lib.tensor([0, 1, 2]).to(D).byte()
    lib.tensor([0, 1, 2]).to(D).bool()
    lib.tensor([0, 1, 2]).to(D).cfloat()
    lib.tensor([0, 1, 2]).to(D).cdouble()
    lib.zeros(2, dtype=D).type()
    lib.zeros(2).type_as(lib.zeros(2, dtype=D))
    repr(lib.tensor([[0, 1, 2], [3, 100, 77]]).to(D))
    lib.tensor(3).to(D).item()
    lib.tensor([3, 0]).to(D).tolist()
    lib.zeros(2, dtype=D, requires_grad=True)
    lib.tensor([0, 1, 2]).to(D).numpy()
    lib.arange(7, dtype=D)
    lib.linspace(0, 7, 13, dtype=D)
    lib.zeros(3, dtype=D)
    lib.ones(3, dtype=D)
    lib.empty(3, dtype=D).dtype
    lib.tensor([1, 2]).to(D).clone()
    lib.tensor([[1, 2], [3, 4]]).to(D).T.contiguous()
    lib.cat([lib.tensor([1, 2]).to(D), lib.tensor([3]).to(D)])
    lib.tensor([1, 2]).to(D) * lib.tensor([3, 4]).to(D)
    lib.tensor([1, 2]).to(D) == lib.tensor([1, 4]).to(D)
    lib.tensor([1, 2]).to(D).sum()
    lib.tensor([1, 2]).to(D) / lib.tensor([2, 4]).to(D)
"""


@pytest.mark.parametrize("expression", lines(EACH))
@pytest.mark.parametrize("name", NAMES)
def test_each_type(name, expression):
    agree(evaluated(expression.replace("D", f"lib.{name}")))


@pytest.mark.parametrize("name", [n for n in NAMES if "float" in n or "complex" in n])
@pytest.mark.parametrize("count", [5, 16, 37])
@pytest.mark.parametrize("call", ["rand(N, dtype=D)", "randn(N, dtype=D)", "zeros(N, dtype=D).uniform_(-2, 3)"])
def test_random_numbers(name, count, call):
    def program(library):
        library.manual_seed(3)
        return eval(f"library.{call}", {"library": library, "N": count, "D": getattr(library, name)})

    if "uniform_" in call and "complex" in name:
        return
    agree(program)


EXPRESSIONS = """
    lib.tensor(1 + 2j)
    lib.tensor([1, 2.0]) * 1j
    lib.tensor([1 + 2j]) < 1
    lib.tensor([1 + 2j]).max()
    lib.tensor([1 + 2j]) // 1
    lib.tensor([1 + 2j]).floor()
    lib.tensor([1 + 2j]).sign()
    lib.tensor([1 + 2j]).relu()
    lib.tensor([1 + 2j]).clamp(0, 1)
    lib.tensor([1 + 2j]).argmax()
    lib.tensor([1, 2]).fill_(1j)
    lib.tensor([1.0, 2]).mul_(1j)
    lib.arange(1j)
    lib.linspace(0, 1j, 3)
    lib.full((2,), 1j)
    lib.set_default_dtype(lib.complex64)
    lib.ones(2, dtype=lib.cfloat, requires_grad=True).sum().backward()
    int(lib.tensor(1 + 0j))
    float(lib.tensor(1 + 2j))
    complex(lib.tensor(1.5))
    bool(lib.tensor(1j))
    lib.ones(2).real
    lib.ones(2).imag
    lib.view_as_real(lib.ones(2))
    lib.view_as_complex(lib.ones(3))
    lib.complex(lib.ones(2), lib.ones(2).double())
    lib.tensor([1 + 2j, 3]).real
    lib.tensor([1 + 2j, 3]).imag
    lib.tensor([1 + 2j]).conj_physical_()
    lib.tensor([[1 + 2j, 3j]]).mH.resolve_conj()
    lib.tensor([[1 + 2j, 3j]]).H.resolve_conj()
    lib.tensor([3 + 4j]) / 0
    lib.tensor([1j, 0]).any()
    lib.tensor([1j, 0]).nonzero()
    lib.tensor([1j, 0]).tolist()
    lib.tensor(np.array([1j, 2], dtype=np.complex64))
    lib.tensor(np.float16(1.5))
    lib.tensor(2**63, dtype=lib.uint64)
    lib.tensor([2**64 - 1], dtype=lib.uint64).item()
    lib.tensor([2**64 - 1], dtype=lib.uint64).double()
    lib.tensor(300, dtype=lib.int8)
    lib.tensor([100], dtype=lib.int8) + 100
    lib.tensor([100], dtype=lib.int8) * lib.tensor([3], dtype=lib.uint8)
    lib.tensor([1, 2], dtype=lib.int8) < 300
    lib.tensor([-128], dtype=lib.int8).abs()
    lib.tensor([1, 2], dtype=lib.uint16) < 2
    lib.tensor([1, 2], dtype=lib.uint32).sum()
    lib.tensor([1, 2], dtype=lib.uint16) / 2
    lib.tensor([0.1], dtype=lib.half) == 0.1
    lib.tensor([0.1], dtype=lib.half) + 0.1
    lib.tensor([3.0], dtype=lib.bfloat16) * lib.tensor(0.1, dtype=lib.float64)
    lib.tensor([1.0], dtype=lib.bfloat16) + lib.tensor([257])
    lib.tensor([65504.0], dtype=lib.half) * 2
    repr(lib.finfo())
    repr(lib.tensor([1 + 2j, -0.5j]))
    repr(lib.tensor([1.5, 2.25], dtype=lib.half))
"""


@pytest.mark.parametrize("expression", lines(EXPRESSIONS))
def test_expressions(expression):
    agree(evaluated(expression))


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float64"])
def test_default_type(name):
    def program(library):
        library.set_default_dtype(getattr(library, name))
        try:
            return library.zeros(2).dtype, library.tensor(1.5).dtype, library.tensor([1, 2]).div(2).dtype
        finally:
            library.set_default_dtype(library.float32)

    agree(program)


VIEWS = [
    lambda lib, x: lib.view_as_real(x * 1)[..., 0],
    lambda lib, x: (x * (2 - 1j)).imag ** 2,
    lambda lib, x: lib.view_as_complex(lib.view_as_real(x * 1j)) ** 2,
]


@pytest.mark.parametrize("function", VIEWS)
def test_gradients_through_views_of_parts(function):
    def program(library):
        x = library.tensor([1 + 2j, -0.5j], dtype=library.complex128, requires_grad=True)
        y = function(library, x)
        total = library.view_as_real(y).sum() if y.is_complex() else y.sum()
        return y, library.autograd.grad(total, x)

    agree(program, strides=False)


def test_parts_changed_in_place():
    """A change of the real parts reaches the history of the complex base, and the other way round."""

    def program(library):
        x = library.tensor([1 + 2j, 3 - 1j], dtype=library.complex128, requires_grad=True)
        z = x * 1
        z.real.mul_(3)
        u = library.ones(2, 2, dtype=library.float64, requires_grad=True)
        pair = u * 2
        library.view_as_complex(pair).mul_(1j)
        total = (z.imag * z.real).sum() + (pair * pair[..., :1]).sum()
        return z, pair, library.autograd.grad(total, [x, u])

    agree(program, graph=False)


def test_real_inputs_get_the_real_part():
    def program(library):
        x = library.tensor([1.0, 2.0], dtype=library.float64, requires_grad=True)
        z = library.tensor([1j, 2 - 1j], dtype=library.complex128)
        y = library.view_as_real(library.resolve_conj((x * z).exp())).sum()
        return gradients(library, y, [x])

    agree(program)


FUNCTIONS = ["exp", "log", "sin", "tanh", "sqrt", "abs", "angle", "sgn", "reciprocal", "sigmoid", "conj", "prod", "var"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_complex_derivatives_are_those_of_the_parts(name):
    x = rgrad.tensor([0.5 + 1.5j, -1.2 + 0.3j, 0.7 - 0.8j], dtype=rgrad.complex128, requires_grad=True)
    function = getattr(rgrad, name)
    assert rgrad.autograd.gradcheck(function, x, check_forward_ad=True)
    assert rgrad.autograd.gradgradcheck(function, x, check_fwd_over_rev=True)


def test_numpy_shares_complex_and_half():
    for kind in ("float16", "complex64", "complex128", "int8", "uint32"):
        array = np.arange(4).astype(kind)
        tensor = rgrad.from_numpy(array)
        array[0] = 7
        assert tensor[0].item() == 7
        assert tensor.numpy().dtype == kind
    with pytest.raises(TypeError, match="bfloat16"):
        rgrad.ones(2, dtype=rgrad.bfloat16).numpy()


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", ["bfloat16", "complex64"])
def test_optimizers(optimizer, name):
    def program(library):
        x = library.tensor([1.0, -2.0]).to(getattr(library, name)).requires_grad_()
        steps = getattr(library.optim, optimizer)([x], lr=0.1, **({"foreach": False} if library is not rgrad else {}))
        for _ in range(3):
            steps.zero_grad()
            (x.abs() ** 2).sum().backward()
            steps.step()
        return x.detach()

    agree(program, slack=(2e-2, 1e-2) if name == "bfloat16" else None)
