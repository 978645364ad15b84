"""The normal distribution of vectors whose covariance matrix is one of low rank and a diagonal."""

from __future__ import annotations

from math import log, pi

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.covariance import _batch_mahalanobis, _batch_mv, half_log_det
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import Centred, _standard_normal, lazy_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LowRankMultivariateNormal"]


def _identity_and(matrix: Tensor) -> Tensor:
    return matrix + rgrad.eye(matrix.shape[-1], dtype=matrix.dtype)


class LowRankMultivariateNormal(Centred, Distribution):
    """Normal distributions of vectors with the covariance `W W^T + diag(d)`.

    No larger matrix than the capacitance `I + W^T diag(d)^-1 W` is factorized: the identity of Woodbury and the lemma
    of the determinant of a matrix give the rest.

    Args:
        loc: the means, of size `(*batch, n)`.
        cov_factor: `W`, of size `(*batch, n, rank)`.
        cov_diag: `d`, of size `(*batch, n)`, positive.

    Raises:
        ValueError: the sizes do not fit together.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        family = "LowRankMultivariateNormal"
        if loc.dim() < 1:
            raise ValueError(f"{family}: loc must have at least one dimension")
        event_shape = loc.shape[-1:]
        if cov_factor.dim() < 2 or cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(
                f"{family}: cov_factor has the sizes (*batch, {event_shape[0]}, rank), not {tuple(cov_factor.shape)}"
            )
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"{family}: cov_diag has {event_shape[0]} entries, not the sizes {tuple(cov_diag.shape)}")
        try:
            loc_, self.cov_factor, cov_diag_ = rgrad.broadcast_tensors(
                loc.unsqueeze(-1), cov_factor, cov_diag.unsqueeze(-1)
            )
        except RuntimeError as error:
            raise ValueError(f"{family}: {error}") from None
        self.loc, self.cov_diag = loc_[..., 0], cov_diag_[..., 0]
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        capacitance = _identity_and(self._scaled_factor @ cov_factor)
        self._capacitance_tril = rgrad.linalg.cholesky(capacitance)
        super().__init__(self.loc.shape[:-1], event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        shape = rgrad.Size(batch_shape)
        return self._expanded(
            _instance,
            shape,
            loc=self.loc.expand(shape + (-1,)),
            cov_diag=self.cov_diag.expand(shape + (-1,)),
            cov_factor=self.cov_factor.expand(shape + (-1, -1)),
            _unbroadcasted_cov_factor=self._unbroadcasted_cov_factor,
            _unbroadcasted_cov_diag=self._unbroadcasted_cov_diag,
            _capacitance_tril=self._capacitance_tril,
        )

    @property
    def _scaled_factor(self) -> Tensor:
        """`W^T diag(d)^-1`."""
        return self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)

    @property
    def _solved_factor(self) -> Tensor:
        """`A = C^-1 W^T diag(d)^-1` for the Cholesky factor `C` of the capacitance.

        With it the inverse of the covariance is `diag(d)^-1 - A^T A`.
        """
        return rgrad.linalg.solve_triangular(self._capacitance_tril, self._scaled_factor, upper=False)

    def _log_det(self) -> Tensor:
        return 2 * half_log_det(self._capacitance_tril) + self._unbroadcasted_cov_diag.log().sum(-1)

    def _mahalanobis(self, x: Tensor) -> Tensor:
        """`x^T M^-1 x` for the covariance `M`."""
        without = (x.pow(2) / self._unbroadcasted_cov_diag).sum(-1)
        return without - _batch_mahalanobis(self._capacitance_tril, _batch_mv(self._scaled_factor, x))

    def _for_batch(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + (-1, -1))

    @lazy_property
    def variance(self) -> Tensor:
        variance = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return variance.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factors of the covariance matrices."""
        # The diagonal is taken out, so that no eigenvalue of what is factorized is below one.
        deviations = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / deviations
        return self._for_batch(deviations * rgrad.linalg.cholesky(_identity_and(scaled @ scaled.mT)))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance matrices."""
        factor = self._unbroadcasted_cov_factor
        return self._for_batch(factor @ factor.mT + self._unbroadcasted_cov_diag.diag_embed())

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverses of the covariance matrices."""
        solved = self._solved_factor
        return self._for_batch(self._unbroadcasted_cov_diag.reciprocal().diag_embed() - solved.mT @ solved)

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        factors = _standard_normal(shape[:-1] + self.cov_factor.shape[-1:], self.loc.dtype)
        single = _standard_normal(shape, self.loc.dtype)
        spread = _batch_mv(self._unbroadcasted_cov_factor, factors)
        return self.loc + spread + self._unbroadcasted_cov_diag.sqrt() * single

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = self._mahalanobis(value - self.loc)
        return -0.5 * (self._event_shape[0] * log(2 * pi) + self._log_det() + distance)

    def entropy(self) -> Tensor:
        entropy = 0.5 * (self._event_shape[0] * (1.0 + log(2 * pi)) + self._log_det())
        return entropy.expand(self._batch_shape)
