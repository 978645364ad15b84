"""Families of probability distributions, of whose samples and densities autograd knows the derivatives."""

from __future__ import annotations

from rgrad.distributions import constraints, kl, transforms
from rgrad.distributions.bernoulli import Bernoulli
from rgrad.distributions.beta import Beta
from rgrad.distributions.binomial import Binomial
from rgrad.distributions.categorical import Categorical
from rgrad.distributions.cauchy import Cauchy
from rgrad.distributions.constraint_registry import biject_to, transform_to
from rgrad.distributions.continuous_bernoulli import ContinuousBernoulli
from rgrad.distributions.dirichlet import Dirichlet
from rgrad.distributions.distribution import Distribution, ExponentialFamily
from rgrad.distributions.exponential import Exponential
from rgrad.distributions.fishersnedecor import FisherSnedecor
from rgrad.distributions.gamma import Chi2, Gamma
from rgrad.distributions.generalized_pareto import GeneralizedPareto
from rgrad.distributions.geometric import Geometric
from rgrad.distributions.gumbel import Gumbel
from rgrad.distributions.half_cauchy import HalfCauchy
from rgrad.distributions.half_normal import HalfNormal
from rgrad.distributions.independent import Independent
from rgrad.distributions.inverse_gamma import InverseGamma
from rgrad.distributions.kl import kl_divergence, register_kl
from rgrad.distributions.kumaraswamy import Kumaraswamy
from rgrad.distributions.laplace import Laplace
from rgrad.distributions.lkj_cholesky import LKJCholesky
from rgrad.distributions.log_normal import LogNormal
from rgrad.distributions.logistic_normal import LogisticNormal
from rgrad.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from rgrad.distributions.mixture_same_family import MixtureSameFamily
from rgrad.distributions.multinomial import Multinomial
from rgrad.distributions.multivariate_normal import MultivariateNormal
from rgrad.distributions.negative_binomial import NegativeBinomial
from rgrad.distributions.normal import Normal
from rgrad.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from rgrad.distributions.pareto import Pareto
from rgrad.distributions.poisson import Poisson
from rgrad.distributions.relaxed_bernoulli import RelaxedBernoulli
from rgrad.distributions.relaxed_categorical import RelaxedOneHotCategorical
from rgrad.distributions.studentT import StudentT
from rgrad.distributions.transformed_distribution import TransformedDistribution
from rgrad.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from rgrad.distributions.uniform import Uniform
from rgrad.distributions.von_mises import VonMises
from rgrad.distributions.weibull import Weibull
from rgrad.distributions.wishart import Wishart

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "Bernoulli",
    "Beta",
    "Binomial",
    "CatTransform",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ComposeTransform",
    "ContinuousBernoulli",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "Dirichlet",
    "Distribution",
    "ExpTransform",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "IndependentTransform",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "LowerCholeskyTransform",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "StudentT",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "constraints",
    "identity_transform",
    "kl",
    "kl_divergence",
    "register_kl",
    "transform_to",
    "transforms",
]
