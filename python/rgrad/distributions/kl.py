"""Kullback-Leibler divergences of pairs of families."""

from __future__ import annotations

from math import inf, log, pi
from typing import Any

import rgrad
from rgrad._rgrad import Tensor
from rgrad.distributions.bernoulli import Bernoulli
from rgrad.distributions.beta import Beta
from rgrad.distributions.binomial import Binomial
from rgrad.distributions.categorical import Categorical
from rgrad.distributions.cauchy import Cauchy
from rgrad.distributions.continuous_bernoulli import ContinuousBernoulli
from rgrad.distributions.covariance import _batch_mahalanobis, half_log_det, sum_of_squares
from rgrad.distributions.dirichlet import Dirichlet
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.exponential import Exponential
from rgrad.distributions.gamma import Gamma
from rgrad.distributions.geometric import Geometric
from rgrad.distributions.gumbel import Gumbel
from rgrad.distributions.half_normal import HalfNormal
from rgrad.distributions.independent import Independent
from rgrad.distributions.laplace import Laplace
from rgrad.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from rgrad.distributions.multivariate_normal import MultivariateNormal
from rgrad.distributions.normal import Normal
from rgrad.distributions.one_hot_categorical import OneHotCategorical
from rgrad.distributions.pareto import Pareto
from rgrad.distributions.poisson import Poisson
from rgrad.distributions.transformed_distribution import TransformedDistribution
from rgrad.distributions.uniform import Uniform
from rgrad.distributions.utils import _sum_rightmost, euler_constant, softplus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kl_divergence", "register_kl"]

_REGISTRY: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator of the function that gives the divergence of two families, or of families derived from them.

    Raises:
        TypeError: one is not a class.
    """
    for kind in (type_p, type_q):
        if not isinstance(kind, type):
            raise TypeError(f"register_kl(): a class is expected, got {kind!r}")

    def registered(function: Callable[..., Any]) -> Callable[..., Any]:
        _REGISTRY[type_p, type_q] = function
        return function

    return registered


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The mean under `p` of how much more probable samples are under `p` than under `q`, as a logarithm.

    Raises:
        NotImplementedError: nothing is registered for the two families.
    """
    function = _function_for(type(p), type(q))
    if function is None:
        raise NotImplementedError(f"no divergence of {type(p).__name__} from {type(q).__name__} is known")
    return function(p, q)


def _function_for(type_p: type, type_q: type) -> Callable[[Any, Any], Tensor] | None:
    """What is registered for the classes nearest to two."""
    for kind_p in type_p.__mro__:
        for kind_q in type_q.__mro__:
            if (kind_p, kind_q) in _REGISTRY:
                return _REGISTRY[kind_p, kind_q]
    return None


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one = one.masked_fill(q.probs == 0, inf).masked_fill(p.probs == 0, 0)
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zero = zero.masked_fill(q.probs == 1, inf).masked_fill(p.probs == 1, 0)
    return one + zero


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return kl_divergence(p._dirichlet, q._dirichlet)


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("the divergence of a binomial distribution from one of more trials is not known")
    result = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return result.masked_fill(p.total_count > q.total_count, inf)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    terms = terms.masked_fill((q.probs == 0).expand(terms.shape), inf)
    return terms.masked_fill((p.probs == 0).expand(terms.shape), 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_categorical(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return kl_divergence(p._categorical, q._categorical)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    both = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    return both - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    return _to_continuous_bernoulli(p, q)  # type: ignore[no-any-return]


@register_kl(Beta, ContinuousBernoulli)
def _to_continuous_bernoulli(p: Distribution, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    # As in PyTorch infinite at the bounds too.
    return _to_continuous_bernoulli(p, q).masked_fill((p.high >= 1) | (p.low <= 0), inf)  # type: ignore[no-any-return]


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: ContinuousBernoulli, q: Uniform) -> Tensor:
    # As in PyTorch infinite at the bounds too.
    return ((q.high - q.low).log() - p.entropy()).masked_fill((q.low >= 0) | (q.high <= 1), inf)


@register_kl(ContinuousBernoulli, Exponential)
def _continuous_bernoulli_exponential(p: ContinuousBernoulli, q: Exponential) -> Tensor:
    return q.rate * p.mean - p.entropy() - q.rate.log()


@register_kl(ContinuousBernoulli, Normal)
def _continuous_bernoulli_normal(p: ContinuousBernoulli, q: Normal) -> Tensor:
    normalizer = 0.5 * log(2 * pi) + q.scale.log()
    return normalizer - p.entropy() + 0.5 * (p.variance + (p.mean - q.loc).square()) / q.scale.square()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    total = p.concentration.sum(-1)
    first = rgrad.lgamma(total) - rgrad.lgamma(q.concentration.sum(-1))
    second = (rgrad.lgamma(p.concentration) - rgrad.lgamma(q.concentration)).sum(-1)
    third = rgrad.digamma(p.concentration) - rgrad.digamma(total).unsqueeze(-1)
    return first - second + ((p.concentration - q.concentration) * third).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    return (
        q.concentration * (p.rate / q.rate).log()
        + rgrad.lgamma(q.concentration)
        - rgrad.lgamma(p.concentration)
        + (p.concentration - q.concentration) * rgrad.digamma(p.concentration)
        + (q.rate - p.rate) * (p.concentration / p.rate)
    )


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio = p.scale / q.scale
    first, second = q.loc / q.scale, p.loc / q.scale
    third = (first - second + rgrad.lgamma(ratio + 1)).exp()
    return -ratio.log() - first + second + ratio * euler_constant + third - (1 + euler_constant)


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _normal(p.base_dist, q.base_dist)  # type: ignore[no-any-return]


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


def _multivariate(p: Distribution, log_dets: Tensor, trace: Tensor, distance: Tensor) -> Tensor:
    """The divergence of normal distributions of vectors.

    Args:
        p: the first of them.
        log_dets: the logarithm of the determinant of the covariance of the second, less that of the first.
        trace: that of the first covariance times the inverse of the second.
        distance: that of the means, of Mahalanobis, for the second covariance.
    """
    return 0.5 * (log_dets + trace + distance - p.event_shape[0])


def _require_equal_sizes(p: Distribution, q: Distribution) -> None:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence(): samples of the sizes {tuple(p.event_shape)} and {tuple(q.event_shape)}")


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    _require_equal_sizes(p, q)
    first, second = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    log_dets = 2 * (half_log_det(second) - half_log_det(first))
    trace = sum_of_squares(rgrad.linalg.solve_triangular(second, first, upper=False))
    return _multivariate(p, log_dets, trace, _batch_mahalanobis(second, q.loc - p.loc))


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_rank_multivariate_normal(p: LowRankMultivariateNormal, q: MultivariateNormal) -> Tensor:
    _require_equal_sizes(p, q)
    second = q._unbroadcasted_scale_tril
    log_dets = 2 * half_log_det(second) - p._log_det()
    diagonal = p._unbroadcasted_cov_diag.sqrt().diag_embed()
    trace = sum_of_squares(rgrad.linalg.solve_triangular(second, p._unbroadcasted_cov_factor, upper=False))
    trace = trace + sum_of_squares(rgrad.linalg.solve_triangular(second, diagonal, upper=False))
    return _multivariate(p, log_dets, trace, _batch_mahalanobis(second, q.loc - p.loc))


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _multivariate_normal_low_rank(p: MultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    _require_equal_sizes(p, q)
    first = p._unbroadcasted_scale_tril
    log_dets = q._log_det() - 2 * half_log_det(first)
    trace = sum_of_squares(first * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1))
    trace = trace - sum_of_squares(q._solved_factor @ first)
    return _multivariate(p, log_dets, trace, q._mahalanobis(q.loc - p.loc))


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: LowRankMultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    _require_equal_sizes(p, q)
    factor, diagonal = p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag
    solved = q._solved_factor
    # (diag(d)^-1 - A^T A) (W W^T + D), term by term.
    trace = (diagonal / q._unbroadcasted_cov_diag).sum(-1)
    trace = trace + sum_of_squares(factor * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1))
    trace = trace - sum_of_squares(solved * diagonal.sqrt().unsqueeze(-2)) - sum_of_squares(solved @ factor)
    return _multivariate(p, q._log_det() - p._log_det(), trace, q._mahalanobis(q.loc - p.loc))


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return result.masked_fill(p.scale < q.scale, inf)


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("the divergence of distributions with different transforms is not known")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("the divergence of samples of different numbers of dimensions is not known")
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return result.masked_fill((q.low > p.low) | (q.high < p.high), inf)


@register_kl(Exponential, Normal)
def _exponential_normal(p: Exponential, q: Normal) -> Tensor:
    variance, rate = q.scale.pow(2), p.rate.pow(2)
    first = 0.5 * (rate * variance * 2 * pi).log()
    return first - 1 + (rate.reciprocal() - q.loc / p.rate + q.loc.pow(2) / 2) / variance


@register_kl(Laplace, Normal)
def _laplace_normal(p: Laplace, q: Normal) -> Tensor:
    variance = q.scale.pow(2)
    ratio = p.scale.pow(2) / variance
    first = 0.5 * (2 * ratio / pi).log()
    return -first + ratio + (0.5 * p.loc.pow(2) - p.loc * q.loc + 0.5 * q.loc.pow(2)) / variance - 1


@register_kl(Uniform, Normal)
def _uniform_normal(p: Uniform, q: Normal) -> Tensor:
    width = p.high - p.low
    first = (q.scale * (2 * pi) ** 0.5 / width).log()
    spread = width.pow(2) / 12 + ((p.high + p.low - 2 * q.loc) / 2).pow(2)
    return first + 0.5 * spread / q.scale.pow(2)  # type: ignore[no-any-return]


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    result = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log()
    return result.masked_fill(p.low < 0, inf)


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    distance = (p.loc - q.loc) / p.scale
    first = (2 / pi) ** 0.5 * p.scale * (-0.5 * distance.pow(2)).exp()
    second = (p.loc - q.loc) * rgrad.erf(0.5**0.5 * distance)
    return -p.scale.log() + (first + second) / q.scale - (0.5 + 0.5 * log(0.5 * pi)) + q.scale.log()  # type: ignore[no-any-return]


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Exponential, q: Gamma) -> Tensor:
    ratio = q.rate / p.rate
    return (
        -q.concentration * ratio.log()
        + ratio
        + rgrad.lgamma(q.concentration)
        + q.concentration * euler_constant
        - (1 + euler_constant)
    )


@register_kl(Gamma, Exponential)
def _gamma_exponential(p: Gamma, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


def _unreachable(p: Distribution, q: Distribution) -> Tensor:
    """The divergence where `p` has samples that `q` has not."""
    shape = rgrad.broadcast_shapes(tuple(p.batch_shape), tuple(q.batch_shape))
    return rgrad.full(tuple(shape), inf, dtype=p.mean.dtype)


for _pair in (
    (Beta, Pareto),
    (ContinuousBernoulli, Pareto),
    (Exponential, Beta),
    (Exponential, ContinuousBernoulli),
    (Exponential, Pareto),
    (Exponential, Uniform),
    (Gamma, Beta),
    (Gamma, ContinuousBernoulli),
    (Gamma, Pareto),
    (Gamma, Uniform),
    (Gumbel, Beta),
    (Gumbel, ContinuousBernoulli),
    (Gumbel, Exponential),
    (Gumbel, Gamma),
    (Gumbel, Pareto),
    (Gumbel, Uniform),
    (Laplace, Beta),
    (Laplace, ContinuousBernoulli),
    (Laplace, Exponential),
    (Laplace, Gamma),
    (Laplace, Pareto),
    (Laplace, Uniform),
    (Normal, Beta),
    (Normal, ContinuousBernoulli),
    (Normal, Exponential),
    (Normal, Gamma),
    (Normal, Pareto),
    (Normal, Uniform),
    (Pareto, Beta),
    (Pareto, ContinuousBernoulli),
    (Pareto, Uniform),
    (Poisson, Bernoulli),
    (Poisson, Binomial),
):
    register_kl(*_pair)(_unreachable)
