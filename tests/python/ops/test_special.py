"""Special functions beside scipy, aliases beside torch, and what random activations and dropouts promise."""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import agree, torch
from rgrad import _rgrad

scipy = pytest.importorskip("scipy.special")
F = rgrad.nn.functional

REAL = np.concatenate([np.linspace(-30, 30, 2001), np.linspace(-3, 3, 2001)])
POSITIVE = np.concatenate([np.geomspace(1e-6, 600, 2001), np.linspace(0.01, 12, 2001)])
UNIT = np.concatenate([np.linspace(-0.9999, 0.9999, 2001), 1 - np.geomspace(1e-12, 0.1, 200)])

# Functions with where they are compared, and the relative error of scipy or of the argument's rounding.
ONE = {
    "airy_ai": (lambda x: scipy.airy(x)[0], np.linspace(-20, 60, 2001), 1e-12),
    "bessel_j0": (scipy.j0, REAL, 1e-13),
    "bessel_j1": (scipy.j1, REAL, 1e-13),
    "bessel_y0": (scipy.y0, POSITIVE[POSITIVE < 50], 1e-12),
    "bessel_y1": (scipy.y1, POSITIVE[POSITIVE < 50], 1e-12),
    "digamma": (scipy.psi, np.concatenate([POSITIVE, np.linspace(-9.7, -0.3, 24)]), 1e-12),
    "erf": (scipy.erf, REAL, 1e-14),
    "erfc": (scipy.erfc, REAL[REAL < 26], 1e-13),
    "erfcx": (scipy.erfcx, REAL[REAL > -26], 1e-13),
    "erfinv": (scipy.erfinv, UNIT, 1e-14),
    "gammaln": (scipy.gammaln, POSITIVE, 1e-12),
    "i0": (scipy.i0, REAL, 1e-14),
    "i0e": (scipy.i0e, REAL, 1e-14),
    "i1": (scipy.i1, REAL, 1e-14),
    "i1e": (scipy.i1e, REAL, 1e-14),
    "log_ndtr": (scipy.log_ndtr, REAL, 1e-12),
    "modified_bessel_k0": (scipy.k0, POSITIVE, 1e-13),
    "modified_bessel_k1": (scipy.k1, POSITIVE, 1e-13),
    "scaled_modified_bessel_k0": (scipy.k0e, POSITIVE, 1e-13),
    "scaled_modified_bessel_k1": (scipy.k1e, POSITIVE, 1e-13),
    "ndtr": (scipy.ndtr, REAL, 1e-12),
    "ndtri": (scipy.ndtri, np.concatenate([np.geomspace(1e-300, 0.4, 500), np.linspace(0.01, 0.9999, 500)]), 1e-13),
    "entr": (scipy.entr, POSITIVE, 1e-13),
}


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_number(name):
    reference, points, tolerance = ONE[name]
    found = getattr(rgrad.special, name)(rgrad.tensor(points)).numpy()
    # Beside a root, the error is that of the function's size nearby.
    np.testing.assert_allclose(found, reference(points), rtol=tolerance, atol=tolerance * 1e-2)


@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
def test_incomplete_gamma_functions(name):
    a, x = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e-3, 1e4, 60), np.geomspace(1e-3, 1e4, 60)))
    found = getattr(rgrad.special, name)(rgrad.tensor(a), rgrad.tensor(x)).numpy()
    np.testing.assert_allclose(found, getattr(scipy, name)(a, x), rtol=1e-10, atol=1e-300)


def test_zeta_and_polygamma():
    s, q = (grid.ravel() for grid in np.meshgrid(np.linspace(1.05, 30, 60), np.geomspace(0.05, 50, 60)))
    found = rgrad.special.zeta(rgrad.tensor(s), rgrad.tensor(q)).numpy()
    np.testing.assert_allclose(found, scipy.zeta(s, q), rtol=1e-12)
    for n in range(6):
        found = rgrad.polygamma(n, rgrad.tensor(POSITIVE[POSITIVE > 1e-3])).numpy()
        np.testing.assert_allclose(found, scipy.polygamma(n, POSITIVE[POSITIVE > 1e-3]), rtol=1e-12, atol=1e-14)


POLYNOMIALS = {
    "chebyshev_polynomial_t": scipy.eval_chebyt,
    "chebyshev_polynomial_u": scipy.eval_chebyu,
    "hermite_polynomial_h": scipy.eval_hermite,
    "hermite_polynomial_he": scipy.eval_hermitenorm,
    "laguerre_polynomial_l": scipy.eval_laguerre,
    "legendre_polynomial_p": scipy.eval_legendre,
    "shifted_chebyshev_polynomial_t": scipy.eval_sh_chebyt,
    "shifted_chebyshev_polynomial_u": scipy.eval_sh_chebyu,
}


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name):
    x = np.linspace(0.02, 0.98, 97)
    for n in range(15):
        found = getattr(rgrad.special, name)(rgrad.tensor(x), n).numpy()
        expected = POLYNOMIALS[name](n, x)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("name", sorted({row["name"] for row in _rgrad._operations() if row["alias_of"]}))
def test_aliases_are_everywhere_where_torch_has_them(name):
    arguments = {"clip": (-0.5, 0.5)}.get(name)

    def program(lib):
        x = lib.tensor([0.3, -0.6, 0.9])
        y = lib.tensor([0.5, -0.6, 0.1])
        given = []
        for owner, model in ((lib, torch), (lib.Tensor, torch.Tensor)):
            for spelling in (name, f"{name}_"):
                if hasattr(model, spelling):
                    function = getattr(owner, spelling)
                    rest = arguments
                    if rest is None:
                        rest = (
                            () if name.startswith(("arc", "absolute", "fix", "negative")) and "2" not in name else (y,)
                        )
                    given.append((spelling, function(x.clone(), *rest)))
        return given

    agree(program)


def test_every_special_function_of_torch_is_here():
    assert {name for name in dir(torch.special) if not name.startswith("_")} & set(torch.special.__all__) <= set(
        dir(rgrad.special)
    )


def test_gumbel_softmax_draws_categories():
    rgrad.manual_seed(0)
    logits = rgrad.tensor([0.2, 0.5, 0.3]).log().expand(20_000, 3).clone().requires_grad_()
    drawn = F.gumbel_softmax(logits, tau=0.5, hard=True)
    np.testing.assert_allclose(drawn.detach().mean(0).numpy(), [0.2, 0.5, 0.3], atol=0.02)
    drawn[:, 0].sum().backward()
    assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("name", "shape"), [("dropout1d", (40, 50, 3)), ("dropout2d", (40, 50, 2, 3)), ("dropout3d", (40, 50, 2, 1, 2))]
)
def test_whole_channels_are_dropped(name, shape):
    dropped = getattr(F, name)(rgrad.ones(shape), 0.25).reshape(40, 50, -1)
    values = {round(value, 5) for value in dropped.flatten().tolist()}
    assert values == {0.0, round(1 / 0.75, 5)}
    assert (dropped == dropped[:, :, :1]).all()
    assert abs((dropped[:, :, 0] == 0).sum().item() / 2000 - 0.25) < 0.05


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
def test_alpha_dropout_keeps_mean_and_variance(name):
    rgrad.manual_seed(0)
    dropped = getattr(F, name)(rgrad.randn(300, 300), 0.3, True)
    assert abs(dropped.mean().item()) < 0.02
    assert abs(dropped.var().item() - 1) < 0.05


LOSSES = {
    "gaussian_nll_loss": lambda f, x, y, **k: f.gaussian_nll_loss(x, y, x.abs() + 0.5, full=True, **k),
    "gaussian_nll_loss of rows": lambda f, x, y, **k: f.gaussian_nll_loss(x, y, x.abs()[:, 0] + 0.5, **k),
    "gaussian_nll_loss of a number": lambda f, x, y, **k: f.gaussian_nll_loss(x, y, 0.5, **k),
    "cosine_embedding_loss": lambda f, x, y, **k: f.cosine_embedding_loss(x, y, y.detach()[:, 0].sign(), 0.1, **k),
    "multilabel_soft_margin_loss": lambda f, x, y, **k: f.multilabel_soft_margin_loss(x, (y > 0).to(x.dtype), **k),
    "triplet_margin_loss": lambda f, x, y, **k: f.triplet_margin_loss(x, y, x * 2, swap=True, **k),
    "triplet_margin_with_distance_loss": lambda f, x, y, **k: f.triplet_margin_with_distance_loss(
        x, y, x * 2, distance_function=lambda a, b: (a - b).abs().sum(-1), **k
    ),
    "huber_loss": lambda f, x, y, **k: f.huber_loss(x, y, weight=y.abs(), **k),
    "kl_div": lambda f, x, y, **k: f.kl_div(x, y.abs(), **k),
}


@pytest.mark.parametrize("reduction", ["none", "mean", "sum", "most"])
@pytest.mark.parametrize("name", LOSSES)
def test_composed_losses(name, reduction):
    def program(lib):
        x = lib.tensor([[0.3, -0.6, 0.9], [1.2, 0.4, -0.2]], dtype=lib.float64, requires_grad=True)
        y = lib.tensor([[0.5, -0.1, 0.7], [-0.4, 0.8, 0.3]], dtype=lib.float64, requires_grad=True)
        loss = LOSSES[name](lib.nn.functional, x, y, reduction=reduction)
        gradients = lib.autograd.grad(loss.sum(), [x, y], create_graph=True, allow_unused=True)
        return loss.detach(), [None if g is None else g.detach() for g in gradients]

    agree(program, strides=False)


@pytest.mark.parametrize(
    "name", ["elu", "selu", "hardswish", "leaky_relu", "silu", "mish", "relu6", "hardtanh", "celu"]
)
def test_activations_in_place(name):
    def program(lib):
        x = lib.tensor([-4.0, -0.6, 0.9, 7.0], dtype=lib.float64, requires_grad=True)
        y = x * 1
        result = getattr(lib.nn.functional, name)(y, inplace=True)
        assert result is y
        result.sum().backward()
        return result.detach(), x.grad

    agree(program)
