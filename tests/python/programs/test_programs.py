"""Training runs of many families: from one seed to the curve of losses that torch has.

In float64: gradients that are zero but for rounding become steps of full length by Adam's scaling in float32.
"""

from __future__ import annotations

import pytest

from oracle import agree
from programs import FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_the_curve_is_that_of_torch(family):
    def program(lib):
        before = lib.get_default_dtype()
        lib.set_default_dtype(lib.float64)
        try:
            lib.manual_seed(7)
            return FAMILIES[family](lib)
        finally:
            lib.set_default_dtype(before)

    curve = agree(program)
    assert isinstance(curve, list), curve
    assert len(set(curve)) > 3
