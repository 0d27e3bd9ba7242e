"""Posterior of persons' parameters: against the tables of the model, and against its own draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nme_core import NMECRF, NMEMLPRegressor
from nme_core.estimators.person_posterior import PersonPosterior, person_posterior
from nme_core.exceptions import OptionError


def centring(k):
    one = np.eye(k) - 1 / k
    return np.kron(one, one)


@pytest.fixture(scope="module")
def crf():
    rng = np.random.default_rng(0)
    person = np.repeat([f"p{k}" for k in range(8)], 30)
    X = pd.DataFrame({"x": rng.normal(size=240)})
    y = pd.Series(rng.choice(["a", "b", "c"], 240))
    return NMECRF(placement="transitions", epochs=60).fit(X, y, groups=person, sequence_ids=person)


@pytest.fixture(scope="module")
def linear():
    rng = np.random.default_rng(1)
    person = np.repeat([f"p{k}" for k in range(12)], np.arange(4, 16))
    X = pd.DataFrame({"x": rng.normal(3, 2, size=len(person))})
    own = dict(zip(np.unique(person), rng.normal(size=12), strict=True))
    y = X["x"] + [own[who] for who in person] + rng.normal(size=len(person))
    model = NMEMLPRegressor(hidden=(), placement="all", estimator="laplace", covariance="full")
    return model.fit(X, y, groups=person)


def test_scores_are_deviations_from_the_population(crf):
    found = person_posterior(crf, "scores")
    scores = crf.transition_matrices("scores")
    expected = (scores[:-1] - scores[-1]).reshape(8, 9)
    np.testing.assert_allclose(found.estimate(), expected, atol=1e-6)
    assert found.estimate().columns[1] == "transitions[a,b]"
    T = centring(3)
    left = np.einsum("kr,prs,ks->pk", T, found.covariance, T)
    prior = np.diag(found.prior) if found.prior.ndim == 1 else found.prior
    reliability = 1 - left / np.diag(T @ prior @ T.T)
    np.testing.assert_allclose(found.reliability(), reliability.clip(0, 1), atol=1e-9)


def test_a_network_is_in_model_standard_deviations(linear):
    found = person_posterior(linear, "weights")
    sd = np.sqrt(np.diag(linear.random_effects_cov_))
    np.testing.assert_allclose(found.estimate(), linear.random_effects_ / sd, rtol=1e-5)
    np.testing.assert_allclose(found.reliability(), linear.reliability_, atol=1e-5)
    ratio = found.unshrunken() / found.estimate()
    np.testing.assert_allclose(ratio, 1 / np.sqrt(linear.reliability_.clip(lower=0.01)), rtol=1e-4)


def test_draws_have_the_mean_and_covariance_of_the_posterior(linear):
    found = person_posterior(linear, "weights")
    drawn = np.stack([draw.to_numpy() for draw in found.draws(3000, seed=0)])
    T = found.matrix
    for person in (0, 11):
        covariance = T @ found.covariance[person] @ T.T
        close = 6 * np.sqrt(np.diag(covariance).max() / 3000)
        np.testing.assert_allclose(
            drawn[:, person].mean(axis=0), found.estimate().iloc[person], atol=close
        )
        size = np.abs(covariance).max()
        np.testing.assert_allclose(np.cov(drawn[:, person].T), covariance, atol=0.15 * size)


def test_draws_of_centred_scores_stay_centred(crf):
    found = person_posterior(crf, "scores")
    (first,) = found.draws(1, seed=1)
    (again,) = found.draws(1, seed=1)
    pd.testing.assert_frame_equal(first, again)
    rows = first.to_numpy().reshape(8, 3, 3)
    np.testing.assert_allclose(rows.sum(axis=1), 0, atol=1e-9)
    assert first.to_numpy().std() > found.estimate().to_numpy().std()


def test_a_point_estimate_has_none():
    rng = np.random.default_rng(2)
    person = np.repeat(["a", "b", "c"], 10)
    model = NMEMLPRegressor(hidden=(), estimator="annealed", epochs=3)
    model.fit(rng.normal(size=(30, 1)), rng.normal(size=30), groups=person)
    with pytest.raises(OptionError, match="annealed"):
        person_posterior(model, "weights")


def posterior_of(information, noise, n=4000, seed=0, scale=1.0):
    """Persons η ~ N(0, I), of whom the rows tell `information` η with this noise: η and q(η)."""
    rng = np.random.default_rng(seed)
    size = information.shape[1]
    eta = rng.normal(size=(n, size))
    seen = eta @ information.T + noise * rng.normal(size=(n, len(information)))
    left = np.linalg.inv(np.eye(size) + information.T @ information / noise**2)
    mean = seen @ information @ left / noise**2
    names = [f"w{k}" for k in range(size)]
    persons = [str(k) for k in range(n)]
    covariance = np.broadcast_to(left, (n, size, size))
    return eta, PersonPosterior(
        names, persons, mean, covariance, np.eye(size), scale * np.eye(size)
    )


@pytest.mark.parametrize("standardise", [True, False])
def test_weights_that_cannot_be_told_apart_are_reliable_in_their_sum(standardise):
    eta, found = posterior_of(np.ones((1, 20)), noise=2.0)
    assert found.reliability().mean().max() < 0.06
    together = found.reliability_together(standardise=standardise)
    assert together == pytest.approx(20 / (20 + 2.0**2), abs=0.02)
    truth = np.corrcoef(eta.sum(1), found.mean.sum(1))[0, 1] ** 2
    assert together == pytest.approx(truth, abs=0.03)


@pytest.mark.parametrize("standardise", [True, False])
def test_numbers_that_are_equally_reliable_are_so_together(standardise):
    _, found = posterior_of(np.eye(5), noise=1.5, scale=7.0)
    single = found.reliability().to_numpy()
    together = found.reliability_together(standardise=standardise)
    assert together == pytest.approx(single.mean(), abs=0.02)


def test_where_estimates_do_not_differ_nothing_is_reliable():
    _, found = posterior_of(np.eye(2), noise=1.0, n=50)
    assert np.isnan(replace(found, mean=found.mean * 0).reliability_together(standardise=True))
    only = posterior_of(np.zeros((1, 3)) + 1e-9, noise=1.0, n=50)[1]
    assert only.reliability_together(standardise=False) < 1e-6
