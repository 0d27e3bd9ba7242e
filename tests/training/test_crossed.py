"""Several grouping factors, against dense likelihoods and finite differences."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.linalg import block_diag
from scipy.optimize import approx_fprime, minimize
from scipy.stats import multivariate_normal

from nme_core.nn import Categorical, Ordinal, Poisson
from nme_core.training.crossed import fit_crossed
from nme_core.training.crossed_gaussian import GaussianLikelihood
from nme_core.training.crossed_laplace import LaplaceLikelihood
from nme_core.training.grouping import Factor, Grouping, Terms
from nme_core.training.linear_mixed import CollinearColumnError, NoResidualError
from nme_core.training.scales import Scale, Scales

RANDOM = [[0, 1], [0, 1]]


def study(n_rows: int = 240, seed: int = 0) -> SimpleNamespace:
    """Two factors that cross, with intercepts and slopes; x has an intercept and a slope."""
    rng = np.random.default_rng(seed)
    person = np.unique(rng.integers(20, size=n_rows), return_inverse=True)[1]
    clinic = rng.integers(8, size=n_rows)
    x = np.column_stack([np.ones(n_rows), rng.normal(size=n_rows)])
    root = np.array([[0.8, 0], [0.3, 0.4]])
    eta = x @ [0.3, 0.5]
    for one in (person, clinic):
        eta = eta + (x * (rng.normal(size=(one.max() + 1, 2)) @ root.T)[one]).sum(1)
    return SimpleNamespace(x=x, factors=[person, clinic], eta=eta, rng=rng)


def outcome(data: SimpleNamespace, family: str):
    """Outcome, family, terms of the fixed and random effects, and a start."""
    eta, rng, score = data.eta, data.rng, Terms.of([0, 1])
    if family == "poisson":
        return rng.poisson(np.exp(eta)).astype(float), Poisson(), score, score, None
    if family == "binary":
        return (rng.logistic(size=len(eta)) < eta).astype(int), Categorical(2), score, score, None
    cut = np.array([-1.0, 0.8])
    y = (eta[:, None] + rng.logistic(size=(len(eta), 1)) > cut).sum(1)
    if family == "ordinal":
        fixed = Terms(np.array([0, 0, 1]), np.array([[1.0, 0], [0, 1], [-1, -1]]))
        return y, Ordinal(), fixed, Terms(np.array([0, 1]), -np.ones((2, 2))), [-1.0, 1, 0]
    both = Terms(np.array([0, 0, 1, 1]), np.tile(np.eye(2), (2, 1)))
    return y, Categorical(3), both, both, None


def dense(data: SimpleNamespace, term: Terms) -> np.ndarray:
    """Z of all factors as one array (N, O, columns)."""
    parts = []
    for one in data.factors:
        part = np.zeros((len(one), term.directions.shape[1], one.max() + 1, len(term.columns)))
        own = data.x[:, term.columns, None] * term.directions
        part[np.arange(len(one)), :, one] = own.transpose(0, 2, 1)
        parts.append(part.reshape(*part.shape[:2], -1))
    return np.concatenate(parts, axis=2)


def test_numbers_agree_with_the_multivariate_normal():
    data = study()
    y = data.eta + data.rng.normal(size=len(data.eta))
    fit = fit_crossed(data.x, y, data.factors, RANDOM, "full")
    assert fit.converged
    assert fit.n_parameters == 2 + 3 + 3 + 1
    z = dense(data, Terms.of([0, 1]))[:, 0]
    sizes = [one.max() + 1 for one in data.factors]
    prior = np.zeros((z.shape[1], z.shape[1]))
    start = 0
    for size, sigma in zip(sizes, fit.sigma, strict=True):
        prior[start : start + 2 * size, start : start + 2 * size] = np.kron(np.eye(size), sigma)
        start += 2 * size
    v = z @ prior @ z.T + fit.residual_variance * np.eye(len(y))
    weighted = data.x.T @ np.linalg.inv(v)
    covariance = np.linalg.inv(weighted @ data.x)
    np.testing.assert_allclose(fit.fixed, covariance @ weighted @ y, rtol=1e-8)
    np.testing.assert_allclose(fit.fixed_covariance, covariance, rtol=1e-8)
    mean = data.x @ fit.fixed
    expected = multivariate_normal(mean, v).logpdf(y)
    assert fit.log_likelihood == pytest.approx(expected, abs=1e-7)
    gain = prior @ z.T @ np.linalg.inv(v)
    effects = gain @ (y - mean)
    np.testing.assert_allclose(np.concatenate([b.ravel() for b in fit.effects]), effects, atol=1e-8)
    given = prior - gain @ z @ prior
    moved = gain @ data.x
    error = given + moved @ covariance @ moved.T
    for whole, found in ((given, fit.effects_covariance), (error, fit.effects_error)):
        blocks = np.concatenate([block.reshape(-1, 2, 2) for block in found])
        for k, block in enumerate(blocks):
            np.testing.assert_allclose(
                block, whole[2 * k : 2 * k + 2, 2 * k : 2 * k + 2], atol=1e-8
            )


def laplace(data, y, family, terms: Terms, random: Terms, beta, scale: list) -> float:
    """Laplace's log-likelihood from dense matrices, the mode found by a general optimiser."""
    z = dense(data, random)
    sizes = [one.max() + 1 for one in data.factors]
    spread = np.zeros((z.shape[2], z.shape[2]))
    start = 0
    for size, one in zip(sizes, scale, strict=True):
        width = len(one) * size
        spread[start : start + width, start : start + width] = np.kron(np.eye(size), one)
        start += width
    z = torch.from_numpy(z @ spread)
    fixed = torch.from_numpy((data.x[:, terms.columns] * beta) @ terms.directions)
    outcomes = torch.from_numpy(y)

    def joint(v: torch.Tensor) -> torch.Tensor:
        return v @ v / 2 - family.log_density(fixed + z @ v, outcomes).sum()

    def both(v: np.ndarray) -> tuple[float, np.ndarray]:
        at = torch.from_numpy(v).requires_grad_()
        value = joint(at)
        return float(value.detach()), torch.autograd.grad(value, at)[0].numpy()

    v = minimize(both, np.zeros(z.shape[2]), jac=True, method="BFGS", options={"gtol": 1e-9}).x
    hessian = torch.autograd.functional.hessian(joint, torch.from_numpy(v))
    return -both(v)[0] - 0.5 * float(torch.linalg.slogdet(hessian)[1])


FAMILIES = ["poisson", "binary", "classes", "ordinal"]


@pytest.mark.parametrize("family", FAMILIES)
def test_others_agree_with_a_dense_laplace_approximation(family):
    data = study()
    y, likelihood, fixed, random, start = outcome(data, family)
    begin = None if start is None else np.array(start)
    options = {"fixed": fixed, "start": begin}
    fit = fit_crossed(data.x, y, data.factors, [random] * 2, "diagonal", likelihood, **options)
    assert fit.converged
    roots = [np.sqrt(sigma) for sigma in fit.sigma]

    def at(beta: np.ndarray, factor: float = 1.0) -> float:
        scale = [root * factor for root in roots]
        return laplace(data, y, likelihood, fixed, random, beta, scale)

    best = at(fit.fixed)
    assert fit.log_likelihood == pytest.approx(best, abs=1e-6)
    for k in range(len(fit.fixed)):
        step = np.zeros(len(fit.fixed))
        step[k] = np.sqrt(fit.fixed_covariance[k, k]) / 2
        assert max(at(fit.fixed + step), at(fit.fixed - step)) < best
    assert max(at(fit.fixed, 0.9), at(fit.fixed, 1.1)) < best


@pytest.mark.parametrize("kind", ["diagonal", "full"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_derivative_is_exact(family, kind):
    data = study()
    y, likelihood, fixed, random, start = outcome(data, family)
    zeros = np.zeros(len(y), dtype=np.int64)
    grouping = Grouping.of(
        [
            Factor(o, o.max() + 1, data.x[:, random.columns], random.directions)
            for o in data.factors
        ],
        Factor(zeros, 1, data.x[:, fixed.columns], fixed.directions),
    )
    scales = Scales((Scale.of(len(random.columns), kind, None),) * 2)
    prior, narrow = np.full(len(fixed.columns), 0.5), np.full(len(random.columns), 0.3)
    classes = torch.from_numpy(y)
    one = LaplaceLikelihood(grouping, scales, likelihood, classes, prior, [narrow, 2 * narrow])
    rng = np.random.default_rng(3)
    beta = np.zeros(len(fixed.columns)) if start is None else np.array(start)
    at = np.concatenate([beta, rng.uniform(0.2, 0.6, scales.n)])
    numeric = approx_fprime(at, lambda p: one.state(p, slope=False).value, 1e-6)
    np.testing.assert_allclose(one.state(at).slope, numeric, rtol=1e-4, atol=1e-3)


def numbers(data: SimpleNamespace, kind: str, *, reml: bool) -> GaussianLikelihood:
    """The likelihood of a number with the effects of `study`."""
    term = Terms.of([0, 1])
    zeros = np.zeros(len(data.eta), dtype=np.int64)
    own = [Factor(o, o.max() + 1, data.x, term.directions) for o in data.factors]
    grouping = Grouping.of(own, Factor(zeros, 1, data.x, term.directions))
    scales = Scales((Scale.of(2, kind, None),) * 2)
    y = data.eta + data.rng.normal(size=len(data.eta))
    return GaussianLikelihood(grouping, scales, y, np.zeros(2), reml=reml)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_the_curvature_is_the_average_information(kind, reml):
    data = study()
    one = numbers(data, kind, reml=reml)
    theta = np.random.default_rng(3).uniform(0.2, 0.6, one._scales.n)
    x, y, n = data.x, one._y, len(data.x) - (2 if reml else 0)
    z = dense(data, Terms.of([0, 1]))[:, 0]
    levels = [one.max() + 1 for one in data.factors]

    def shape(at: np.ndarray) -> np.ndarray:
        roots = Scales((Scale.of(2, kind, None),) * 2).matrices(at)
        parts = [np.kron(np.eye(m), r @ r.T) for m, r in zip(levels, roots, strict=True)]
        return np.eye(len(y)) + z @ block_diag(*parts) @ z.T

    h = np.linalg.inv(shape(theta))
    p = h - h @ x @ np.linalg.solve(x.T @ h @ x, x.T @ h)
    variance, steps = y @ p @ y / n, 1e-3 * np.eye(len(theta))
    by = [(shape(theta + e) - shape(theta - e)) / 2e-3 @ p @ y for e in steps]  # quadratic: exact
    inner = p if reml else h

    def bend(i: np.ndarray, j: np.ndarray) -> float:
        ends = shape(theta + i + j) - shape(theta + i) - shape(theta + j) + shape(theta)
        return (np.sum(inner * ends) - y @ p @ ends @ p @ y / variance) / 2e-6

    expected = np.array(
        [
            [
                by[i] @ p @ by[j] / (2 * variance)
                - (y @ p @ by[i]) * (y @ p @ by[j]) / (2 * n * variance**2)
                + bend(steps[i], steps[j])
                for i in range(len(theta))
            ]
            for j in range(len(theta))
        ]
    )
    np.testing.assert_allclose(one.state(theta).curvature, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_the_curvature_leads_to_the_maximum_in_few_steps(kind, monkeypatch):
    data, asked, plain = study(2000, seed=5), [], GaussianLikelihood.state
    y = data.eta + data.rng.normal(size=len(data.eta))

    def counted(self, theta, *, slope=True):
        asked.append(theta)
        return plain(self, theta, slope=slope)

    monkeypatch.setattr(GaussianLikelihood, "state", counted)
    fit = fit_crossed(data.x, y, data.factors, RANDOM, kind)
    assert fit.converged
    assert len(asked) <= 30
    with_curvature = fit.log_likelihood
    monkeypatch.setattr(
        GaussianLikelihood, "state", lambda *a, **k: replace(plain(*a, **k), curvature=None)
    )
    fit = fit_crossed(data.x, y, data.factors, RANDOM, kind)  # by the gradient alone
    assert fit.log_likelihood == pytest.approx(with_curvature, abs=1e-8)


@pytest.mark.parametrize("family", [None, "poisson", "ordinal"])
def test_the_order_of_rows_and_levels_does_not_show(family):
    data = study(seed=4)
    fixed, start, likelihood = Terms.of([0, 1]), None, None
    random, y = fixed, data.eta + data.rng.normal(size=len(data.eta))
    if family is not None:
        y, likelihood, fixed, random, start = outcome(data, family)
    begin = None if start is None else np.array(start)
    options = {"fixed": fixed, "start": begin}

    def fit(rows, levels):
        codes = [level[one[rows]] for level, one in zip(levels, data.factors, strict=True)]
        return fit_crossed(
            data.x[rows], y[rows], codes, [random] * 2, "full", likelihood, **options
        )

    n = [one.max() + 1 for one in data.factors]
    one = fit(np.arange(len(y)), [np.arange(size) for size in n])
    levels = [data.rng.permutation(size) for size in n]
    other = fit(data.rng.permutation(len(y)), levels)
    np.testing.assert_allclose(other.fixed, one.fixed, rtol=1e-8, atol=1e-9)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-12)
    for g in range(2):
        np.testing.assert_allclose(other.sigma[g], one.sigma[g], rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(other.effects[g][levels[g]], one.effects[g], atol=1e-8)


def test_units_of_a_column_change_only_its_effects():
    data = study()
    y, likelihood, _, random, _ = outcome(data, "poisson")
    one = fit_crossed(data.x, y, data.factors, [random] * 2, "full", likelihood)
    large = data.x * [1, 1e8]
    other = fit_crossed(large, y, data.factors, [random] * 2, "full", likelihood)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(other.fixed * [1, 1e8], one.fixed, rtol=1e-7)
    np.testing.assert_allclose(
        other.sigma[0] * np.outer([1, 1e8], [1, 1e8]), one.sigma[0], rtol=1e-6
    )


def test_a_variance_of_zero_is_found_exactly():
    data = study()
    y = data.x @ [0.3, 0.5] + data.rng.normal(size=len(data.eta))
    y -= (
        0.9
        * np.bincount(data.factors[1], y - y.mean())[data.factors[1]]
        / np.bincount(data.factors[1])[data.factors[1]]
    )
    fit = fit_crossed(data.x, y, data.factors, [[0], [0]], "diagonal")
    assert fit.converged
    assert fit.sigma[1] == 0
    assert (fit.effects[1] == 0).all()
    assert np.isfinite(fit.log_likelihood)


def test_pooled_effects_share_a_variance():
    data = study()
    y, likelihood, fixed, random, _ = outcome(data, "classes")
    pools = np.array([0, 0, 1, 1])
    fit = fit_crossed(
        data.x, y, data.factors, [random] * 2, "diagonal", likelihood, fixed=fixed, pools=pools
    )
    assert fit.n_parameters == 4 + 2 + 2
    for sigma in fit.sigma:
        assert sigma[0, 0] == sigma[1, 1]
        assert sigma[2, 2] == sigma[3, 3]
    # Contrasts of one length treat all classes alike: their names do not show.
    turned = np.array([2, 0, 1])[y]
    again = fit_crossed(
        data.x, turned, data.factors, [random] * 2, "diagonal", likelihood, fixed=fixed, pools=pools
    )
    assert again.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-8)


def test_restricted_likelihood_takes_any_units():
    data = study()
    y = data.eta + data.rng.normal(size=len(data.eta))
    fit = fit_crossed(data.x, y, data.factors, [[0], [0]], "diagonal", reml=True)
    z = dense(data, Terms.of([0]))[:, 0]
    sizes = [one.max() + 1 for one in data.factors]
    prior = np.repeat([sigma[0, 0] for sigma in fit.sigma], sizes)
    v = (z * prior) @ z.T + fit.residual_variance * np.eye(len(y))
    information = data.x.T @ np.linalg.solve(v, data.x)
    expected = multivariate_normal(data.x @ fit.fixed, v).logpdf(y)
    expected += np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(information)[1]
    assert fit.log_likelihood == pytest.approx(expected, abs=1e-7)


def test_a_collinear_column_is_named():
    data = study()
    x = np.column_stack([data.x, 2 * data.x[:, 1]])
    with pytest.raises(CollinearColumnError) as error:
        fit_crossed(x, data.eta, data.factors, [[0], [0]], "diagonal")
    assert error.value.column == 2


@pytest.mark.parametrize("family", [None, "binary"])
def test_draws_have_the_covariances_of_the_fit(family):
    data, n = study(), 40_000
    random = fixed = Terms.of([0, 1])
    y, likelihood = data.eta + data.rng.normal(size=len(data.eta)), None
    if family is not None:
        y, likelihood, fixed, random, _ = outcome(data, family)
    options = {"fixed": fixed, "n_draws": n}
    fit = fit_crossed(data.x, y, data.factors, [random] * 2, "full", likelihood, **options)
    shared, own = fit.draws
    np.testing.assert_allclose(shared.T @ shared / n, fit.fixed_covariance, rtol=0.05, atol=2e-3)
    for drawn, expected in zip(own, fit.effects_error, strict=True):
        found = np.einsum("npr,nps->prs", drawn, drawn) / n
        np.testing.assert_allclose(found, expected, rtol=0.05, atol=4e-3)
    if family is None:  # of a row's mean, from Henderson's equations
        z = np.concatenate([data.x, dense(data, random)[:, 0]], axis=1)
        sizes = [len(one) for one in fit.effects]
        blocks = [np.zeros((2, 2))]
        for size, sigma in zip(sizes, fit.sigma, strict=True):
            blocks += [np.linalg.inv(sigma)] * size
        whole = np.linalg.inv(z.T @ z / fit.residual_variance + block_diag(*blocks))
        means = shared @ data.x.T
        for drawn, levels in zip(own, data.factors, strict=True):
            means = means + (drawn[:, levels] * data.x).sum(2)
        expected = np.einsum("jr,rs,js->j", z, whole, z)
        np.testing.assert_allclose(np.square(means).mean(0), expected, rtol=0.06)


def test_a_prior_keeps_an_effect_without_bound_finite():
    data = study()
    y, likelihood, _, _, _ = outcome(data, "binary")
    apart = np.where(y == 1, data.rng.uniform(1, 2, len(y)), data.rng.uniform(-2, -1, len(y)))
    x = np.column_stack([data.x[:, 0], apart])
    prior = np.array([0.0, 0.04])
    fit = fit_crossed(x, y, data.factors, [[0], [0]], "diagonal", likelihood, prior=prior)
    assert fit.converged
    assert 1 < fit.fixed[1] < 15
    assert fit.log_likelihood < 0


def test_a_prior_of_numbers_is_a_row_of_data():
    """β_k ~ N(0, σ²/prior) says what a row 0 = √prior β_k + ε says."""
    data = study()
    y = data.eta + data.rng.normal(size=len(data.eta))
    x = np.column_stack([data.x, data.x[:, 1]])
    prior = np.array([0.0, 0.0, 0.01])
    fit = fit_crossed(x, y, data.factors, [[0], [0]], "diagonal", prior=prior)
    plain = fit_crossed(data.x, y, data.factors, [[0], [0]], "diagonal")
    assert fit.fixed[2] == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(fit.fixed[:2], plain.fixed, rtol=1e-6)
    expected = plain.fixed_covariance[1, 1] + fit.residual_variance / 0.01
    assert fit.fixed_covariance[1, 1] == pytest.approx(expected, rel=1e-6)


def test_no_residual_variance_is_refused():
    data = study()
    own = data.rng.normal(size=data.factors[0].max() + 1)
    with pytest.raises(NoResidualError):
        fit_crossed(data.x, own[data.factors[0]], data.factors, [[0], [0]], "diagonal")


@pytest.mark.parametrize(
    ("family", "sd", "people", "clinics"),
    [
        (None, 0.0, (0.5640, 1.5401), (0.0, 0.09252)),
        (None, 0.7, (0.5567, 1.5311), (0.08723, 1.1344)),
        ("binary", 0.0, (0.0, 0.7676), (0.0, 0.7506)),
        ("binary", 0.7, (0.0843, 1.4625), (0.16997, 3.0560)),
    ],
)
def test_intervals_of_few_groups_are_those_of_lme4(family, sd, people, clinics):
    """confint(lmer or glmer(y ~ x + (1|person) + (1|clinic)), method = "profile") ^ 2."""
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(40), 8)
    clinic = rng.integers(6, size=320)
    x = rng.normal(size=320)
    eta = 0.5 + 0.5 * x + rng.normal(size=40)[person] + sd * rng.normal(size=6)[clinic]
    if family is None:
        y = eta + rng.normal(size=320)
    else:
        y = (rng.random(320) < 1 / (1 + np.exp(-eta))).astype(int)
    design = np.column_stack([np.ones(320), x])
    likelihood = None if family is None else Categorical(2)
    own = [Terms.of([0])] * 2
    fit = fit_crossed(design, y, [person, clinic], own, "diagonal", likelihood)
    read = fit.variances()
    for factor, expected in ((0, people), (1, clinics)):
        profile = read._profile(
            read.grouping.order.index(factor), read.units[factor], fit.sigma[factor][0, 0]
        )
        assert profile is not None
        assert profile(0.3).interval() == pytest.approx(expected, rel=4e-3, abs=1e-4)
    found = read.interval(1, np.ones(1))
    assert (found.low, found.high) == pytest.approx(clinics, rel=2e-3, abs=1e-4)
    assert read.interval(1, np.ones(1), asked=clinics[1] * 0.99).held == 1
    assert read.interval(1, np.ones(1), asked=clinics[1] * 1.02).held == 0
