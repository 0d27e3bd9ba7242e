"""Tests of the test: how often it rejects, with and without an effect."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from nme_core import independence
from nme_core.simulate import simulate_null


def shrunken_effects(rng, n_persons, *, compliance=0.0, effect=0.0, least=10):
    """Depression, observations and shrunken person means of a Gaussian random-intercept model.

    Residual variance 10, random variance 1: the estimate from n observations is shrunken by
    n / (n + 10). `compliance` correlates depression with how few observations there are.
    """
    depression = rng.normal(size=n_persons)
    silence = compliance * depression + np.sqrt(1 - compliance**2) * rng.normal(size=n_persons)
    share = (np.argsort(np.argsort(silence)) + 0.5) / n_persons
    n_obs = np.round(least * (200 / least) ** (1 - share))
    eta = rng.normal(size=n_persons) + effect * depression
    mean = eta + rng.normal(size=n_persons) * np.sqrt(10 / n_obs)
    return mean * n_obs / (n_obs + 10), depression, pd.Series(n_obs)


def rejections(n_studies, n_persons, *, within=False, groups=False, **study):
    count = 0
    for seed in range(n_studies):
        x, depression, n_obs = shrunken_effects(np.random.default_rng(seed), n_persons, **study)
        covariate = np.where(depression > 0, "high", "low") if groups else depression
        strata = independence.quantile_strata(n_obs).to_numpy() if within else None
        result = independence.hsic_test(x, covariate, reps=99, strata=strata, random_state=seed)
        count += result.p <= 0.05
    return count


@pytest.mark.parametrize(
    "options", [{}, {"within": True}, {"groups": True}], ids=["free", "within strata", "groups"]
)
def test_rejects_five_percent_of_true_nulls(options):
    low, high = binom.interval(0.999, 400, 0.05)
    assert low <= rejections(400, 40, **options) <= high


@pytest.mark.parametrize("within", [False, True])
def test_finds_an_effect(within):
    assert rejections(100, 60, within=within, effect=0.7) >= 80


def test_strata_protect_against_compliance():
    # depressed persons answer less and are shrunken more; depression has no effect
    trap = {"compliance": 0.95, "least": 2}
    _, high = binom.interval(0.999, 200, 0.05)
    assert rejections(200, 100, **trap) > 50
    assert rejections(200, 100, within=True, **trap) <= high


def test_division_by_the_root_of_reliability_protects_too():
    count = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x, depression, n_obs = shrunken_effects(rng, 100, compliance=0.95, least=2)
        divided = x / np.sqrt(n_obs / (n_obs + 10))  # 1 − C/Σ of a random intercept
        count += independence.hsic_test(divided, depression, reps=99, random_state=seed).p <= 0.05
    low, high = binom.interval(0.999, 200, 0.05)
    assert low <= count <= high


def transition_log_odds(study):
    """Double-centred log shares of each person's transitions, shrunken; and their depression."""
    person, states = study.long[study.roles["person"]], study.long["state"]
    known = person == person.shift(-1)
    persons, labels = pd.unique(person), sorted(states.unique())
    cells = pd.MultiIndex.from_product([persons, labels, labels])
    pairs = pd.MultiIndex.from_arrays([person[known], states[known], states.shift(-1)[known]])
    counts = pairs.value_counts().reindex(cells, fill_value=0).to_numpy()
    counts = counts.reshape(len(persons), len(labels), len(labels))
    population = counts.sum(axis=0) / counts.sum(axis=(0, 2))[:, None]
    scores = np.log(counts + 5 * population)
    scores -= scores.mean(axis=1, keepdims=True)
    scores -= scores.mean(axis=2, keepdims=True)
    x = pd.DataFrame(scores.reshape(len(persons), -1), index=persons)
    covariates = study.covariates.set_index(study.roles["person"])
    n_obs = person.value_counts().rename("n_obs")
    return x, covariates["depression"].astype(float), n_obs


@pytest.mark.parametrize(
    ("compliance", "within"), [(False, False), (True, True)], ids=["free", "within strata"]
)
def test_transitions_of_the_null_study_are_rejected_at_five_percent(compliance, within):
    count = 0
    for seed in range(120):
        study = simulate_null(60, compliance_effect=compliance, seed=seed)
        x, depression, n_obs = transition_log_odds(study)
        strata = independence.quantile_strata(n_obs) if within else None
        count += independence.hsic_test(x, depression, reps=99, strata=strata).p <= 0.05
    low, high = binom.interval(0.999, 120, 0.05)
    assert low <= count <= high
