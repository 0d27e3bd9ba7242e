import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import binom

from nme_core import metrics
from nme_core.exceptions import MissingColumnError, OptionError
from nme_core.io import TABLES
from nme_core.metrics.comparison import studentised_interval


def table_of(values, metric="mse", split="test"):
    """Rows of `metrics.evaluate` for {model: one value per person}."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "model": model, "split": split, "scope": "person",
                    "person": [f"{number:03d}" for number in range(len(of_persons))],
                    "metric": metric, "value": of_persons, "n": 10,
                }
            )
            for model, of_persons in values.items()
        ],
        ignore_index=True,
    )  # fmt: skip


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    nme = rng.gamma(2, size=40)
    return {
        "nme": nme,
        "generic": nme + 0.3 + 0.5 * rng.normal(size=40),
        "specific": nme + 0.01 * rng.normal(size=40),
    }


def test_differences_are_paired_over_persons(values):
    table = metrics.compare(table_of(values).sample(frac=1, random_state=0))
    assert tuple(table.columns) == (*TABLES["comparison"], "p_adjusted")
    table = table.set_index("model")
    assert set(table.index) == {"generic", "specific"}
    row = table.loc["generic"]
    difference = values["generic"] - values["nme"]
    assert row["difference"] == pytest.approx(difference.mean())
    # normal differences: the resamples give what theory gives
    width = stats.t.ppf(0.975, 39) * stats.sem(difference)
    expected = difference.mean() + np.array([-width, width])
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(expected, abs=0.15 * width)
    assert row["p"] < 0.01
    assert (row["n_persons"], row["metric"], row["reference"]) == (40, "mse", "nme")
    assert table.loc["specific", "p"] > 0.05


def test_studentised_interval_by_hand():
    sample = np.array([0.0, 1.0, 5.0, 2.0])
    drawn = np.array([[0.0, 1, 1, 2], [5, 5, 0, 1], [2, 2, 2, 1], [1, 1, 1, 1]])
    # the last one has no spread of its own and takes the smallest, 0.5
    sd = np.append([np.std(row, ddof=1) for row in drawn[:3]], 0.5)
    t = (drawn.mean(1) - 2) / (sd / 2)
    low, high = studentised_interval(sample, [drawn[:1], drawn[1:]], 0.5)
    se = np.std(sample, ddof=1) / 2
    assert low == pytest.approx(2 - np.quantile(t, 0.75) * se)
    assert high == pytest.approx(2 - np.quantile(t, 0.25) * se)


def test_skewed_differences_have_a_skewed_interval():
    difference = np.random.default_rng(1).exponential(size=20)
    row = metrics.compare(table_of({"nme": np.zeros(20), "other": difference})).iloc[0]
    assert row["ci_high"] - row["difference"] > 1.2 * (row["difference"] - row["ci_low"])


def test_p_is_corrected_over_the_models_of_a_metric(values):
    table = pd.concat([table_of(values), table_of(values, metric="mae")])
    found = metrics.compare(table)
    for _, family in found.groupby("metric"):
        small, large = sorted(family["p"])
        assert sorted(family["p_adjusted"]) == pytest.approx([2 * small, max(2 * small, large)])


def test_p_agrees_with_the_exact_sign_flip_test():
    difference = np.array([0.9, -0.2, 0.5, 0.4, 0.8, -0.1])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1)
    exact = np.mean(np.abs(difference @ signs) >= abs(difference.sum()) - 1e-12)
    table = metrics.compare(table_of({"nme": np.zeros(6), "other": difference}))
    assert table["p"].item() == pytest.approx(exact, abs=0.015)


def test_the_other_direction_has_the_other_sign(values):
    there = metrics.compare(table_of(values)).set_index("model").loc["generic"]
    back = metrics.compare(table_of(values), reference="generic").set_index("model").loc["nme"]
    assert back["difference"] == pytest.approx(-there["difference"])
    assert back["p"] == there["p"]
    assert back["ci_low"] == pytest.approx(-there["ci_high"])


def test_seeded(values):
    first, again = (metrics.compare(table_of(values)) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = metrics.compare(table_of(values), random_state=1)
    assert (other["p"] != first["p"]).any()


def test_draws_in_chunks_are_the_same_draws(values, monkeypatch):
    whole = metrics.compare(table_of(values))
    monkeypatch.setattr("nme_core.metrics.comparison._CHUNK", 4000)
    pieces = metrics.compare(table_of(values))
    pd.testing.assert_frame_equal(pieces.drop(columns="p"), whole.drop(columns="p"))
    np.testing.assert_allclose(pieces["p"], whole["p"], atol=0.02)


def test_persons_for_whom_a_metric_is_not_defined_are_left_out(values):
    values["nme"] = values["nme"].copy()
    values["nme"][:5] = np.nan
    table = metrics.compare(table_of(values)).set_index("model")
    assert table.loc["generic", "n_persons"] == 35
    expected = (values["generic"] - values["nme"])[5:].mean()
    assert table.loc["generic", "difference"] == pytest.approx(expected)


def test_equal_models():
    row = metrics.compare(table_of({"nme": np.ones(9), "same": np.ones(9)})).iloc[0]
    assert row[["difference", "ci_low", "ci_high", "p"]].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("n", [2, 3])
def test_too_few_persons_to_resample(n):
    row = metrics.compare(table_of({"nme": np.zeros(n), "other": np.arange(1.0, n + 1)})).iloc[0]
    assert row[["ci_low", "ci_high"]].isna().all()
    assert 0 < row["p"] <= 1


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_persons_have_no_interval(n):
    values = {"nme": np.full(3, np.nan), "other": np.ones(3)}
    values["nme"][:n] = 0.5
    row = metrics.compare(table_of(values)).iloc[0]
    assert row["n_persons"] == n
    assert row[["ci_low", "ci_high", "p"]].isna().all()
    assert np.isnan(row["difference"]) == (n == 0)


def test_only_the_persons_rows_of_the_split_count(values):
    table = table_of(values)
    noise = table.assign(value=1e6)
    more = pd.concat(
        [table, noise.assign(split="train"), noise.assign(scope="pooled", person="")[::40]]
    )
    pd.testing.assert_frame_equal(metrics.compare(more), metrics.compare(table))


def test_from_predictions_to_comparison():
    rng = np.random.default_rng(0)
    y = rng.normal(size=600)
    rows = pd.DataFrame({"person": np.repeat(np.arange(30).astype(str), 20), "split": "test"})
    predictions = pd.concat(
        [
            rows.assign(observed=y, model=name, predicted=y + noise * rng.normal(size=600))
            for name, noise in (("generic", 2.0), ("nme", 1.0))
        ]
    )
    table = metrics.compare(metrics.evaluate(predictions, "number")).set_index("metric")
    assert list(table.index) == ["mse", "mae", "pearson", "ccc"]
    assert table.loc["mse", "difference"] == pytest.approx(3, abs=0.5)
    assert table.loc["pearson", "difference"] < 0
    assert (table["p"] < 0.001).all()


@pytest.mark.parametrize("n", [8, 20])
def test_interval_covers_and_test_keeps_its_level(n):
    rng = np.random.default_rng(0)
    covered = rejected = 0
    for seed in range(300):
        difference = rng.normal(size=n)
        row = metrics.compare(
            table_of({"nme": np.zeros(n), "other": difference}), flips=199, random_state=seed
        ).iloc[0]
        covered += row["ci_low"] <= 0 <= row["ci_high"]
        rejected += row["p"] <= 0.05
    low, high = binom.interval(0.999, 300, 0.05)
    assert low <= rejected <= high
    assert low <= 300 - covered <= high


def test_interval_of_few_unequal_persons_is_finite():
    # resampling would draw only zeros in one of ten draws
    difference = np.array([0, 0, 0, 0, 0, 0, 0.2, 0.1])
    row = metrics.compare(table_of({"nme": np.zeros(8), "other": difference})).iloc[0]
    assert row["ci_low"] < 0 < row["ci_high"]
    assert row["ci_high"] - row["ci_low"] < 0.15


def test_one_value_far_off_does_not_make_an_interval_beyond_reason():
    difference = np.array([-200.0, 0.01, -0.02, 0.03, -0.01, 0.02, 0.01, 0.0])
    row = metrics.compare(table_of({"nme": np.zeros(8), "other": difference})).iloc[0]
    se = difference.std(ddof=1) / np.sqrt(8)
    furthest = stats.t.ppf(0.9995, 7) * se
    assert row["ci_low"] >= difference.mean() - furthest - 1e-9
    assert row["ci_high"] <= difference.mean() + furthest + 1e-9


def test_rounding_is_no_difference():
    values = np.linspace(0.1, 0.9, 9)
    table = metrics.compare(table_of({"nme": values, "same": values + 1e-15}))
    row = table.iloc[0]
    assert row[["difference", "ci_low", "ci_high", "p"]].tolist() == [0, 0, 0, 1]
    opposite = np.array([1 / 3, -1 / 3, 0.1, 0.2, -0.3])  # the mean is 0 but for rounding
    assert opposite.mean() != 0
    table = metrics.compare(table_of({"nme": np.zeros(5), "other": opposite}))
    assert table["difference"].item() == 0


def test_wrong_calls(values):
    with pytest.raises(OptionError, match="'lme'"):
        metrics.compare(table_of(values), reference="lme")
    with pytest.raises(OptionError, match="validation"):
        metrics.compare(table_of(values), split="validation")
    with pytest.raises(MissingColumnError, match="'scope'"):
        metrics.compare(table_of(values).drop(columns="scope"))


def test_the_mean_over_persons_counts_each_the_same_and_has_an_interval(values):
    table = table_of(values)
    table.loc[table["person"] == "003", "value"] = np.nan
    pooled = table.head(1).assign(scope="pooled", value=99.0)
    means = metrics.person_means(pd.concat([pooled, table])).set_index("model")
    assert list(means.index) == list(values)
    own = np.delete(values["generic"], 3)
    row = means.loc["generic"]
    assert row["mean"] == pytest.approx(own.mean())
    width = stats.t.ppf(0.975, 38) * stats.sem(own)
    expected = own.mean() + np.array([-width, width])
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(expected, abs=0.4 * width)
    assert (row["metric"], row["n_persons"]) == ("mse", 39)


def test_a_mean_over_three_persons_has_no_interval_and_other_splits_do_not_count(values):
    few = table_of({name: own[:3] for name, own in values.items()})
    other = table_of(values, split="validation")
    means = metrics.person_means(pd.concat([few, other]))
    assert means["n_persons"].tolist() == [3] * 3
    assert means[["ci_low", "ci_high"]].isna().all(axis=None)
    assert means["mean"].iloc[0] == pytest.approx(values["nme"][:3].mean())
