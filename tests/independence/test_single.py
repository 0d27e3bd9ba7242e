"""The largest association of a single parameter, and one p for it and HSIC."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import binom

from nme_core.independence import Arrangement, arranged_test, permutations
from nme_core.independence.single import p_of_both, single_test


def study(seed, n=40, d=6, effect=0.0, shape=lambda y: y):
    rng = np.random.default_rng(seed)
    people = [f"p{k}" for k in range(n)]
    y = pd.Series(rng.normal(size=n), people, name="score")
    x = pd.DataFrame(rng.normal(size=(n, d)), people, list("abcdefghij"[:d]))
    x["b"] += effect * shape(y)
    return x, y


def test_it_is_the_largest_spearman():
    x, y = study(0, effect=1.5)
    found = single_test(x, y, permutations(len(y), 99))
    rho = x.apply(lambda column: abs(stats.spearmanr(column, y).statistic))
    assert found.parameter == rho.idxmax() == "b"
    assert found.statistic == pytest.approx(rho.max())
    assert found.each["b"] == found.p == 0.01


def test_p_counts_every_order_of_the_people():
    x, y = study(1, n=5, d=2)
    orders = np.array(list(itertools.permutations(range(5))))
    found = single_test(x, y, orders)

    def largest(values):
        return max(abs(stats.spearmanr(x[name], values).statistic) for name in x)

    null = np.array([largest(y.to_numpy()[order]) for order in orders])
    assert found.null == pytest.approx(null)
    assert found.p == (1 + (null >= largest(y) - 1e-9).sum()) / (1 + len(null))


def test_groups_are_compared_by_their_means():
    x, y = study(2, effect=1.5, shape=np.sign)
    labels = pd.Series(np.where(y > 0, "high", "low"), y.index, name="group")
    found = single_test(x, labels, permutations(len(y), 99))
    r = abs(np.corrcoef(x["b"], labels == "high")[0, 1])
    assert (found.parameter, found.p) == ("b", 0.01)
    assert found.statistic == pytest.approx(r)


def test_given_confounders_it_is_the_partial_correlation():
    x, y = study(3, effect=1.0)
    rng = np.random.default_rng(99)
    age = pd.DataFrame({"age": rng.normal(size=len(y))}, y.index)
    x["a"] += 6 * age["age"]
    moved = (y + 3 * age["age"]).rename("score")
    orders = permutations(len(y), 99)
    assert single_test(x, moved, orders).parameter == "a"
    found = single_test(x, moved, orders, given=age)
    ranks = pd.concat([x, moved, age], axis=1).rank()
    left = ranks[["b", "score"]].apply(
        lambda column: column - np.polyval(np.polyfit(ranks["age"], column, 1), ranks["age"])
    )
    assert found.parameter == "b"
    assert found.statistic == pytest.approx(abs(np.corrcoef(left["b"], left["score"])[0, 1]))


def test_one_p_keeps_the_level_and_has_the_power_of_either():
    small = dict.fromkeys(("null", "one", "bent"), 0)
    for seed in range(60):
        for name, effect, shape in (
            ("null", 0.0, None), ("one", 0.9, lambda y: y), ("bent", 1.5, np.square),
        ):  # fmt: skip
            x, y = study(seed, effect=effect, shape=shape or (lambda y: y))
            found = arranged_test(x, y, Arrangement(), reps=99, random_state=seed)
            assert min(found.hsic.p, found.single.p) <= found.p + 1e-9
            small[name] += found.p <= 0.05
    assert small["null"] <= binom.ppf(0.999, 60, 0.05)
    assert small["one"] > 45  # a single line among six: Spearman's strength
    assert small["bent"] > 30  # a bend: only HSIC sees it


def test_one_p_is_the_rank_of_the_smaller_one():
    null = np.arange(99.0)
    assert p_of_both((99.0, 99.0), (null, null[::-1])) == 0.01
    assert p_of_both((99.0, -1.0), (null, null)) == 0.02  # the other's largest is as small
    assert p_of_both((-1.0, -1.0), (null, null)) == 1.0


def test_within_strata_their_means_are_no_association():
    x, y = study(4)
    strata = pd.Series(np.repeat([0, 1], len(y) // 2), y.index)
    inside = single_test(x, y, permutations(len(y), 50, strata=strata), strata=strata)
    moved = single_test(
        x.add(5 * strata, axis=0).rank(), y, permutations(len(y), 50, strata=strata), strata=strata
    )
    assert moved.p == pytest.approx(inside.p, abs=0.5)  # far from 1, which means of strata give
    assert abs(moved.statistic) < 0.6
