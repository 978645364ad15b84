"""Families of distributions beside torch: samples for the same seed, densities, moments, gradients, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import rgrad
from oracle import Raised, agree, lines, raises, run, torch

# A family, its parameters as lists, and values at which densities are compared.
FAMILIES = [
    ("Bernoulli", {"probs": [0.2, 0.7, 0.5]}, [1.0, 0.0, 1.0]),
    ("Bernoulli", {"logits": [-1.0, 0.5, 3.0]}, [1.0, 0.0, 1.0]),
    ("Beta", {"concentration1": [0.5, 2.0, 3.0], "concentration0": [0.7, 2.0, 1.5]}, [0.2, 0.5, 0.9]),
    ("Binomial", {"total_count": [5.0, 3.0, 4.0], "probs": [0.2, 0.7, 0.5]}, [2.0, 3.0, 0.0]),
    ("Binomial", {"total_count": [5.0, 5.0], "logits": [0.2, -0.7]}, [2.0, 3.0]),
    ("Categorical", {"probs": [[0.2, 0.3, 0.5], [1.0, 2.0, 1.0]]}, [2.0, 0.0]),
    ("Categorical", {"logits": [[0.2, 0.3, -0.5], [1.0, 2.0, 1.0]]}, [2.0, 0.0]),
    ("Cauchy", {"loc": [0.0, 1.0], "scale": [1.0, 0.5]}, [0.3, 4.0]),
    ("Chi2", {"df": [1.0, 3.5]}, [0.5, 2.0]),
    ("ContinuousBernoulli", {"probs": [0.2, 0.7, 0.4995]}, [0.3, 0.9, 0.5]),
    ("ContinuousBernoulli", {"logits": [-1.0, 0.5]}, [0.3, 0.9]),
    ("Dirichlet", {"concentration": [[0.5, 1.0, 2.0], [3.0, 3.0, 3.0]]}, [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]),
    ("Exponential", {"rate": [0.5, 2.0]}, [0.1, 3.0]),
    ("FisherSnedecor", {"df1": [3.0, 5.0], "df2": [6.0, 7.0]}, [0.5, 2.0]),
    ("Gamma", {"concentration": [0.5, 2.0, 9.0], "rate": [1.0, 0.5, 3.0]}, [0.3, 1.0, 4.0]),
    ("Geometric", {"probs": [0.2, 0.7, 1.0]}, [3.0, 0.0, 0.0]),
    ("Geometric", {"logits": [0.2, -0.7]}, [3.0, 1.0]),
    ("Gumbel", {"loc": [0.0, 1.0], "scale": [1.0, 0.5]}, [0.3, 1.5]),
    ("HalfCauchy", {"scale": [1.0, 0.5]}, [0.3, 1.5]),
    ("HalfNormal", {"scale": [1.0, 0.5]}, [0.3, 1.5]),
    ("InverseGamma", {"concentration": [1.5, 3.0], "rate": [1.0, 0.5]}, [0.3, 1.5]),
    ("Kumaraswamy", {"concentration1": [1.5, 3.0], "concentration0": [1.0, 2.5]}, [0.3, 0.8]),
    ("Laplace", {"loc": [0.0, 1.0], "scale": [1.0, 0.5]}, [0.3, -1.5]),
    ("LKJCholesky", {"dim": 3, "concentration": [1.0, 2.5]}, [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.48, 0.6, 0.64]]),
    ("LogNormal", {"loc": [0.0, 1.0], "scale": [1.0, 0.5]}, [0.3, 1.5]),
    ("LogisticNormal", {"loc": [0.0, 1.0], "scale": [1.0, 0.5]}, [0.3, 0.2, 0.5]),
    (
        "LowRankMultivariateNormal",
        {"loc": [[0.0, 1.0, 2.0]], "cov_factor": [[1.0, 0.5], [0.2, 0.3], [0.1, 2.0]], "cov_diag": [1.0, 0.5, 2.0]},
        [[0.3, -1.5, 2.0]],
    ),
    (
        "Multinomial",
        {"total_count": 6, "probs": [[0.2, 0.3, 0.5], [1.0, 2.0, 1.0]]},
        [[1.0, 2.0, 3.0], [6.0, 0.0, 0.0]],
    ),
    ("MultivariateNormal", {"loc": [0.0, 1.0], "covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]}, [0.3, 1.5]),
    (
        "MultivariateNormal",
        {"loc": [[0.0, 1.0], [2.0, 3.0]], "precision_matrix": [[2.0, 0.5], [0.5, 1.0]]},
        [[0.3, 1.5], [1.0, 0.0]],
    ),
    (
        "MultivariateNormal",
        {"loc": [0.0, 1.0], "scale_tril": [[[2.0, 0.0], [0.5, 1.0]], [[1.0, 0.0], [-3.0, 0.5]]]},
        [0.3, 1.5],
    ),
    ("NegativeBinomial", {"total_count": [5.0, 3.0], "probs": [0.2, 0.7]}, [2.0, 0.0]),
    ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.5]}, [0.3, 1.5]),
    ("OneHotCategorical", {"probs": [[0.2, 0.3, 0.5], [1.0, 2.0, 1.0]]}, [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    ("OneHotCategoricalStraightThrough", {"logits": [[0.2, 0.3, -0.5]]}, [[0.0, 0.0, 1.0]]),
    ("Pareto", {"scale": [1.0, 2.0], "alpha": [3.0, 1.5]}, [1.5, 4.0]),
    ("Poisson", {"rate": [0.5, 8.0]}, [1.0, 5.0]),
    ("RelaxedBernoulli", {"temperature": [0.5], "probs": [0.2, 0.7]}, [0.3, 0.9]),
    ("RelaxedOneHotCategorical", {"temperature": [0.5], "probs": [0.2, 0.3, 0.5]}, [0.3, 0.2, 0.5]),
    ("StudentT", {"df": [2.5, 5.0], "loc": [0.0, 1.0], "scale": [1.0, 0.5]}, [0.3, 1.5]),
    ("Uniform", {"low": [0.0, 1.0], "high": [1.0, 3.0]}, [0.3, 1.5]),
    ("VonMises", {"loc": [0.0, 1.0], "concentration": [1.0, 4.5]}, [0.3, -1.5]),
    ("Weibull", {"scale": [1.0, 2.0], "concentration": [1.5, 0.7]}, [0.3, 1.5]),
    ("Wishart", {"df": [3.0, 4.5], "covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]}, [[3.0, 1.0], [1.0, 2.0]]),
    ("Wishart", {"df": 5.0, "precision_matrix": [[2.0, 0.5], [0.5, 1.0]]}, [[3.0, 1.0], [1.0, 2.0]]),
    ("Wishart", {"df": 5.0, "scale_tril": [[2.0, 0.0], [0.5, 1.0]]}, [[3.0, 1.0], [1.0, 2.0]]),
]
IDS = [f"{name}-{'-'.join(parameters)}" for name, parameters, _ in FAMILIES]


def made(lib, name, parameters, dtype="float64", requires_grad=False, **options):
    leaves = {
        key: lib.tensor(value, dtype=getattr(lib, dtype)).requires_grad_(requires_grad)
        if isinstance(value, list)
        else value
        for key, value in parameters.items()
    }
    return getattr(lib.distributions, name)(**leaves, **options), [
        v for v in leaves.values() if isinstance(v, lib.Tensor)
    ]


def answer(lib, program):
    """What a program gives, or that torch has no answer either."""
    found = run(program, lib)
    return f"no answer: {found.kind.__name__}" if isinstance(found, Raised) else found


@pytest.mark.parametrize(("name", "parameters", "value"), FAMILIES, ids=IDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples(name, parameters, value, dtype):
    def program(lib):
        lib.manual_seed(5)
        distribution, _ = made(lib, name, parameters, dtype)
        single, several = distribution.sample(), distribution.sample((4, 3))
        return single, several, lib.rand(2), distribution.batch_shape, distribution.event_shape

    agree(program, strides=False, slack=(1e-4, 1e-5) if dtype == "float32" else (1e-7, 1e-9))


@pytest.mark.parametrize(("name", "parameters", "value"), FAMILIES, ids=IDS)
def test_moments_and_entropies(name, parameters, value):
    def program(lib):
        distribution, _ = made(lib, name, parameters)
        asked = ["mean", "mode", "variance", "stddev", "entropy", "perplexity", "probs", "logits", "has_rsample"]
        asked += ["has_enumerate_support", "enumerate_support"]
        if name == "Kumaraswamy":
            asked.remove("mode")  # torch's is always NaN
        found = {}
        for what in asked:
            program = lambda lib, what=what: getattr(distribution, what)  # noqa: E731
            found[what] = answer(lib, program)
            if callable(found[what]):
                found[what] = answer(lib, lambda lib, method=found[what]: method())
        return found

    # torch approximates some means and modified Bessel functions.
    agree(program, strides=False, slack=(1e-6, 1e-7))


@pytest.mark.parametrize(("name", "parameters", "value"), FAMILIES, ids=IDS)
def test_densities(name, parameters, value):
    def program(lib):
        distribution, leaves = made(lib, name, parameters, requires_grad=True)
        at = lib.tensor(value, dtype=lib.float64)
        density = distribution.log_prob(at)
        gradients = lib.autograd.grad(density.sum(), leaves, allow_unused=True)
        below = answer(lib, lambda lib: distribution.cdf(at).detach())
        part = lib.full(tuple(distribution.batch_shape), 0.3, dtype=lib.float64)
        return density.detach(), gradients, below, answer(lib, lambda lib: distribution.icdf(part).detach())

    agree(program, strides=False, slack=(1e-6, 1e-7))


# torch cannot derive the samples of Wishart distributions.
DIFFERENTIABLE = [row for row in FAMILIES if getattr(rgrad.distributions, row[0]).has_rsample and row[0] != "Wishart"]


@pytest.mark.parametrize(("name", "parameters", "value"), DIFFERENTIABLE, ids=[row[0] for row in DIFFERENTIABLE])
def test_samples_with_gradients(name, parameters, value):
    def program(lib):
        lib.manual_seed(5)
        distribution, leaves = made(lib, name, parameters, requires_grad=True)
        drawn = distribution.rsample((5,))
        return drawn.detach(), lib.autograd.grad((drawn * drawn.detach()).sum(), leaves, allow_unused=True)

    # torch computes the derivatives of gamma and beta numbers to about three digits.
    agree(program, strides=False, slack=(5e-3, 1e-4))


def test_derivatives_of_wishart_samples():
    def drawn(factor):
        rgrad.manual_seed(0)
        return rgrad.distributions.Wishart(3.5, scale_tril=factor.tril()).rsample((2,))

    factor = rgrad.tensor([[2.0, 0.0], [0.5, 1.0]], dtype=rgrad.float64, requires_grad=True)
    assert rgrad.autograd.gradcheck(drawn, (factor,))


def test_the_mode_of_a_kumaraswamy_distribution():
    distribution = rgrad.distributions.Kumaraswamy(rgrad.tensor([1.5, 3.0]).double(), rgrad.tensor([1.5, 2.5]).double())
    at = distribution.log_prob(distribution.mode)
    for step in (-1e-3, 1e-3):
        assert bool((distribution.log_prob(distribution.mode + step) < at).all())


def test_derivatives_of_gamma_numbers():
    """Against finite differences of the inverse distribution function."""
    scipy = pytest.importorskip("scipy.special")
    shapes = np.array([0.05, 0.5, 1.0, 3.0, 20.0, 150.0])
    for part in (0.01, 0.3, 0.5, 0.9, 0.999):
        drawn = scipy.gammaincinv(shapes, part)
        step = 1e-5 * shapes
        slope = (scipy.gammaincinv(shapes + step, part) - scipy.gammaincinv(shapes - step, part)) / (2 * step)
        found = rgrad.distributions.gamma.standard_gamma_derivative(rgrad.tensor(shapes), rgrad.tensor(drawn))
        np.testing.assert_allclose(found.numpy(), slope, rtol=1e-5)


@pytest.mark.parametrize(("name", "parameters", "value"), FAMILIES, ids=IDS)
def test_larger_batches(name, parameters, value):
    def program(lib):
        distribution, _ = made(lib, name, parameters)
        larger = distribution.expand((3, *distribution.batch_shape))
        lib.manual_seed(2)
        density = larger.log_prob(lib.tensor(value, dtype=lib.float64))
        return larger.batch_shape, larger.event_shape, larger.sample(), density, type(larger).__name__

    agree(program, strides=False, slack=(1e-6, 1e-7))


@pytest.mark.parametrize(("name", "parameters", "value"), FAMILIES, ids=IDS)
def test_representations(name, parameters, value):
    agree(lambda lib: repr(made(lib, name, parameters, "float32")[0]))


@pytest.mark.parametrize(("name", "parameters", "value"), FAMILIES, ids=IDS)
def test_parameters_and_values_are_checked(name, parameters, value):
    def program(lib):
        wrong = {
            key: (np.full_like(row, np.nan).tolist() if isinstance(row, list) else row)
            for key, row in parameters.items()
        }
        distribution, _ = made(lib, name, parameters, validate_args=True)
        outside = lib.tensor(value, dtype=lib.float64) * 0 - 1.5
        return [
            answer(lib, lambda lib: made(lib, name, wrong, validate_args=True) and 0),
            answer(lib, lambda lib: distribution.log_prob(3.0)),
            answer(lib, lambda lib: distribution.log_prob(outside)),
            answer(lib, lambda lib: distribution.log_prob(lib.ones(7, 5, 4, 9, dtype=lib.float64))),
        ]

    agree(program, strides=False, slack=(1e-6, 1e-7))


def test_numbers_as_parameters():
    def program(lib):
        lib.manual_seed(1)
        d = lib.distributions
        families = [d.Normal(0, 2.0), d.Uniform(0.0, lib.tensor([1.0, 2.0])), d.Gamma(2.0, 1), d.Bernoulli(0.3)]
        return [(family.sample((2,)), family.mean, family.batch_shape) for family in families]

    agree(program, slack=(1e-4, 1e-5))


def test_mixtures_and_independent_entries():
    def program(lib):
        lib.manual_seed(1)
        d = lib.distributions
        mixture = d.MixtureSameFamily(
            d.Categorical(lib.tensor([0.3, 0.7])), d.Normal(lib.tensor([0.0, 5.0]), lib.tensor([1.0, 0.5]))
        )
        rows = d.MixtureSameFamily(
            d.Categorical(lib.ones(2)), d.Independent(d.Normal(lib.zeros(2, 3), lib.ones(2, 3)), 1)
        )
        entries = d.Independent(d.Normal(lib.zeros(4, 3), lib.ones(4, 3)), 1)
        found = []
        for family in (mixture, rows, entries):
            drawn = family.sample((2,))
            found.append((drawn, family.log_prob(drawn), family.mean, family.variance, family.batch_shape))
        return (
            found,
            mixture.cdf(lib.tensor(1.0)),
            entries.entropy(),
            entries.expand((2, 4)).sample().shape,
            repr(entries),
        )

    agree(program, strides=False, slack=(1e-4, 1e-5))


PAIRS = lines(
    """
    Bernoulli(t(0.3, 0.5)), Bernoulli(t(0.6, 0.5))
    Beta(t(1.0, 2.0), t(2.0, 0.5)), Beta(t(2.0, 2.0), t(1.0, 1.5))
    Binomial(5, t(0.3, 0.5)), Binomial(5, t(0.6, 0.5))
    Categorical(t(0.3, 0.7)), Categorical(t(0.5, 0.5))
    OneHotCategorical(t(0.3, 0.7)), OneHotCategorical(t(0.5, 0.5))
    Cauchy(t(0.0), t(1.0)), Cauchy(t(1.0), t(2.0))
    Dirichlet(t(1.0, 2.0, 3.0)), Dirichlet(t(2.0, 2.0, 0.5))
    Exponential(t(1.0)), Exponential(t(2.5))
    Gamma(t(1.0), t(2.0)), Gamma(t(2.5), t(0.5))
    Chi2(t(3.0)), Gamma(t(2.5), t(0.5))
    Geometric(t(0.3)), Geometric(t(0.6))
    Gumbel(t(0.3), t(1.0)), Gumbel(t(0.6), t(2.0))
    HalfNormal(t(0.3)), HalfNormal(t(0.6))
    Laplace(t(0.3), t(1.0)), Laplace(t(0.6), t(2.0))
    Normal(t(0.3), t(1.0)), Normal(t(0.6), t(2.0))
    LogNormal(t(0.3), t(1.0)), LogNormal(t(0.6), t(2.0))
    Pareto(t(1.0, 1.0), t(1.0, 2.0)), Pareto(t(0.6, 2.0), t(2.0, 2.0))
    Poisson(t(1.0)), Poisson(t(2.5))
    Uniform(t(0.0, 0.0), t(1.0, 1.0)), Uniform(t(-1.0, 0.5), t(2.5, 2.0))
    ContinuousBernoulli(t(0.3, 0.5)), ContinuousBernoulli(t(0.6, 0.5))
    Beta(t(1.0, 2.0), t(2.0, 0.5)), ContinuousBernoulli(t(0.6, 0.5))
    Uniform(t(0.2, -0.1), t(0.7, 0.5)), ContinuousBernoulli(t(0.6, 0.5))
    ContinuousBernoulli(t(0.6, 0.5)), Uniform(t(-0.5, 0.1), t(1.5, 2.0))
    ContinuousBernoulli(t(0.6, 0.5)), Exponential(t(2.5))
    ContinuousBernoulli(t(0.6, 0.5)), Normal(t(0.6), t(2.0))
    Normal(t(0.6), t(2.0)), ContinuousBernoulli(t(0.6))
    MultivariateNormal(t(0.3, 1.0), m(2.0, 0.5, 0.5, 1.0)), MultivariateNormal(t(1, 0), scale_tril=m(1, 0, -2, 1))
    MultivariateNormal(t(0.3, 1.0), m(2.0, 0.5, 0.5, 1.0)), low(1.0, 0.5)
    MultivariateNormal(lib.stack([t(0.3, 1.0), t(2.0, 0.0)]), m(2.0, 0.5, 0.5, 1.0)), low(1.0, 0.5)
    low(1.0, 0.5), MultivariateNormal(t(0.3, 1.0), m(2.0, 0.5, 0.5, 1.0))
    low(1.0, 0.5), low(-1.0, 2.0)
    Independent(Normal(t(0.3, 1.0), t(1.0, 1.0)), 1), Independent(Normal(t(0.6, 1.0), t(2.0, 3.0)), 1)
    Exponential(t(1.0)), Normal(t(0.6), t(2.0))
    Laplace(t(0.3), t(1.0)), Normal(t(0.6), t(2.0))
    Uniform(t(0.0), t(1.0)), Normal(t(0.6), t(2.0))
    Uniform(t(0.0), t(1.0)), Exponential(t(0.6))
    Normal(t(0.3), t(1.0)), Laplace(t(0.6), t(2.0))
    Exponential(t(1.0)), Gamma(t(0.6), t(2.0))
    Gamma(t(1.5), t(1.0)), Exponential(t(0.6))
    Normal(t(0.3), t(1.0)), Uniform(t(0.6), t(2.0))
    Poisson(t(1.0)), Bernoulli(t(0.6))
    Normal(t(0.3), t(1.0)), Cauchy(t(0.6), t(2.0))
    """
)


@pytest.mark.parametrize("expression", PAIRS)
def test_divergences(expression):
    code = compile(f"kl_divergence({expression})", expression, "eval")

    def program(lib):
        d = lib.distributions
        t = lambda *v: lib.tensor(v, dtype=lib.float64)  # noqa: E731
        low = lambda *v: d.LowRankMultivariateNormal(t(0.1, 0.2), t(*v).unsqueeze(-1), t(*v) ** 2 + 1)  # noqa: E731
        return eval(code, {**vars(d), "lib": lib, "t": t, "m": lambda *v: t(*v).reshape(2, 2), "low": low})

    agree(program, strides=False, slack=(1e-6, 1e-7))


def test_generalized_pareto_distributions():
    """torch computes densities of single precision only."""

    def program(lib):
        lib.manual_seed(3)
        leaves = [lib.tensor(v, requires_grad=True) for v in ([0.0, 1.0, 2.0], [1.0, 0.5, 2.0], [0.3, 0.0, -0.4])]
        family = lib.distributions.GeneralizedPareto(*leaves)
        drawn, at = family.rsample((4,)), lib.tensor([0.5, 1.5, 2.5])
        found = [drawn, family.log_prob(at), family.cdf(at), family.icdf(lib.tensor(0.3)), family.entropy()]
        gradients = [lib.autograd.grad(value.square().sum(), leaves, allow_unused=True) for value in found]
        detached = [value.detach() for value in (*found, family.mean, family.variance, family.mode)]
        larger = family.expand((2, 3)).sample()
        outside = run(lambda lib: family.log_prob(lib.tensor([-1.0, 0.0, 20.0])), lib)
        return detached, gradients, larger, outside

    agree(program, strides=False, slack=(1e-4, 1e-5))


def test_divergences_of_own_families():
    class Own(rgrad.distributions.Normal):
        pass

    @rgrad.distributions.register_kl(Own, Own)
    def divergence(p, q):
        return "own"

    assert rgrad.distributions.kl_divergence(Own(0.0, 1.0), Own(0.0, 1.0)) == "own"
    assert rgrad.distributions.kl_divergence(Own(0.0, 1.0), rgrad.distributions.Normal(0.0, 1.0)).item() == 0.0
    with pytest.raises(TypeError, match="class"):
        rgrad.distributions.register_kl(3, Own)


TRANSFORMS = lines(
    """
    ExpTransform()
    AffineTransform(1.0, -2.0)
    AffineTransform(t(1.0, 2.0, 3.0), t(2.0, 3.0, 0.5), event_dim=1)
    PowerTransform(t(2.0))
    SigmoidTransform()
    TanhTransform()
    SoftplusTransform()
    AbsTransform()
    SoftmaxTransform()
    StickBreakingTransform()
    ComposeTransform([AffineTransform(1.0, 2.0), ExpTransform()])
    ComposeTransform([AffineTransform(1.0, 2.0), StickBreakingTransform()])
    ExpTransform().inv
    IndependentTransform(ExpTransform(), 1)
    ReshapeTransform((3,), (3, 1))
    CatTransform([ExpTransform(), AffineTransform(1.0, 2.0)], -1, [1, 2])
    StackTransform([ExpTransform(), AffineTransform(1.0, 2.0), SigmoidTransform()], -1)
    CumulativeDistributionTransform(Normal(t(0.5), t(1.5)))
    biject_to(constraints.positive)
    biject_to(constraints.interval(1.0, 3.0))
    biject_to(constraints.simplex)
    transform_to(constraints.simplex)
    biject_to(constraints.less_than(2.0))
    biject_to(constraints.real_vector)
    biject_to(constraints.corr_cholesky)
    biject_to(constraints.cat([constraints.positive, constraints.real], 1, [1, 2]))
    biject_to(constraints.stack([constraints.positive, constraints.real, constraints.unit_interval], 1))
    """
)


@pytest.mark.parametrize("expression", TRANSFORMS)
def test_transforms(expression):
    def program(lib):
        scope = {**vars(lib.distributions), "t": lambda *v: lib.tensor(v, dtype=lib.float64)}
        transform = eval(expression, scope)
        x = lib.tensor([[0.3, 0.5, 1.2], [0.1, 0.9, 2.0]], dtype=lib.float64)
        y = transform(x)
        return (
            y,
            answer(lib, lambda lib: transform.inv(y)),
            answer(lib, lambda lib: transform.log_abs_det_jacobian(x, y)),
            tuple(transform.forward_shape(x.shape)),
            transform.bijective,
            transform.domain.event_dim,
            transform.codomain.event_dim,
            transform == transform,
            answer(lib, lambda lib: lib.as_tensor(transform.sign)),
        )

    agree(program, strides=False, slack=(1e-6, 1e-7))


@pytest.mark.parametrize("name", ["lower_cholesky", "positive_definite", "positive_semidefinite"])
def test_transforms_to_matrices(name):
    def program(lib):
        transform = lib.distributions.transform_to(getattr(lib.distributions.constraints, name))
        x = lib.tensor([[0.3, 0.5], [0.1, 0.9]], dtype=lib.float64, requires_grad=True)
        y = transform(x)
        (gradient,) = lib.autograd.grad(y.square().sum(), x)
        return y.detach(), gradient, transform.inv(y).detach(), transform == transform, transform.domain.event_dim

    agree(program, strides=False, slack=(1e-6, 1e-7))


def test_vectors_as_triangular_matrices():
    def program(lib):
        utils = lib.distributions.utils
        vectors = lib.arange(12.0).reshape(2, 6)
        matrices = [utils.vec_to_tril_matrix(vectors, diag) for diag in (0, -1)]
        refused = [run(lambda lib: utils.vec_to_tril_matrix(lib.ones(5)), lib)]
        refused.append(run(lambda lib: utils.tril_matrix_to_vec(lib.ones(2, 2), 2), lib))
        return matrices, [utils.tril_matrix_to_vec(matrices[0], diag) for diag in (-2, -1, 0, 1)], refused

    agree(program, strides=False)


def test_transformed_distributions():
    def program(lib):
        d = lib.distributions
        lib.manual_seed(4)
        family = d.TransformedDistribution(
            d.Normal(lib.zeros(2), lib.ones(2)), [d.AffineTransform(1.0, lib.tensor([2.0, -1.0])), d.SigmoidTransform()]
        )
        drawn = family.sample((3,))
        return drawn, family.log_prob(drawn), family.cdf(drawn), family.icdf(lib.tensor([0.2, 0.4])), family.batch_shape

    agree(program, slack=(1e-4, 1e-5))


def test_transforms_with_a_cache_give_back_the_same_object():
    transform = rgrad.distributions.ExpTransform(cache_size=1)
    x = rgrad.ones(2)
    y = transform(x)
    assert transform(x) is y and transform.inv(y) is x
    raises(lambda lib: lib.distributions.ExpTransform(cache_size=2))


CONSTRAINED = lines(
    """
    constraints.boolean, t(0.0, 1.0, 2.0)
    constraints.integer_interval(1, 3), t(0.0, 1.5, 2.0, 4.0)
    constraints.nonnegative_integer, t(-1.0, 0.0, 0.5)
    constraints.positive_integer, t(-1.0, 0.0, 1.0)
    constraints.real, t(1.0, float("nan"), float("inf"))
    constraints.positive, t(0.0, 1.0)
    constraints.nonnegative, t(0.0, -1.0)
    constraints.less_than(2.0), t(1.0, 2.0)
    constraints.unit_interval, t(0.0, 1.0, 1.5)
    constraints.half_open_interval(0.0, 1.0), t(0.0, 1.0)
    constraints.simplex, t(0.3, 0.7)
    constraints.simplex, t(0.3, 0.8)
    constraints.one_hot, t(0.0, 1.0)
    constraints.real_vector, t(1.0, float("nan"))
    constraints.multinomial(3), t(1.0, 2.0)
    constraints.independent(constraints.positive, 1), t(1.0, -2.0)
    constraints.lower_triangular, t(1.0, 0.0, 2.0, 3.0).reshape(2, 2)
    constraints.lower_cholesky, t(1.0, 1.0, 2.0, 3.0).reshape(2, 2)
    constraints.square, t(1.0, 1.0, 2.0, 3.0).reshape(2, 2)
    constraints.symmetric, t(1.0, 1.0, 2.0, 3.0).reshape(2, 2)
    constraints.corr_cholesky, t(1.0, 0.0, 0.6, 0.8).reshape(2, 2)
    constraints.corr_cholesky, t(1.0, 0.0, 0.6, 0.9).reshape(2, 2)
    constraints.positive_definite, t(2.0, 1.0, 1.0, 3.0, 1.0, 2.0, 2.0, 1.0).reshape(2, 2, 2)
    constraints.positive_definite, t(2.0, 1.0, 0.5, 3.0).reshape(2, 2)
    constraints.positive_semidefinite, t(1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0).reshape(2, 2, 2)
    constraints.MixtureSameFamilyConstraint(constraints.half_open_interval(t(0.0, 1.0), 2.0)), t(0.5, 1.5)
    constraints.cat([constraints.positive, constraints.real], 0, [1, 2]), t(-1.0, 1.0, 2.0)
    constraints.stack([constraints.positive, constraints.real], 0), t(-1.0, 1.0)
    """
)


@pytest.mark.parametrize("expression", CONSTRAINED)
def test_constraints(expression):
    def program(lib):
        scope = {**vars(lib.distributions), "t": lambda *v: lib.tensor(v, dtype=lib.float64)}
        constraint, value = eval(expression, scope)
        return constraint.check(value), constraint.event_dim, constraint.is_discrete

    agree(program, strides=False)


REFUSED = lines(
    """
    Bernoulli()
    Bernoulli(0.5, 0.5)
    Bernoulli("text")
    Categorical(t(0.5, 0.5), t(0.0, 0.0))
    Categorical(lib.tensor(0.5))
    Dirichlet(lib.tensor(0.5))
    Normal(0.0, -1.0)
    Normal(t(0.0, 1.0), t(1.0, 2.0, 3.0))
    Uniform(1.0, 0.0)
    Geometric(t(0.0))
    Multinomial(t(2.0), t(0.5, 0.5))
    Independent(Normal(0.0, 1.0), 1)
    TransformedDistribution(Normal(0.0, 1.0), [3])
    MixtureSameFamily(Normal(0.0, 1.0), Normal(0.0, 1.0))
    MixtureSameFamily(Categorical(t(0.5, 0.5)), Normal(t(0.0, 1.0, 2.0), 1.0))
    MultivariateNormal(t(0.0, 1.0))
    MultivariateNormal(t(0.0, 1.0), lib.eye(2), lib.eye(2))
    MultivariateNormal(lib.tensor(0.0), lib.eye(2))
    MultivariateNormal(t(0.0, 1.0), scale_tril=t(1.0, 2.0))
    MultivariateNormal(t(0.0, 1.0), -lib.eye(2, dtype=lib.float64))
    MultivariateNormal(t(0.0, 1.0), -lib.eye(2, dtype=lib.float64), validate_args=False)
    LowRankMultivariateNormal(t(0.0, 1.0), lib.ones(3, 1), t(1.0, 1.0))
    LowRankMultivariateNormal(t(0.0, 1.0), lib.ones(2), t(1.0, 1.0))
    LowRankMultivariateNormal(t(0.0, 1.0), lib.ones(2, 1), t(1.0, 1.0, 1.0))
    LowRankMultivariateNormal(t(0.0, 1.0), lib.ones(2, 1), -t(1.0, 1.0))
    Wishart(3.0)
    Wishart(0.5, lib.eye(2))
    Wishart(3.0, lib.ones(2))
    LKJCholesky(1)
    ContinuousBernoulli()
    ContinuousBernoulli(1.5, validate_args=True)
    GeneralizedPareto(0.0, -1.0, 0.5)
    kl_divergence(MultivariateNormal(lib.zeros(2), lib.eye(2)), MultivariateNormal(lib.zeros(3), lib.eye(3)))
    transform_to(constraints.corr_cholesky).forward_shape((4,))
    transform_to(constraints.corr_cholesky).inverse_shape((3, 4))
    Poisson(1.0).rsample()
    Binomial(t(1.0, 2.0), t(0.5, 0.5)).entropy()
    constraints.dependent.check(t(1.0))
    ReshapeTransform((2,), (3,))
    Normal(0.0, 1.0).set_default_validate_args(3)
    biject_to(constraints.boolean)
    """
)


@pytest.mark.parametrize("expression", REFUSED)
def test_refused(expression):
    code = compile(expression, expression, "eval")
    raises(
        lambda lib: eval(
            code, {**vars(lib.distributions), "lib": lib, "t": lambda *v: lib.tensor(v, dtype=lib.float64)}
        )
    )


def test_the_oracle_is_torch():
    assert torch.distributions.Normal is not rgrad.distributions.Normal
