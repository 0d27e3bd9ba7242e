"""The compliance trap: who is observed seldom is shrunken more, and the covariate follows that."""

import numpy as np
import pandas as pd
from scipy.special import log_softmax
from scipy.stats import binom

from nme_core.estimators.person_posterior import MarginalPosterior, PersonPosterior
from nme_core.independence import Arrangement, arranged_test

PEOPLE, STUDIES = 60, 60
NAMES = ["stay", "go", "leave"]


def log_odds(effects):
    """Of three moves from one state: not linear in a person's effects."""
    shares = np.exp(log_softmax(effects + np.array([1.0, 0.0, -0.5]), axis=1))
    return np.log(shares / (1 - shares))


def slope_at_the_population():
    step = 1e-5 * np.eye(3)
    return ((log_odds(step) - log_odds(np.zeros((1, 3)))) / 1e-5).T


def posterior(rng):
    """Moves of people with 3 to 60 observations, and a covariate made of their number alone."""
    n_obs = np.exp(rng.uniform(np.log(3), np.log(60), PEOPLE))
    left = 1 / (1 + n_obs / 6)  # posterior variance of each effect, of 1
    mean = np.sqrt(1 - left)[:, None] * rng.normal(size=(PEOPLE, 3))
    people = [f"{k:02d}" for k in range(PEOPLE)]
    known = PersonPosterior(
        NAMES, people, mean, np.repeat(left[:, None], 3, 1), np.ones(3),
        slope_at_the_population(), lambda effects: log_odds(effects) - log_odds(np.zeros((1, 3))),
    )  # fmt: skip
    silence = -np.log(n_obs) + 0.15 * rng.normal(size=PEOPLE)
    return known, pd.Series(silence, people, name="silence")


def rejections(numbers_of):
    count = 0
    for seed in range(STUDIES):
        known, silence = posterior(np.random.default_rng(seed))
        found = arranged_test(numbers_of(known), silence, Arrangement(), reps=99, random_state=seed)
        count += found.p <= 0.05
    return count


def test_moves_divided_by_the_root_of_their_reliability_keep_the_level():
    assert rejections(PersonPosterior.unshrunken) <= binom.ppf(0.999, STUDIES, 0.05)


def test_numbers_known_by_their_errors_alone_are_treated_alike():
    known, _ = posterior(np.random.default_rng(0))
    frames = known.estimate(), known.estimate() * 0, known.reliability()
    pd.testing.assert_frame_equal(MarginalPosterior(*frames).unshrunken(), known.unshrunken())
