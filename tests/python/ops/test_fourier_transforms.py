"""rgrad.fft, stft and windows beside torch's: values, types, strides and gradients of two orders."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import rgrad
from oracle import agree, lines, raises, run, same, torch
from test_operations import differentiate

NORMS = [None, "forward", "backward", "ortho"]
SLACK = (1e-8, 1e-9)


def made(kind, *shape):
    random = np.random.default_rng(3)
    array = random.standard_normal(shape)
    return array + 1j * random.standard_normal(shape) if kind == "complex" else array


def compare(call, *arrays, orders=2):
    def program(library):
        leaves = [library.tensor(array).requires_grad_() for array in arrays]
        result = call(library, *leaves)
        return result, differentiate(library, result, leaves, orders)

    same(run(program, rgrad), run(program, torch), strides=False, graph=False, slack=SLACK)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_one_dimension(name, kind):
    for norm, n, dim in product(NORMS, [None, 1, 3, 7], [-1, 0]):
        compare(lambda lib, a: getattr(lib.fft, name)(a, n, dim, norm), made(kind, 5, 4))


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_several_dimensions(name, kind):
    for norm in NORMS:
        a = made(kind, 2, 5, 4)
        compare(lambda lib, a: getattr(lib.fft, f"{name}2")(a, None, (-2, -1), norm), a)
        compare(lambda lib, a: getattr(lib.fft, f"{name}2")(a, (3, 6), (0, 2), norm), a)
        compare(lambda lib, a: getattr(lib.fft, f"{name}n")(a, None, None, norm), a)
        compare(lambda lib, a: getattr(lib.fft, f"{name}n")(a, (4, -1), None, norm), a)


@pytest.mark.parametrize(
    "expression",
    lines("""
    lib.fft.fft(lib.arange(5))
    lib.fft.rfft(lib.ones(5, dtype=lib.bool))
    lib.fft.irfft(lib.arange(5))
    lib.fft.fft(lib.ones(4, dtype=lib.float64))
    lib.fft.fft(lib.ones(4, 3), dim=0)
    lib.fft.fftn(lib.ones(4, 3, 2), dim=(0, 1))
    lib.fft.fftshift(lib.arange(12).reshape(3, 4))
    lib.fft.ifftshift(lib.arange(12).reshape(3, 4), dim=1)
    lib.fft.fftfreq(5)
    lib.fft.fftfreq(4, 0.5)
    lib.fft.rfftfreq(5, d=2.0, dtype=lib.float64)
    lib.fft.rfftfreq(4)
"""),
)
def test_types_and_layouts(expression):
    agree(lambda library: eval(expression, {"lib": library}), slack=(1e-5, 1e-6))


@pytest.mark.parametrize(
    "expression",
    lines("""
    lib.fft.fft(lib.ones(()))
    lib.fft.fft(lib.ones(0))
    lib.fft.fft(lib.ones(3), 0)
    lib.fft.fft(lib.ones(3), dim=2)
    lib.fft.fft(lib.ones(3), norm='no')
    lib.fft.rfft(lib.ones(3, dtype=lib.complex64))
    lib.fft.irfft(lib.ones(1, dtype=lib.complex64))
    lib.fft.fftn(lib.ones(3, 3), (1, 2, 3))
    lib.fft.fftn(lib.ones(3, 3), (1, 2), (0, 0))
    lib.fft.fft2(lib.ones(3, 3), (1,))
    lib.stft(lib.ones(10), 4)
    lib.stft(lib.ones(10), 40, return_complex=True)
    lib.stft(lib.ones(10), 4, 0, return_complex=True)
    lib.stft(lib.ones(10), 4, window=lib.ones(3), return_complex=True)
    lib.istft(lib.ones(3, 4), 4)
    lib.istft(lib.ones(4, 4, dtype=lib.complex64), 4, onesided=True)
    lib.istft(lib.ones(3, 4, dtype=lib.complex64), 4, window=lib.zeros(4))
"""),
)
def test_refusals(expression):
    raises(lambda library: eval(expression, {"lib": library}))


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("normalized", [True, False])
def test_short_time_transforms(kind, center, normalized):
    window = np.random.default_rng(1).uniform(0.2, 1.0, 8)
    signal, spectrum = made(kind, 2, 40), made("complex", 2, 5, 9)
    settings = {"center": center, "normalized": normalized}
    compare(lambda lib, a, w: lib.stft(a, 10, 3, 8, w, return_complex=True, **settings), signal, window)
    compare(lambda lib, a, w: lib.istft(a, 8, 2, 8, w, **settings), spectrum, window)
    compare(lambda lib, a, w: lib.istft(a, 8, 2, 8, w, length=20, **settings), spectrum, window)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "constant"])
def test_paddings(mode):
    compare(lambda lib, a: lib.stft(a, 8, pad_mode=mode, return_complex=True), made("real", 2, 20), orders=1)


WINDOWS = {
    "bartlett": [{}],
    "blackman": [{}],
    "cosine": [{}],
    "exponential": [{}, {"tau": 3.0}, {"sym": False, "center": 2.0}],
    "gaussian": [{}, {"std": 2.5}],
    "general_cosine": [{"a": [0.4, 0.3, 0.2]}],
    "general_hamming": [{}, {"alpha": 0.3}],
    "hamming": [{}],
    "hann": [{}],
    "kaiser": [{}, {"beta": 3.5}, {"beta": 0.0}],
    "nuttall": [{}],
}


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "fft2", "rfftn"])
def test_results_can_be_changed_in_place(name):
    def program(lib):
        x = lib.arange(1.0, 13.0).reshape(3, 4).requires_grad_()
        y = getattr(lib.fft, name)(x)
        part = y.real[:2]
        part += 1
        y.abs().square().sum().backward()
        return y.detach(), x.grad

    agree(program, strides=False)


@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name):
    for length, sym, options in product([0, 1, 2, 7, 8], [True, False], WINDOWS[name]):
        keywords = {"sym": sym} | options
        if "center" in options and sym:
            keywords["sym"] = False
        for dtype in ["float32", "float64"]:
            agree(
                lambda lib: getattr(lib.signal.windows, name)(length, dtype=getattr(lib, dtype), **keywords),
                slack=(1e-5, 1e-6) if dtype == "float32" else (1e-9, 1e-9),
            )
    required = {"a": [1.0]} if name == "general_cosine" else {}
    raises(lambda lib: getattr(lib.signal.windows, name)(-1, **required))
    raises(lambda lib: getattr(lib.signal.windows, name)(3, dtype=lib.int64, **required))
