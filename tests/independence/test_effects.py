import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import rankdata

from nme_core import independence
from nme_core.exceptions import DataError, OptionError


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    persons = [f"{number:03d}" for number in range(40)]
    return pd.DataFrame(rng.normal(size=(40, 3)), index=persons, columns=["a", "b", "c"])


def test_spearman_equals_scipy(x):
    score = (x["a"] + np.random.default_rng(1).normal(size=40)).round(0).rename("score")
    table = independence.effects_table(x, score).set_index("parameter")
    for parameter in x:
        expected = stats.spearmanr(x[parameter], score)
        assert table.loc[parameter, "effect"] == pytest.approx(expected.statistic)
        assert table.loc[parameter, "p"] == pytest.approx(expected.pvalue)
    assert (table["kind"] == "spearman").all()
    assert (table["group"] == "").all()
    assert (table["covariate"] == "score").all()
    assert (table["n_tests"] == 3).all()
    np.testing.assert_allclose(table["p_adjusted"], independence.adjust_p(table["p"], "bh"))


def test_spearman_interval_by_hand(x):
    score = x["a"].rank().rename("score")
    score.iloc[:10] = score.iloc[:10].to_numpy()[::-1]
    row = independence.effects_table(x[["a"]], score).iloc[0]
    rho = stats.spearmanr(x["a"], score).statistic
    width = 1.959964 * np.sqrt((1 + rho**2 / 2) / 37)
    assert row["ci_low"] == pytest.approx(np.tanh(np.arctanh(rho) - width), abs=1e-6)
    assert row["ci_high"] == pytest.approx(np.tanh(np.arctanh(rho) + width), abs=1e-6)


def test_spearman_interval_covers():
    rng = np.random.default_rng(0)
    r = 0.5
    truth = 6 / np.pi * np.arcsin(r / 2)  # Spearman's rho of a normal pair with correlation r
    draws = [
        independence.effects_table(
            pd.DataFrame({"a": r * z + np.sqrt(1 - r**2) * e}), pd.Series(z, name="z")
        )
        for z, e in rng.normal(size=(400, 2, 30))
    ]
    table = pd.concat(draws)
    covered = ((table["ci_low"] <= truth) & (truth <= table["ci_high"])).mean()
    assert 0.91 <= covered <= 0.985


def test_perfect_agreement_and_constants_give_no_warning(x):
    values = pd.DataFrame({"same": np.arange(40.0), "constant": 1.0}, index=x.index)
    score = pd.Series(np.arange(40.0), index=x.index, name="score")
    table = independence.effects_table(values, score).set_index("parameter")
    assert table.loc["same", ["effect", "ci_low", "ci_high"]].tolist() == pytest.approx(
        [1, 1, 1], abs=1e-3
    )
    assert table.loc["same", "p"] == pytest.approx(0, abs=1e-12)
    assert table.loc["constant", ["effect", "ci_low", "ci_high", "p"]].isna().all()
    assert (table["n_tests"] == 1).all()


@pytest.mark.parametrize("n", [4, 6, 7, 12])
def test_p_of_few_persons_comes_from_permutations(n):
    rng = np.random.default_rng(n)
    values = pd.DataFrame({"same": np.arange(n), "noise": rng.normal(size=n), "constant": 1.0})
    score = pd.Series(np.arange(n) * 2.0, name="score")
    table = independence.effects_table(values, score).set_index("parameter")
    if n <= 7:
        assert table.loc["same", "p"] == pytest.approx(2 / math.factorial(n))
    else:
        assert table.loc["same", "p"] == pytest.approx(1 / 20_000)
    low, high = table.loc["same", ["ci_low", "ci_high"]]
    assert (low < 0.999, high) == (True, 1.0)
    assert table.loc["same", "effect"] == pytest.approx(1)
    assert table.loc["constant", "p"] != table.loc["constant", "p"]
    ranks = rankdata(values["noise"])
    exact = stats.permutation_test(
        (ranks,),
        lambda a: np.corrcoef(a, rankdata(score))[0, 1],  # Spearman's rho
        permutation_type="pairings",
        n_resamples=np.inf if n <= 7 else 2000,
        rng=np.random.default_rng(0),
    )
    assert table.loc["noise", "p"] == pytest.approx(exact.pvalue, abs=1e-9 if n <= 7 else 0.05)


def test_two_groups_are_compared_by_welch(x):
    group = pd.Series(["b", "a", "b", "b"] * 10, index=x.index, name="group")
    table = independence.effects_table(x, group).set_index("parameter")
    first, second = x["b"][group == "b"], x["b"][group == "a"]
    expected = stats.ttest_ind(first, second, equal_var=False)
    interval = expected.confidence_interval(0.95)
    row = table.loc["b"]
    assert row["effect"] == pytest.approx(first.mean() - second.mean())
    assert row["p"] == pytest.approx(expected.pvalue)
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([interval.low, interval.high])
    assert (row["kind"], row["group"]) == ("mean difference", "b - a")


@pytest.mark.parametrize("dtype", ["int64", "float64", "Float64"])
def test_a_number_with_two_values_is_two_groups(x, dtype):
    male = pd.Series([0, 1] * 20, index=x.index, name="male", dtype=dtype)
    table = independence.effects_table(x, male)
    assert (table["group"] == "1 - 0").all()
    table_of_halves = independence.effects_table(x, male + 0.5)
    assert (table_of_halves["group"] == "1.5 - 0.5").all()
    expected = x["a"][male == 1].mean() - x["a"][male == 0].mean()
    assert table["effect"].iloc[0] == pytest.approx(expected)


def test_more_groups_are_each_compared_with_the_rest(x):
    group = pd.Series(["a", "b", "b", "c"] * 10, index=x.index, name="group")
    table = independence.effects_table(x, group)
    assert list(table["group"].unique()) == ["a - rest", "b - rest", "c - rest"]
    assert len(table) == 9
    row = table[(table["group"] == "c - rest") & (table["parameter"] == "c")].iloc[0]
    expected = x["c"][group == "c"].mean() - x["c"][group != "c"].mean()
    assert row["effect"] == pytest.approx(expected)


def test_a_group_of_one_has_a_difference_and_no_test(x):
    group = pd.Series(["a"] * 39 + ["b"], index=x.index, name="group")
    row = independence.effects_table(x, group).iloc[0]
    assert np.isfinite(row["effect"])
    assert row[["ci_low", "ci_high", "p", "p_adjusted"]].isna().all()


def test_persons_are_matched_and_missing_ones_left_out(x):
    score = x["a"].rename("score").drop("000").sample(frac=1, random_state=0)
    score["005"] = np.nan
    table = independence.effects_table(x, score).set_index("parameter")
    assert (table["n_persons"] == 38).all()
    assert table.loc["a", "effect"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, y * 0), "same for all 40"),
        (lambda x, y: (x, y[:3]), "Only 3 people"),
        (lambda x, y: (x, pd.concat([y, y[:1]])), "'000' has more than one row"),
        (lambda x, y: (x.assign(a=x["a"].drop("004")), y), "person '004' is missing"),
    ],
)
def test_what_cannot_be_described_is_said(x, change, message):
    values, score = change(x, x["a"].rename("score"))
    with pytest.raises(DataError, match=message):
        independence.effects_table(values, score)


def test_level_is_a_share(x):
    with pytest.raises(OptionError, match="95"):
        independence.effects_table(x, x["a"], level=95)
