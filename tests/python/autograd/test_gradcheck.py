"""Derivatives checked against finite differences: what passes, what is found out, and how it is said."""

from __future__ import annotations

import itertools
import warnings

import pytest

import rgrad
from oracle import agree, raises
from rgrad.autograd import Function, gradcheck, gradgradcheck
from rgrad.autograd.gradcheck import GradcheckError


def point(lib, dtype=None):
    dtype = dtype or lib.float64
    x = lib.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], dtype=dtype, requires_grad=True)
    y = lib.tensor([1.0, -2.0, 0.5], dtype=dtype, requires_grad=True)
    return x, y


def wrong_factor(lib):
    class WrongFactor(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a * a

        @staticmethod
        def backward(ctx, g):
            return g * 3 * ctx.saved_tensors[0]

    return WrongFactor.apply


def ignores_its_gradient(lib):
    class IgnoresItsGradient(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a.sum()

        @staticmethod
        def backward(ctx, g):
            return lib.ones(2, 3, dtype=lib.float64)

    return IgnoresItsGradient.apply


def mistakes_a_missing_gradient(lib):
    class MistakesAMissingGradient(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.set_materialize_grads(False)
            return a * 2, a * 3

        @staticmethod
        def backward(ctx, g, h):
            if g is None or h is None:
                return lib.ones(2, 3, dtype=lib.float64)
            return g * 2 + h * 3

    return MistakesAMissingGradient.apply


def differs_each_time(lib):
    count = itertools.count()

    class DiffersEachTime(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return g * (2 + 1e-9 * next(count))

    return DiffersEachTime.apply


def wrong_tangent(lib):
    class WrongTangent(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

        @staticmethod
        def jvp(ctx, u):
            return u * 3

    return WrongTangent.apply


def constant_gradient(lib):
    class ConstantGradient(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a**3

        @staticmethod
        def backward(ctx, g):
            (a,) = ctx.saved_tensors
            return g * 3 * (a * a).detach()

    return ConstantGradient.apply


FIRST = {
    "two inputs": lambda lib, c, x, y, **k: c(lambda x, y: (x * y).sin(), (x, y), **k),
    "two outputs": lambda lib, c, x, y, **k: c(lambda x, y: ((x * y).sin(), y.exp()), (x, y), **k),
    "a list": lambda lib, c, x, y, **k: c(lambda x: x * 2, [x], **k),
    "a tensor": lambda lib, c, x, y, **k: c(lambda x: x * 2, x, **k),
    "a number": lambda lib, c, x, y, **k: c(lambda x, n: x * n, (x, 3), **k),
    "forward mode": lambda lib, c, x, y, **k: c(
        lambda x, y: ((x * y).sin(), y.exp()), (x, y), check_forward_ad=True, **k
    ),
    "forward mode only": lambda lib, c, x, y, **k: c(
        lambda x: x.sin(), x, check_forward_ad=True, check_backward_ad=False, **k
    ),
    "wrong factor": lambda lib, c, x, y, **k: c(wrong_factor(lib), x, **k),
    "ignored gradient": lambda lib, c, x, y, **k: c(ignores_its_gradient(lib), x, **k),
    "missing gradient": lambda lib, c, x, y, **k: c(mistakes_a_missing_gradient(lib), x, **k),
    "differs": lambda lib, c, x, y, **k: c(differs_each_time(lib), x, **k),
    "differs little": lambda lib, c, x, y, **k: c(differs_each_time(lib), x, nondet_tol=1e-3, **k),
    "wrong tangent": lambda lib, c, x, y, **k: c(wrong_tangent(lib), x, check_forward_ad=True, **k),
    "unused wrong tangent": lambda lib, c, x, y, **k: c(wrong_tangent(lib), x, **k),
    "a constant": lambda lib, c, x, y, **k: c(lambda x: lib.ones(3, dtype=lib.float64), x, **k),
    "detached": lambda lib, c, x, y, **k: c(lambda x: x.detach() * 2, x, **k),
    "partly detached": lambda lib, c, x, y, **k: c(lambda x: (x * 2, x.detach() * 2), x, **k),
    "an integer result": lambda lib, c, x, y, **k: c(lambda x: (x * 2, (x > 0).long()), x, **k),
    "no elements": lambda lib, c, x, y, **k: c(
        lambda x: x * 2, lib.ones(0, 3, dtype=lib.float64, requires_grad=True), **k
    ),
    "a scalar": lambda lib, c, x, y, **k: c(
        lambda x: x**2, lib.tensor(2.0, dtype=lib.float64, requires_grad=True), **k
    ),
    "a captured tensor": lambda lib, c, x, y, **k: c(lambda _: x * x, x, **k),
    "one tensor twice": lambda lib, c, x, y, **k: c(lambda a, b: a * b, (x, x), **k),
    "a transposed leaf": lambda lib, c, x, y, **k: c(lambda a: a * a, x.detach().t().requires_grad_(), **k),
    "no leaf": lambda lib, c, x, y, **k: c(lambda a: a * a, (x * 2)[0], **k),
    "shared memory": lambda lib, c, x, y, **k: c(lambda a: a * a, y.expand(2, 3), **k),
    "no grad needed": lambda lib, c, x, y, **k: c(lambda a: a * a, x.detach(), **k),
    "not a number": lambda lib, c, x, y, **k: c(lambda a: a.sqrt(), x, **k),
    "another size": lambda lib, c, x, y, **k: c(lambda a: a[:2] if (a[0] > 1).item() else a, y, **k),
    "changed in place": lambda lib, c, x, y, **k: c(lambda a: a.clone().mul_(a), x, **k),
    "its own error": lambda lib, c, x, y, **k: c(lambda a: 1 / 0, x, **k),
    "the identity": lambda lib, c, x, y, **k: c(lambda a: a, x, **k),
}

SECOND = {
    "two outputs": lambda lib, c, x, y, **k: c(lambda x, y: ((x * y).sin(), y * y * x), (x, y), **k),
    "no second derivative": lambda lib, c, x, y, **k: c(constant_gradient(lib), x, **k),
    "given gradients": lambda lib, c, x, y, **k: c(lambda x: x * x, x, lib.ones(2, 3, dtype=lib.float64), **k),
    "spread gradients": lambda lib, c, x, y, **k: c(lambda x: x**3, x, gen_non_contig_grad_outputs=True, **k),
    "forward over reverse": lambda lib, c, x, y, **k: c(lambda x: x**3, x, check_fwd_over_rev=True, **k),
    "linear": lambda lib, c, x, y, **k: c(lambda x: x * 3, x, **k),
    "a number": lambda lib, c, x, y, **k: c(lambda x: (x * x).sum(), x, **k),
    "spread gradient of a number": lambda lib, c, x, y, **k: c(
        lambda x: (x * x).sum(), x, gen_non_contig_grad_outputs=True, **k
    ),
}


@pytest.mark.parametrize("raise_exception", [False, True])
@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("case", FIRST.values(), ids=FIRST)
def test_first_derivatives(case, fast_mode, raise_exception):
    def program(lib):
        flags = {"fast_mode": fast_mode, "raise_exception": raise_exception}
        x, y = point(lib)
        verdict = case(lib, lib.autograd.gradcheck, x, y, **flags)
        return verdict, x, x._version, x.grad

    agree(program)


@pytest.mark.parametrize("raise_exception", [False, True])
@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("case", SECOND.values(), ids=SECOND)
def test_second_derivatives(case, fast_mode, raise_exception):
    flags = {"fast_mode": fast_mode, "raise_exception": raise_exception}
    agree(lambda lib: case(lib, lib.autograd.gradgradcheck, *point(lib), **flags))


@pytest.mark.parametrize(
    "program",
    [
        lambda lib, x: lib.autograd.gradcheck(lambda x: x, x, check_backward_ad=False),
        lambda lib, x: lib.autograd.gradcheck(
            lambda x: x, x, check_backward_ad=False, check_forward_ad=True, check_batched_grad=True
        ),
        lambda lib, x: lib.autograd.gradcheck(lambda x: x, x, check_batched_forward_grad=True),
        lambda lib, x: lib.autograd.gradgradcheck(lambda x: x, x, check_rev_over_rev=False),
        lambda lib, x: lib.autograd.gradgradcheck(lambda x: x, x, check_rev_over_rev=False, check_fwd_over_rev=True),
        lambda lib, x: lib.autograd.gradcheck(lambda x: x, x, 1e-6),
    ],
)
def test_options_that_contradict_each_other(program):
    raises(lambda lib: program(lib, point(lib)[0]))


def change_a_view(x, y):
    base = x * 1
    base[0].mul_(y)
    return base


def test_a_change_of_a_view_backward():
    assert gradcheck(change_a_view, point(rgrad))
    assert gradgradcheck(change_a_view, point(rgrad))


def test_a_change_of_a_view_in_forward_mode():
    assert gradcheck(change_a_view, point(rgrad), check_forward_ad=True, check_backward_ad=False)


def test_the_message_tells_which_element_is_wrong():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * 2, b * 3

        @staticmethod
        def backward(ctx, g, h):
            h = h * 3
            h[1, 2] = h[1, 2] * 2
            return g * 2, h

    x, y = rgrad.ones(2, dtype=rgrad.float64, requires_grad=True), point(rgrad)[0]
    expected = (
        r"output 1\[1, 2\] by input 1\[1, 2\] is 6 by backward mode and 3 by finite differences; 1 of 36 elements"
    )
    for fast_mode in (False, True):
        with pytest.raises(GradcheckError, match=expected):
            gradcheck(Wrong.apply, (x, y), fast_mode=fast_mode)


def test_inputs_are_as_before_when_the_function_fails():
    x = point(rgrad)[0]
    before = x.tolist()
    calls = itertools.count()

    def function(x):
        if next(calls) == 4:
            raise KeyError("the fifth call")
        return x * 2

    with pytest.raises(KeyError):
        gradcheck(function, x)
    assert x.tolist() == before


def test_float32_is_checked_in_float64():
    x, y = point(rgrad, rgrad.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcheck(lambda x, y: (x * y).exp(), (x, y), check_forward_ad=True)
        assert gradgradcheck(lambda x, y: (x * y).exp(), (x, y))
        assert not gradcheck(wrong_factor(rgrad), x, raise_exception=False)


@pytest.mark.parametrize("right", [True, False])
def test_a_function_of_float32_alone_is_checked_coarsely(right):
    x, y = point(rgrad, rgrad.float32)
    other = x.detach().t().contiguous()

    def function(x):
        return (x if right else wrong_factor(rgrad)(x)) @ other

    with pytest.warns(UserWarning, match="float32"):
        assert gradcheck(function, x, raise_exception=False) is right


def test_the_older_functions():
    gradcheck_module = "autograd.gradcheck"

    def of(lib, name):
        import importlib

        return getattr(importlib.import_module(f"{lib.__name__}.{gradcheck_module}"), name)

    def numerical(lib):
        x, y = point(lib)
        return of(lib, "get_numerical_jacobian")(lambda inputs: (inputs[0] * inputs[1]).sum(0), (x, y))

    def of_one_input(lib):
        x, y = point(lib)
        call = of(lib, "get_numerical_jacobian_wrt_specific_input")
        return call(lambda a, b: ((a * b).sum(0), a), 1, (x, y), ((x * y).sum(0), x), 1e-4)

    def analytical(lib):
        x, y = point(lib)
        return of(lib, "get_analytical_jacobian")((x, y), (x * y).sum(0))

    agree(numerical, strides=False, slack=(1e-6, 1e-9))
    agree(of_one_input, strides=False, slack=(1e-6, 1e-9))
    agree(analytical, strides=False)
    raises(lambda lib: of(lib, "get_numerical_jacobian")(lambda x: x, point(lib), grad_out=2.0))
    with pytest.warns(FutureWarning):
        analytical(rgrad)
