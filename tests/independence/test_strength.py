"""Strength of a dependence, and the test of posterior draws."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from nme_core import independence
from nme_core.exceptions import DataError


def sides(seed, n=60, slope=0.0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    x = rng.normal(size=(n, 3))
    x[:, 0] += slope * y
    return independence.gaussian_kernel(x), independence.gaussian_kernel(y)


def test_by_the_sums_over_different_persons():
    """Means over quadruples of different persons of K_ij (L_ij + L_qr - 2 L_iq)."""
    k, l = sides(0, n=7, slope=1.0)  # noqa: E741

    def naive(a, b):
        from itertools import permutations

        terms = [
            a[i, j] * (b[i, j] + b[q, r] - 2 * b[i, q]) for i, j, q, r in permutations(range(7), 4)
        ]
        return np.mean(terms)

    expected = naive(k, l) / np.sqrt(naive(k, k) * naive(l, l))
    assert independence.strength(k, l).value == pytest.approx(expected)


def test_each_person_left_out_gives_the_jackknife():
    k, l = sides(1, n=12, slope=1.0)  # noqa: E741
    found = independence.strength(k, l)
    keep = [np.delete(np.arange(12), i) for i in range(12)]
    without = np.array(
        [independence.strength(k[np.ix_(i, i)], l[np.ix_(i, i)]).value for i in keep]
    )
    error = np.sqrt(11 / 12 * np.sum((without - without.mean()) ** 2))
    assert found.high - found.value == pytest.approx(2.200985 * error, rel=1e-6)


def test_between_nothing_and_the_same():
    values = [independence.strength(*sides(seed)).value for seed in range(60)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(60)
    k, _ = sides(0)
    assert independence.strength(k, k).value == pytest.approx(1)
    grows = [independence.strength(*sides(0, slope=slope)).value for slope in (0.5, 1, 2, 4)]
    assert grows == sorted(grows)


def test_intervals_cover():
    true = np.mean([independence.strength(*sides(seed, n=700, slope=1.0)).value for seed in (1, 2)])
    found = [independence.strength(*sides(seed, n=80, slope=1.0)) for seed in range(150)]
    covered = sum(one.low <= true <= one.high for one in found)
    assert covered >= binom.ppf(0.001, 150, 0.93)


def test_without_an_interval_where_a_group_has_two():
    y = np.array([0, 0, 1, 1, 1, 1, 1, 1])
    x = np.random.default_rng(0).normal(size=(8, 2))
    found = independence.strength(independence.gaussian_kernel(x), (y[:, None] == y).astype(float))
    assert np.isfinite(found.value)
    assert np.isnan([found.low, found.high]).all()


def test_too_few_persons():
    with pytest.raises(DataError, match="shapes"):
        independence.strength(np.eye(4), np.eye(4))


def draws_of_a_study(seed, n=60, compliance=0.95, effect=0.0):
    """Posterior draws of a random intercept whose number of observations goes with a score."""
    rng = np.random.default_rng(seed)
    y = pd.Series(rng.normal(size=n), name="score")
    silence = compliance * y + np.sqrt(1 - compliance**2) * rng.normal(size=n)
    n_obs = np.round(2 * 100 ** (1 - (silence.rank() - 0.5) / n))
    eta = rng.normal(size=n) + effect * y
    reliability = n_obs / (n_obs + 10)
    mean = reliability * (eta + rng.normal(size=n) * np.sqrt(10 / n_obs))
    spread = np.sqrt(1 - reliability)
    drawn = [pd.DataFrame({"a": mean + spread * rng.normal(size=n)}) for _ in range(5)]
    return pd.DataFrame({"a": mean}), drawn, y


def test_draws_are_not_fooled_by_shrinkage():
    arrangement = independence.Arrangement()
    count = trapped = 0
    for seed in range(60):
        mean, drawn, y = draws_of_a_study(seed)
        options = {"reps": 99, "random_state": seed}
        trapped += independence.hsic_test(mean, y, **options).p <= 0.05
        count += independence.over_draws(drawn, y, arrangement, **options).p <= 0.05
    assert trapped > 7
    assert count <= binom.ppf(0.999, 60, 0.05)


def test_p_of_draws_is_twice_the_median():
    _, drawn, y = draws_of_a_study(3, effect=0.5)
    options = {"reps": 99, "random_state": 0}
    arrangement = independence.Arrangement()
    each = [independence.arranged_test(one, y, arrangement, **options) for one in drawn]
    median = sorted(one.p for one in each)[2]
    found = independence.over_draws(drawn, y, arrangement, **options)
    assert found.p == min(1, 2 * median)
    assert found.strength in [one.strength for one in each if one.p == median]
    assert found.hsic.p == min(1, 2 * sorted(one.hsic.p for one in each)[2])
    assert found.hsic.method == "hsic gaussian x gaussian of 5 draws"
