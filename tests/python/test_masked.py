"""`rgrad.masked` beside `torch.masked`: values and gradients, with masks of several forms and none."""

from __future__ import annotations

import numpy as np
import pytest

from oracle import agree

RANDOM = np.random.default_rng(11)
NUMBERS = RANDOM.normal(size=(3, 4)) + 1j * RANDOM.normal(size=(3, 4))
MASKS = {
    "none": None,
    "some": np.array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1]], dtype=bool),
    "broadcast": np.array([1, 0, 1, 1], dtype=bool),
    "a row without": np.array([[1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=bool),
}
# Functions of several dimensions or none, of one dimension, and what stands before the dimension.
OVER = {"sum": (), "prod": (), "amax": (), "amin": (), "mean": (), "var": (), "std": (), "norm": (3.0,)}
ALONG = {
    "argmax": (),
    "argmin": (),
    "cumsum": (),
    "cumprod": (),
    "log_softmax": (),
    "logsumexp": (),
    "median": (),
    "normalize": (2.0,),
    "softmax": (),
    "softmin": (),
}
# What needs no order of the elements, and what computes with bools.
OF_COMPLEX = ("sum", "prod", "mean", "var", "std", "norm", "cumsum", "cumprod", "normalize")
OF_BOOLS = ("sum", "prod", "amax", "argmin", "mean", "var", "median")
CALLS = [(name, before, dim) for name, before in OVER.items() for dim in (None, 1, (0, 1), -2)]
CALLS += [(name, before, dim) for name, before in ALONG.items() for dim in (0, -1)]


DTYPES = {"float64": None, "float32": None, "int64": None, "int32": None, "complex128": OF_COMPLEX, "bool": OF_BOOLS}
ROWS = [(*call, dtype) for call in CALLS for dtype, names in DTYPES.items() if names is None or call[0] in names]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("name", "before", "dim", "dtype"), ROWS)
def test_functions(name, before, dim, dtype, mask):
    array = (NUMBERS if dtype.startswith("complex") else 3 * NUMBERS.real).astype(dtype)

    def program(lib):
        x = lib.tensor(array)
        if x.is_floating_point() or x.is_complex():
            x.requires_grad_()
        chosen = None if MASKS[mask] is None else lib.tensor(MASKS[mask])
        given = {"keepdim": True} if name in OVER else {}
        result = getattr(lib.masked, name)(x, *before, dim, mask=chosen, **given)
        if not result.requires_grad:
            return result
        size = lib.view_as_real(result) if result.is_complex() else result
        return result, lib.autograd.grad(size.masked_fill(~size.isfinite(), 0).sum(), x)[0]

    agree(program, strides=False, graph=False)


def test_two_masks():
    def program(lib):
        x, y = (lib.tensor(part, requires_grad=True) for part in (NUMBERS.real, NUMBERS.imag))
        masks = {"input_mask": lib.tensor(MASKS["some"]), "other_mask": lib.tensor(MASKS["broadcast"])}
        return lib.masked.logaddexp(x, y, **masks)

    agree(program, graph=False)
