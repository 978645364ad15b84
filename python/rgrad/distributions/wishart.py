"""The Wishart distribution."""

from __future__ import annotations

import warnings
from math import log, nan

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.covariance import CovarianceMatrix, half_log_det, one_matrix
from rgrad.distributions.distribution import ExponentialFamily
from rgrad.distributions.gamma import Chi2
from rgrad.distributions.utils import broadcast_shape, epsilon

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Wishart"]


class Wishart(CovarianceMatrix, ExponentialFamily):
    """Distributions of `X^T X` where `X` has `df` rows, each a normal vector of mean zero.

    Args:
        df: the degrees of freedom, more than `n - 1`.
        covariance_matrix: that of the rows, of size `(*batch, n, n)`, positive definite.
        precision_matrix: its inverse, which can be given instead.
        scale_tril: its Cholesky factor, with which least is to be computed.

    Raises:
        AssertionError: not one of the three matrices is given.
        ValueError: it has fewer than two dimensions, or `df` is too small.
    """

    arg_constraints = {
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
        "df": constraints.greater_than(0),
    }
    support = constraints.positive_definite
    has_rsample = True

    def __init__(
        self,
        df: Tensor | float,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = one_matrix(
            "Wishart",
            AssertionError,
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )
        df = df if isinstance(df, Tensor) else rgrad.tensor(df, dtype=matrix.dtype)
        batch_shape = broadcast_shape(matrix.shape[:-2], df.shape)
        self.df = df.expand(batch_shape)
        rows = matrix.shape[-1]
        if bool((self.df <= rows - 1).any()):
            raise ValueError(f"Wishart: df must be more than {rows - 1}, one less than the matrix has rows, not {df}")
        if bool((self.df < rows).any()):
            warnings.warn(f"Wishart: with df below {rows} samples are often singular", stacklevel=2)
        setattr(self, name, matrix.expand(batch_shape + (-1, -1)))
        super().__init__(batch_shape, matrix.shape[-2:], validate_args=validate_args)
        self._factorize(name, matrix)
        self._dist_chi2 = self._squares_of_diagonal()

    def _squares_of_diagonal(self) -> Chi2:
        """The distributions of the squared diagonal of a factor of a sample."""
        return Chi2(self.df.unsqueeze(-1) - rgrad.arange(self._event_shape[-1], dtype=self.df.dtype))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        shape = rgrad.Size(batch_shape)
        made = self._expanded(
            _instance,
            shape,
            df=self.df.expand(shape),
            _unbroadcasted_scale_tril=self._unbroadcasted_scale_tril.expand(shape + (-1, -1)),
            **self._expanded_matrices(shape),
        )
        made._dist_chi2 = made._squares_of_diagonal()
        return made

    @property
    def _freedom(self) -> Tensor:
        """`df` as matrices of one entry."""
        return self.df.unsqueeze(-1).unsqueeze(-1)

    @property
    def mean(self) -> Tensor:
        return self._freedom * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self._freedom - self._event_shape[-1] - 1
        return factor.masked_fill(factor <= 0, nan) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        variances = self.covariance_matrix.diagonal(dim1=-2, dim2=-1)
        products = variances.unsqueeze(-1) * variances.unsqueeze(-2)
        return self._freedom * (self.covariance_matrix.pow(2) + products)

    def _bartlett(self, sample_shape: Any) -> Tensor:
        """Samples by Bartlett's decomposition: a triangular factor has independent entries."""
        rows = self._event_shape[-1]
        diagonal = self._dist_chi2.rsample(sample_shape).sqrt()
        diagonal = diagonal.clamp(min=epsilon(diagonal.dtype))
        below = rgrad.randn(tuple(diagonal.shape[:-1]) + (rows * (rows - 1) // 2,), dtype=diagonal.dtype)
        noise = diagonal.diag_embed()
        i, j = rgrad.tril_indices(rows, rows, offset=-1)
        noise[..., i, j] = below
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def rsample(self, sample_shape: Any = rgrad.Size(), max_try_correction: int | None = None) -> Tensor:
        """Samples; those that rounding left singular are drawn again, `max_try_correction` times (10) at most."""
        shape = rgrad.Size(sample_shape)
        # PyTorch draws all a second time: so the same seed gives the same samples.
        self._bartlett(shape)
        drawn = self._bartlett(shape)
        for _ in range(10 if max_try_correction is None else max_try_correction):
            regular = constraints.positive_definite.check(drawn)
            if bool(regular.all()):
                break
            warnings.warn("Wishart: singular samples are drawn again", stacklevel=2)
            drawn = rgrad.where(regular[..., None, None], drawn, self._bartlett(shape))
        return drawn

    def _log_scale(self) -> Tensor:
        """Half the logarithm of the determinant of twice the covariance."""
        return self._event_shape[-1] * log(2) / 2 + half_log_det(self._unbroadcasted_scale_tril)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        rows = self._event_shape[-1]
        solved = rgrad.cholesky_solve(value, self._unbroadcasted_scale_tril)
        return (
            -self.df * self._log_scale()
            - rgrad.mvlgamma(self.df / 2, p=rows)
            + (self.df - rows - 1) / 2 * rgrad.linalg.slogdet(value).logabsdet
            - solved.diagonal(dim1=-2, dim2=-1).sum(-1) / 2
        )

    def entropy(self) -> Tensor:
        rows = self._event_shape[-1]
        half = self.df / 2
        digammas = rgrad.digamma(half.unsqueeze(-1) - rgrad.arange(rows, dtype=half.dtype) / 2).sum(-1)
        return (
            (rows + 1) * self._log_scale()
            + rgrad.mvlgamma(half, p=rows)
            - (self.df - rows - 1) / 2 * digammas
            + half * rows
        )
