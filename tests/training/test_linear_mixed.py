"""Maximum likelihood of the linear mixed model, against its definition."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from nme_core.training.linear_mixed import (
    CollinearColumnError,
    NoResidualError,
    Sums,
    UnidentifiedError,
    fit_linear_mixed_model,
)
from tests.training.linear_studies import from_r, simulated

SIZES = [1, 2, 9, 14, 7, 20, 3, 11]


def make_study(seed: int = 0, n_persons: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x with a constant last, y and person; some persons have fewer rows than random effects."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_persons), SIZES * (n_persons // 8))
    x = np.column_stack([rng.normal(size=(len(person), 2)), np.ones(len(person))])
    own = rng.normal(size=(n_persons, 3)) * [0.8, 0.0, 1.5]
    y = x @ [1.0, -2.0, 3.0] + (x * own[person]).sum(1) + rng.normal(size=len(person))
    return x, y, person


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_a_variance_at_0_on_the_way_is_not_taken_for_the_end(kind):
    """From the usual start the search runs into 0, where the slope is 0 and the maximum is not."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(30), 12)
    x = np.column_stack([rng.normal(size=(360, 2)), np.ones(360)])
    own = rng.normal(size=(30, 2))[person] * [1.0, 0.7]
    y = 3 + own[:, 0] + (1 + own[:, 1]) * x[:, 0] - x[:, 1] + rng.normal(size=360)
    fit = fit_linear_mixed_model(Sums.of(x, y, person), [0, 1, 2], kind)
    for share in (0.9, 1.1):
        sigma = fit.sigma.numpy().copy()
        assert sigma[1, 1] > 1e-3
        sigma[1] *= share
        sigma[:, 1] *= share
        found = log_likelihood(
            (x, y, person), [0, 1, 2], fit.fixed.numpy(), sigma, fit.residual_variance
        )
        assert found < fit.log_likelihood - 1e-6


def test_sums_are_those_of_each_person():
    x, y, person = make_study()
    found, expected = Sums.of(x, y, person), make_sums(x, y, person)
    torch.testing.assert_close(found.xx, expected.xx)
    torch.testing.assert_close(found.xy, expected.xy)
    assert (float(found.yy), found.n_rows) == (pytest.approx(float(expected.yy)), len(y))


def make_sums(x: np.ndarray, y: np.ndarray, person: np.ndarray) -> Sums:
    persons = range(person.max() + 1)
    return Sums(
        torch.from_numpy(np.stack([x[person == i].T @ x[person == i] for i in persons])),
        torch.from_numpy(np.stack([x[person == i].T @ y[person == i] for i in persons])),
        torch.tensor(float(y @ y), dtype=torch.float64),
        len(y),
    )


def log_likelihood(study, random, beta, sigma, variance) -> float:
    """Density of each person's rows, with the whole covariance matrix."""
    total = 0.0
    x, y, person = study
    for i in range(person.max() + 1):
        rows = person == i
        z = x[rows][:, random]
        covariance = z @ sigma @ z.T + variance * np.eye(rows.sum())
        total += multivariate_normal(x[rows] @ beta, covariance).logpdf(y[rows])
    return total


@pytest.mark.parametrize("kind", ["diagonal", "full"])
@pytest.mark.parametrize("random", [[2], [0, 2], [2, 0]])
def test_it_is_the_maximum_of_the_likelihood(kind, random):
    study = make_study(n_persons=24)
    fit = fit_linear_mixed_model(make_sums(*study), random, kind)
    beta, sigma = fit.fixed.numpy(), fit.sigma.numpy()
    best = log_likelihood(study, random, beta, sigma, fit.residual_variance)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(best, rel=1e-10)
    if kind == "diagonal":
        assert (sigma == np.diag(np.diag(sigma))).all()
    rng = np.random.default_rng(1)
    for _ in range(30):
        step = 0.02 * rng.normal(size=sigma.shape)
        move = np.diag(np.diag(step)) if kind == "diagonal" else step
        other = (np.eye(len(sigma)) + move) @ sigma @ (np.eye(len(sigma)) + move).T
        near = log_likelihood(
            study,
            random,
            beta + 0.02 * rng.normal(size=3),
            other,
            fit.residual_variance * np.exp(0.02 * rng.normal()),
        )
        assert near < best


def test_effects_are_the_conditional_normal_distribution():
    x, y, person = make_study(n_persons=24)
    random = [0, 2]
    fit = fit_linear_mixed_model(make_sums(x, y, person), random, "full")
    sigma = fit.sigma.numpy()
    for i in range(24):
        rows = person == i
        z = x[rows][:, random]
        inverse = np.linalg.inv(z @ sigma @ z.T + fit.residual_variance * np.eye(rows.sum()))
        mean = sigma @ z.T @ inverse @ (y[rows] - x[rows] @ fit.fixed.numpy())
        np.testing.assert_allclose(fit.effects[i], mean, rtol=1e-8, atol=1e-10)
        covariance = sigma - sigma @ z.T @ inverse @ z @ sigma
        np.testing.assert_allclose(fit.effects_covariance[i], covariance, rtol=1e-7, atol=1e-10)


def test_a_variance_of_zero_is_found_without_breaking():
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(20), 10)
    x = np.column_stack([rng.normal(size=200), np.ones(200)])
    noise = rng.normal(size=200)
    noise -= np.repeat([noise[person == i].mean() for i in range(20)], 10)  # all persons alike
    fit = fit_linear_mixed_model(make_sums(x, x[:, 0] + noise, person), [1], "full")
    assert fit.converged
    assert float(fit.sigma[0, 0]) == pytest.approx(0, abs=1e-10)
    assert (fit.effects == 0).all()


def test_without_random_effects_it_is_least_squares():
    x, y, person = make_study()
    fit = fit_linear_mixed_model(make_sums(x, y, person), [], "full")
    beta, rest, *_ = np.linalg.lstsq(x, y, rcond=None)
    np.testing.assert_allclose(fit.fixed, beta)
    assert fit.residual_variance == pytest.approx(float(rest[0]) / len(y))
    inverse = np.linalg.inv(x.T @ x) * fit.residual_variance
    np.testing.assert_allclose(fit.fixed_covariance, inverse)


def test_collinear_columns_are_named():
    x, y, person = make_study()
    x[:, 1] = 2 * x[:, 0]
    with pytest.raises(CollinearColumnError) as error:
        fit_linear_mixed_model(make_sums(x, y, person), [2], "full")
    assert error.value.column == 1


@pytest.mark.parametrize(
    ("reml", "kind", "log_likelihood", "variances"),
    [  # lme4 1.1-31: lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = reml)
        (False, "full", -875.969672244, (565.515, 32.6822, 11.0554, 654.941)),
        (True, "full", -871.81413598, (612.090, 35.0717, 9.60433, 654.941)),
        (False, "diagonal", -876.001627572, (584.250, 33.6331, 0, 653.116)),
        (True, "diagonal", -871.834646791, (627.569, 35.8582, 0, 653.584)),
    ],
)
def test_both_likelihoods_are_those_of_lmer(reml, kind, log_likelihood, variances):
    study = from_r("lme4", "sleepstudy", "Reaction", "Subject", ["Days"])
    fit = fit_linear_mixed_model(Sums.of(*study), [0, 1], kind, reml=reml)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-7)
    sigma = fit.sigma.numpy()
    found = (sigma[0, 0], sigma[1, 1], sigma[0, 1], fit.residual_variance)
    np.testing.assert_allclose(found, variances, rtol=1e-5)
    assert fit.converged
    assert fit.distance < 1e-8


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_order_labels_and_threads_do_not_matter(reml, kind):
    x, y, person = simulated(n_persons=60)
    rng = np.random.default_rng(0)
    order, label = rng.permutation(len(y)), rng.permutation(60)
    one = fit_linear_mixed_model(Sums.of(x, y, person), [0, 3], kind, reml=reml)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        sums = Sums.of(x[order], y[order], label[person][order])
        other = fit_linear_mixed_model(sums, [0, 3], kind, reml=reml)
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_allclose(one.fixed, other.fixed, rtol=1e-9)
    np.testing.assert_allclose(one.sigma, other.sigma, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.effects, other.effects[label], atol=1e-9)
    errors = one.information.sigma_se, other.information.sigma_se
    np.testing.assert_allclose(*errors, rtol=1e-8)


@pytest.mark.parametrize("unit", [1e8, 1e-8])
def test_units_do_not_matter(unit):
    x, y, person = simulated(n_persons=60)
    one = fit_linear_mixed_model(Sums.of(x, y, person), [0, 3], "full")
    other = fit_linear_mixed_model(Sums.of(x, unit * y, person), [0, 3], "full")
    np.testing.assert_allclose(other.sigma / unit**2, one.sigma, rtol=1e-8)
    scaled = x * [unit**0.5, 1, 1, 1]
    other = fit_linear_mixed_model(Sums.of(scaled, y, person), [0, 3], "full")
    np.testing.assert_allclose(other.effects[:, 0] * unit**0.5, one.effects[:, 0], rtol=1e-6)


def test_one_long_person_and_two_persons_are_fitted():
    rng = np.random.default_rng(0)
    person = np.concatenate([np.zeros(300_000, dtype=int), np.repeat(np.arange(1, 50), 10)])
    x = np.column_stack([np.ones(len(person)), rng.normal(size=len(person))])
    own = rng.normal(size=(50, 2))
    y = (x * (own[person] + [1, 2])).sum(1) + rng.normal(size=len(person))
    fit = fit_linear_mixed_model(Sums.of(x, y, person), [0, 1], "full")
    assert fit.converged
    np.testing.assert_allclose(fit.effects[0] + fit.fixed, own[0] + [1, 2], atol=0.02)
    two = person < 2
    few = fit_linear_mixed_model(Sums.of(x[two], y[two], person[two]), [0, 1], "full")
    assert few.converged


@pytest.mark.parametrize("random", [[1], [0, 1]])
def test_one_row_of_each_person_is_refused(random):
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=200), np.ones(200)])
    with pytest.raises(UnidentifiedError, match="too few rows"):
        fit_linear_mixed_model(Sums.of(x, rng.normal(size=200), np.arange(200)), random, "full")


def test_an_outcome_that_people_have_constant_is_refused():
    x, _, person = simulated()
    y = np.random.default_rng(0).normal(size=30)[person]
    with pytest.raises(NoResidualError, match="does not vary"):
        fit_linear_mixed_model(Sums.of(x, y, person), [3], "full")
