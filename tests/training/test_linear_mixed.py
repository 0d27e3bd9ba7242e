"""Maximum likelihood of the linear mixed model, against its definition."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from nme_core.training.linear_mixed import CollinearColumnError, Sums, fit_linear_mixed_model

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
