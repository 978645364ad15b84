"""Linear algebra outside of `linalg`, and short-time transforms.

Only what a decomposition determines, and only values: gradients are compared in test_linear_algebra.py, for matrices
that have them (an expanded row is no matrix of full rank).
"""

from __future__ import annotations

import numpy as np

from .making import Of, values_of

SQUARE = Of(values=[[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]])
# No zeros in its first row: expanded, it has to have a diagonal without them.
TRIANGLE = Of(values=[[2.0, 1.0, 3.0], [1.0, 3.0, 1.0], [-1.0, 1.0, 4.0]])
COLUMNS = Of(values=[[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])
ROW = Of(values=[[1.0, -2.0, 3.0]])
ONE = Of(values=[[2.0]])
EXCHANGES = Of(values=np.array([1, 2, 3], dtype=np.int32), differentiable=False)

NAMED = {
    "cholesky": values_of(SQUARE, (SQUARE, True), ONE),
    "cholesky_inverse": values_of(TRIANGLE, ONE),
    "cholesky_solve": values_of((COLUMNS, TRIANGLE), (ONE, ONE)),
    "det": values_of(SQUARE, ONE, Of((2, 3, 3))),
    "logdet": values_of(SQUARE, ONE),
    "slogdet": values_of(SQUARE, ONE, Of((0, 0))),
    "inverse": values_of(SQUARE, ONE, Of((0, 0))),
    "pinverse": values_of(SQUARE, COLUMNS, ROW),
    "qr": values_of(ROW, ONE),
    "svd": values_of(ONE),
    "geqrf": values_of(ROW, ONE),
    "orgqr": values_of((COLUMNS, Of(values=[0.5, 1.5]))),
    "ormqr": values_of((COLUMNS, Of(values=[0.5, 1.5]), COLUMNS), (COLUMNS, Of(values=[0.5, 1.5]), ROW, False)),
    "lu": values_of(SQUARE, COLUMNS, ROW),
    "lu_solve": values_of((COLUMNS, TRIANGLE, EXCHANGES)),
    "lu_unpack": values_of((SQUARE, EXCHANGES), (SQUARE, EXCHANGES, False), (SQUARE, EXCHANGES, True, False)),
    "matrix_exp": values_of(SQUARE, ONE, Of((0, 0))),
    "matrix_power": values_of((SQUARE, 3), (SQUARE, 0), (SQUARE, 1), (SQUARE, -1)),
    "triangular_solve": values_of((COLUMNS, TRIANGLE, False), (COLUMNS, TRIANGLE)),
    "stft": values_of((Of((2, 16)), 4, {"return_complex": True})),
    "istft": values_of((Of((3, 5)), 4)),
}
