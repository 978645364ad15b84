"""The distribution of Lewandowski, Kurowicka and Joe, of Cholesky factors of correlation matrices."""

from __future__ import annotations

from math import log, pi

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions import constraints
from rgrad.distributions.beta import Beta
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.utils import broadcast_all, smallest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices of densities proportional to `det(correlation)^(concentration - 1)`.

    Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines and extended onion method"
    (2009).

    Args:
        dim: the number of rows.
        concentration: 1 for the uniform distribution, more for smaller correlations.

    Raises:
        ValueError: there are fewer than two rows.
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"LKJCholesky: dim must be at least 2, not {dim}")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        # Section 3.2: how much of the length of each row is before the diagonal.
        before = rgrad.arange(-1, dim - 1, dtype=self.concentration.dtype).clamp(min=0)
        rest = (self.concentration + 0.5 * (dim - 2)).unsqueeze(-1)
        self._beta = Beta(before + 0.5, rest - 0.5 * before)
        super().__init__(self.concentration.size(), rgrad.Size((dim, dim)), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._expand_parameters(_instance, batch_shape, "concentration")
        made.dim = self.dim
        made._beta = self._beta.expand(rgrad.Size(batch_shape) + (self.dim,))
        return made

    def sample(self, sample_shape: Any = rgrad.Size()) -> Tensor:
        with rgrad.no_grad():
            lengths = self._beta.sample(sample_shape).unsqueeze(-1).sqrt()
            normal = rgrad.randn(self._extended_shape(sample_shape), dtype=lengths.dtype).tril(-1)
            directions = normal / normal.norm(dim=-1, keepdim=True)
            directions[..., 0, :] = 0.0  # nothing is before the diagonal of the first row
            rows = lengths * directions
            diagonal = (1 - rows.square().sum(-1)).clamp(min=smallest(rows.dtype)).sqrt()
            return rows + diagonal.diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        # The determinant and the change of volume from factor to correlation matrix are powers of the diagonal.
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = rgrad.arange(2, self.dim + 1)
        powers = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        below = self.dim - 1
        alpha = self.concentration + 0.5 * below
        # Page 1999, where the multivariate gamma function has a larger factor of pi.
        normalizer = 0.5 * below * log(pi) + rgrad.mvlgamma(alpha - 0.5, below) - rgrad.lgamma(alpha) * below
        return (powers * diagonal.log()).sum(-1) - normalizer
