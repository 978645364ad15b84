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
from rgrad.distributions.dirichlet import Dirichlet
from rgrad.distributions.distribution import Distribution
from rgrad.distributions.exponential import Exponential
from rgrad.distributions.gamma import Gamma
from rgrad.distributions.geometric import Geometric
from rgrad.distributions.gumbel import Gumbel
from rgrad.distributions.half_normal import HalfNormal
from rgrad.distributions.independent import Independent
from rgrad.distributions.laplace import Laplace
from rgrad.distributions.normal import Normal
from rgrad.distributions.one_hot_categorical import OneHotCategorical
from rgrad.distributions.pareto import Pareto
from rgrad.distributions.poisson import Poisson
from rgrad.distributions.transformed_distribution import TransformedDistribution
from rgrad.distributions.uniform import Uniform
from rgrad.distributions.utils import euler_constant, softplus, sum_rightmost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kl_divergence", "register_kl"]

_REGISTRY: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator of the function that gives the divergence of two families, or of families derived from them.

    Raises:
        TypeError: one is not a class of distributions.
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"register_kl(): a class of distributions is expected, got {kind!r}")

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
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


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
    (Exponential, Beta),
    (Exponential, Pareto),
    (Exponential, Uniform),
    (Gamma, Beta),
    (Gamma, Pareto),
    (Gamma, Uniform),
    (Gumbel, Beta),
    (Gumbel, Exponential),
    (Gumbel, Gamma),
    (Gumbel, Pareto),
    (Gumbel, Uniform),
    (Laplace, Beta),
    (Laplace, Exponential),
    (Laplace, Gamma),
    (Laplace, Pareto),
    (Laplace, Uniform),
    (Normal, Beta),
    (Normal, Exponential),
    (Normal, Gamma),
    (Normal, Pareto),
    (Normal, Uniform),
    (Pareto, Beta),
    (Pareto, Uniform),
    (Poisson, Bernoulli),
    (Poisson, Binomial),
):
    register_kl(*_pair)(_unreachable)
