from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from nme_core import independence
from nme_core.exceptions import DataError, OptionError


def test_seeded_permutations():
    drawn = independence.permutations(7, 50, random_state=3)
    assert drawn.shape == (50, 7)
    np.testing.assert_array_equal(np.sort(drawn, axis=1), np.tile(np.arange(7), (50, 1)))
    np.testing.assert_array_equal(drawn, independence.permutations(7, 50, random_state=3))
    assert (drawn != independence.permutations(7, 50, random_state=4)).any()


def test_uniform_over_the_allowed_permutations():
    drawn = independence.permutations(5, 6000, strata=["a", "b", "a", "b", "a"])
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(counts) == 12  # 3! of a times 2! of b
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_strata_are_kept():
    strata = np.random.default_rng(0).choice(["x", "y", "z"], size=60)
    drawn = independence.permutations(60, 200, strata=strata)
    assert (strata[drawn] == strata).all()
    assert (drawn != np.arange(60)).any(axis=0).all()


@pytest.mark.parametrize(
    ("strata", "message"),
    [(["a", "b", "c"], "two people"), (["a", "a", None], "position 2"), (["a"], "shape")],
)
def test_impossible_strata(strata, message):
    with pytest.raises(DataError, match=message):
        independence.permutations(3, 10, strata=strata)


def test_no_permutation_is_refused():
    with pytest.raises(OptionError, match="at least one"):
        independence.permutations(3, 0)


def test_quantile_strata_keep_ties_together():
    n_obs = pd.Series([30, 10, 10, 10, 10, 20, 40, 50, 60, 70], index=list("abcdefghij"))
    strata = independence.quantile_strata(n_obs)
    assert strata.groupby(n_obs).nunique().eq(1).all()
    assert strata.is_monotonic_increasing == n_obs.is_monotonic_increasing
    assert n_obs.groupby(strata).max().is_monotonic_increasing
    assert sorted(strata.unique()) == list(range(strata.nunique()))
    assert list(strata.index) == list(n_obs.index)


def test_quintiles_have_equal_size_without_ties():
    strata = independence.quantile_strata(pd.Series(np.random.default_rng(0).permutation(100)))
    assert list(strata.value_counts()) == [20] * 5


def test_equal_numbers_of_observations_are_one_stratum():
    assert independence.quantile_strata(pd.Series([8, 8, 8, 8])).nunique() == 1


def test_strata_need_a_value_for_everybody():
    with pytest.raises(DataError, match="'p2'") as caught:
        independence.quantile_strata(pd.Series([1.0, None], index=["p1", "p2"], name="n_obs"))
    assert caught.value.person == "p2"
