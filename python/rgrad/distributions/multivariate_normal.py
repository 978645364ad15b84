"""The normal distribution of vectors."""

from __future__ import annotations

from math import log, pi

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.covariance import (
    CovarianceMatrix,
    _batch_mahalanobis,
    _batch_mv,
    half_log_det,
    one_matrix,
)
from rgrad.distributions.covariance import _precision_to_scale_tril as _precision_to_scale_tril
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import Centred, _standard_normal, broadcast_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Centred, CovarianceMatrix, Distribution):
    """Normal distributions of vectors with the means `loc`.

    Args:
        loc: of size `(*batch, n)`.
        covariance_matrix: of size `(*batch, n, n)`, positive definite.
        precision_matrix: its inverse, which can be given instead.
        scale_tril: its Cholesky factor, with which least is to be computed.

    Raises:
        ValueError: not one of the three matrices is given, or something has too few dimensions.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("MultivariateNormal: loc must have at least one dimension")
        name, matrix = one_matrix(
            "MultivariateNormal",
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )
        batch_shape = broadcast_shape(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(batch_shape + (-1, -1)))
        self.loc = loc.expand(batch_shape + (-1,))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._factorize(name, matrix)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        shape = rgrad.Size(batch_shape)
        return self._expanded(
            _instance,
            shape,
            loc=self.loc.expand(shape + self.event_shape),
            _unbroadcasted_scale_tril=self._unbroadcasted_scale_tril,
            **self._expanded_matrices(shape),
        )

    @property
    def variance(self) -> Tensor:
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        normal = _standard_normal(self._extended_shape(sample_shape), self.loc.dtype)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, normal)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        normalizer = half_log_det(self._unbroadcasted_scale_tril)
        return -0.5 * (self._event_shape[0] * log(2 * pi) + distance) - normalizer

    def entropy(self) -> Tensor:
        entropy = 0.5 * self._event_shape[0] * (1.0 + log(2 * pi)) + half_log_det(self._unbroadcasted_scale_tril)
        return entropy.expand(self._batch_shape)
