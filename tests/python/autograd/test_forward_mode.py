"""Dual tensors: what can be one, and where a tangent goes."""

from __future__ import annotations

import pytest

from oracle import agree, raises

REFUSED = {
    "outside a level": lambda lib, ad: (ad.exit_dual_level(), ad.make_dual(lib.ones(2), lib.ones(2))),
    "integers": lambda lib, ad: ad.make_dual(lib.ones(2).long(), lib.ones(2).long()),
    "an integer tangent": lambda lib, ad: ad.make_dual(lib.ones(2), lib.ones(2).long()),
    "another size": lambda lib, ad: ad.make_dual(lib.ones(2), lib.ones(3)),
    "a dual tensor": lambda lib, ad: ad.make_dual(ad.make_dual(lib.ones(2), lib.ones(2)), lib.ones(2)),
    "another level": lambda lib, ad: ad.enter_dual_level(),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    def program(lib):
        ad = lib.autograd.forward_ad
        ad.enter_dual_level()
        try:
            REFUSED[case](lib, ad)
        finally:
            if case != "outside a level":
                ad.exit_dual_level()

    raises(program)


def test_where_tangents_go():
    def program(lib):
        ad = lib.autograd.forward_ad
        with ad.dual_level():
            x = ad.make_dual(lib.arange(1.0, 4.0), lib.full((3,), 2.0))
            written = lib.zeros(3)
            written[:2].copy_(x[1:])
            x.mul_(x)
            results = x * x, x.detach(), x[1:], x.sum(), written, x > 1, x.clone()
            pairs = [tuple(ad.unpack_dual(result)) for result in results]
        return pairs, ad.unpack_dual(x)[1]

    agree(program)


def test_a_tangent_of_another_precision():
    def program(lib):
        ad = lib.autograd.forward_ad
        with ad.dual_level():
            x = ad.make_dual(lib.arange(1.0, 4.0), lib.ones(3, dtype=lib.float64))
            return [tuple(ad.unpack_dual(y)) for y in (x, x * 2, x * x)]

    agree(program)


def test_tangents_of_what_requires_nothing_require_nothing():
    def program(lib):
        F, x = lib.nn.functional, lib.arange(1.0, 7.0).reshape(2, 3)
        functions = [
            lambda x: F.cross_entropy(x, lib.tensor([0, 2])),
            lambda x: F.layer_norm(x, (3,)),
            lambda x: x.softmax(1).norm(),
            lambda x: F.mse_loss(x, lib.zeros(2, 3)),
        ]
        tangents = [lib.func.jvp(function, (x,), (lib.ones(2, 3),))[1] for function in functions]
        return [tangent.numpy() for tangent in tangents]

    agree(program)


def test_reverse_over_forward():
    def program(lib):
        ad = lib.autograd.forward_ad
        x = lib.arange(1.0, 4.0, requires_grad=True)
        with ad.dual_level():
            y = (ad.make_dual(x, lib.ones(3)) ** 3).sum()
            tangent = ad.unpack_dual(y).tangent
            return tangent, lib.autograd.grad(tangent, x)

    agree(program, graph=False)
