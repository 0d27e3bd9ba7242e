"""Tests that hold confounders: against plain HSIC, a loop, a regression, a planted confounder."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.spatial.distance import pdist, squareform
from scipy.stats import binom, rankdata

from nme_core import independence
from nme_core.exceptions import DataError
from nme_core.independence.conditional import design, residuals, u_centred
from nme_core.independence.kernel_sums import residual_sums


def confounded(seed, n=60, slope=1.0, effect=0.0):
    """Parameters and a score that both go with age and clinic; `effect` links them beyond."""
    rng = np.random.default_rng(seed)
    given = pd.DataFrame({"age": rng.normal(40, 10, n), "clinic": rng.choice(list("abc"), n)})
    common = (given["age"] - 40) / 10 + (given["clinic"] == "a")
    y = (slope * common + rng.normal(size=n)).rename("score")
    x = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("pqrs"))
    x["p"] += slope * common + effect * (y - slope * common)
    return x, y, given


def test_the_design_spans_an_intercept_numbers_and_indicators():
    _, _, given = confounded(0)
    basis = design(given)
    assert basis.shape == (60, 4)
    np.testing.assert_allclose(basis.T @ basis, np.eye(4), atol=1e-12)
    for column in (np.ones(60), given["age"], given["clinic"] == "b"):
        rest = residuals(np.asarray(column, dtype=float)[:, None], basis)
        np.testing.assert_allclose(rest, 0, atol=1e-9)
    assert design(given.assign(again=2 * given["age"])).shape == (60, 4)


def test_without_confounders_it_is_the_plain_test():
    x, y, given = confounded(1, slope=0, effect=0.5)
    found, size = independence.conditional_test(x, y, given[[]], reps=400, random_state=2)
    plain = independence.hsic_test(x, y, reps=400, random_state=2)
    assert abs(found.p - plain.p) < 0.02  # the statistics differ by the ones on the diagonals
    kernels = independence.gaussian_kernel(x), independence.gaussian_kernel(y)
    assert size == pytest.approx(independence.strength(*kernels))


@pytest.mark.parametrize("by_column", [True, False])
def test_permuted_residuals_by_a_loop(by_column):
    x, y, given = confounded(2, n=17)
    basis = design(given)
    rest = residuals(x.to_numpy(), basis)
    other = u_centred(independence.gaussian_kernel(residuals(y.to_numpy()[:, None], basis)))
    drawn = np.array([np.random.default_rng(k).permutation(17) for k in range(5)])
    expected = []
    for order in drawn:
        moved = residuals(rest[order], basis)
        axis = 0 if by_column else None
        moved = moved * np.sqrt(np.sum(rest**2, axis=axis) / np.sum(moved**2, axis=axis))
        kernel = u_centred(np.exp(-0.5 * squareform(pdist(moved, "sqeuclidean"))))
        expected.append(np.sum(kernel * other) / np.linalg.norm(kernel))
    found = residual_sums(rest, basis, other, drawn, by_column)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_what_stays_in_place_gives_the_observed_statistic():
    x, y, given = confounded(3)
    strata = pd.Series(np.repeat(np.arange(30), 2), index=x.index, name="pair")
    found, size = independence.conditional_test(x, y, given, reps=3, strata=strata)
    assert found.statistic == size.value
    basis = design(given)
    left = residuals((x / x.std(ddof=0) - (x / x.std(ddof=0)).mean()).to_numpy(), basis)
    left = left / left.std(axis=0)
    left /= np.median(pdist(left))
    other = u_centred(independence.gaussian_kernel(residuals(y.to_numpy()[:, None], basis)))
    same = residual_sums(left, basis, other, np.arange(60)[None], True) / np.linalg.norm(other)
    assert same[0] == pytest.approx(found.statistic, abs=1e-10)


@pytest.mark.parametrize("categories", [False, True])
def test_a_confounder_is_found_only_where_it_is_not_held(categories):
    plain, held = 0, 0
    for seed in range(80):
        x, y, given = confounded(seed)
        y = y > y.median() if categories else y
        plain += independence.hsic_test(x, y, reps=99).p <= 0.05
        held += independence.conditional_test(x, y, given, reps=99)[0].p <= 0.05
    low, high = binom.interval(0.999, 80, 0.05)
    assert plain > 40
    assert low <= held <= high


def test_an_effect_beyond_the_confounder_is_found():
    found = 0
    for seed in range(40):
        x, y, given = confounded(seed, effect=0.8)
        found += independence.conditional_test(x, y, given, reps=99)[0].p <= 0.05
    assert found >= 32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y, z: (x, z["age"] * 2, z), "determines 'age'"),
        (lambda x, y, z: (x, z["clinic"].rename("clinic"), z), "determines 'clinic'"),
        (lambda x, y, z: (z[["age"]], y, z), "determines the parameters"),
        (lambda x, y, z: (x[:8], y[:8], z[:8]), "too few to hold 3 numbers"),
        (lambda x, y, z: (x, y * 0, z), "same value"),
    ],
)
def test_what_cannot_be_tested_is_said(change, message):
    with pytest.raises(DataError, match=message):
        independence.conditional_test(*change(*confounded(4)), reps=10)


def test_adjusted_differences_are_those_of_a_regression():
    x, y, given = confounded(5)
    group = (y > 0).map({True: "ill", False: "well"}).rename("group")
    table = independence.effects_table(x, group, given=given).set_index("parameter")
    Z = np.column_stack([group == "well", pd.get_dummies(given["clinic"]), given["age"]])
    fit = sm.OLS(x["p"], Z.astype(float)).fit(cov_type="HC3", use_t=True)
    row = table.loc["p"]
    assert row["kind"] == "adjusted mean difference"
    assert row["group"] == "well - ill"
    assert row["effect"] == pytest.approx(fit.params.iloc[0])
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(fit.conf_int().iloc[0].tolist())
    assert row["p"] == pytest.approx(fit.pvalues.iloc[0])


def test_partial_rho_is_the_correlation_of_what_is_left_of_the_ranks():
    x, y, given = confounded(6)
    row = independence.effects_table(x, y, given=given).set_index("parameter").loc["p"]
    Z = np.column_stack([pd.get_dummies(given["clinic"]), rankdata(given["age"])]).astype(float)
    left = [sm.OLS(rankdata(side), Z).fit().resid for side in (x["p"], y)]
    assert row["kind"] == "partial spearman"
    assert row["effect"] == pytest.approx(np.corrcoef(*left)[0, 1])
    plain = independence.effects_table(x, y).set_index("parameter").loc["p"]
    assert abs(row["effect"]) < abs(plain["effect"])
    assert row["ci_low"] < row["effect"] < row["ci_high"]
    few = independence.effects_table(x[:6], y[:6], given=given[:6])
    assert few[["ci_low", "ci_high", "p"]].isna().all(axis=None)
