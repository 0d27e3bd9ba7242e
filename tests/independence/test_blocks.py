"""Persons in clinics: permuted within them, or the clinics as wholes."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from nme_core import independence
from nme_core.exceptions import DataError, OptionError


def clinics(seed, *, n_clinics=12, shared=1.5, of_clinic=False, effect=0.0):
    """Parameters that persons of a clinic share in part, and a score likewise."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 10, n_clinics)
    clinic = pd.Series([f"c{k}" for k in np.repeat(np.arange(n_clinics), sizes)], name="clinic")
    number = np.repeat(np.arange(n_clinics), sizes)
    n = len(clinic)
    own = np.zeros(n) if of_clinic else rng.normal(size=n)
    y = pd.Series(own + shared * rng.normal(size=n_clinics)[number], name="score")
    x = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))
    x["a"] += shared * rng.normal(size=n_clinics)[number] + effect * (y if of_clinic else own)
    persons = [f"{i:03d}" for i in range(n)]
    return tuple(side.set_axis(persons) for side in (x, y, clinic))


def p_within(x, y, clinic):
    held = clinic.to_frame()
    return independence.conditional_test(x, y, held, strata=clinic, reps=99)[0].p


def p_whole(x, y, clinic):
    return independence.whole_block_test(x, y, clinic, reps=99).p


@pytest.mark.parametrize(("of_clinic", "test"), [(False, p_within), (True, p_whole)])
def test_what_clinics_share_is_no_evidence(of_clinic, test):
    studies = [clinics(seed, of_clinic=of_clinic) for seed in range(80)]
    free = sum(independence.hsic_test(x, y, reps=99).p <= 0.05 for x, y, _ in studies)
    held = sum(test(*study) <= 0.05 for study in studies)
    low, high = binom.interval(0.999, 80, 0.05)
    assert free > high
    assert low <= held <= high


def test_effects_are_found_in_both_ways():
    assert sum(p_within(*clinics(k, effect=1.0)) <= 0.05 for k in range(30)) >= 24
    studies = [clinics(k, n_clinics=40, of_clinic=True, effect=1.0) for k in range(30)]
    assert sum(p_whole(*study) <= 0.05 for study in studies) >= 24


def test_whole_blocks_by_a_loop():
    x, y, clinic = clinics(1, n_clinics=6, of_clinic=True)
    found = independence.whole_block_test(x, y, clinic, reps=30, random_state=4)
    codes, _ = pd.factorize(clinic)
    value = y.groupby(codes).first().to_numpy()
    drawn = independence.permutations(6, 30, random_state=4)
    kernel_x, kernel_y = independence.gaussian_kernel(x), independence.gaussian_kernel(y)
    assert found.statistic == pytest.approx(independence.hsic_statistic(kernel_x, kernel_y))

    def product(values):
        # the bandwidth is that of the score as observed
        first = [int(np.flatnonzero(y.to_numpy() == one)[0]) for one in values]
        kernel = kernel_y[np.ix_(first, first)][np.ix_(codes, codes)]
        k, l = (np.where(np.eye(len(codes)), 0.0, side) for side in (kernel_x, kernel))  # noqa: E741
        n = len(codes)
        shared = 2 * k.sum(axis=0) @ l.sum(axis=0) / (n - 2)
        return np.sum(k * l) + k.sum() * l.sum() / ((n - 1) * (n - 2)) - shared

    observed = product(value)
    larger = sum(product(value[order]) >= observed - 1e-9 for order in drawn)
    assert found.p == (1 + larger) / 31


def test_strata_lie_within_blocks_and_hold_five_or_more():
    blocks = pd.Series(["a"] * 23 + ["b"] * 4, name="clinic")
    n_obs = pd.Series(np.random.default_rng(0).permutation(27), name="n_obs")
    strata = independence.strata_within(blocks, n_obs)
    sizes = strata.value_counts()
    assert sizes.index.str.startswith("a/").sum() == 4
    assert sizes["b/0"] == 4
    assert sizes.min() >= 4
    highest = n_obs.groupby(strata).max()
    lowest = n_obs.groupby(strata).min()
    assert (highest["a/0"], highest["a/1"]) < (lowest["a/1"], lowest["a/2"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y, c: (x, y + np.arange(len(y)), c), "differs between the people of block"),
        (lambda x, y, c: (x[:8], y[:8], c[:8]), "only 1 blocks"),
    ],
)
def test_what_cannot_be_tested_is_said(change, message):
    with pytest.raises(DataError, match=message):
        independence.whole_block_test(*change(*clinics(2, of_clinic=True)), reps=9)


def tables(x, y, clinic, **options):
    n_obs = pd.Series(np.arange(len(x)) % 50, index=x.index, name="n_obs")
    given = {"parameters": "p", "reps": 99, "blocks": clinic, **options}
    return independence.test_covariates(x, y.to_frame(), n_obs, **given)


def test_tables_within_blocks_hold_the_blocks():
    x, y, clinic = clinics(3)
    found = tables(x, y, clinic, strata="none")
    assert found.hsic["p"].iloc[0] == p_within(x, y, clinic)
    assert set(found.effects["kind"]) == {"partial spearman"}
    region = clinic.map(lambda name: "north" if name < "c3" else "south")
    free, within = (tables(x, y, region, strata=strata) for strata in ("none", "n_obs"))
    assert free.hsic["statistic"].iloc[0] == within.hsic["statistic"].iloc[0]
    assert (within.nulls["score"] != free.nulls["score"]).any()


def test_tables_of_whole_blocks_are_those_of_their_means():
    x, y, clinic = clinics(4, n_clinics=15, of_clinic=True, effect=2.0)
    found = tables(x, y, clinic, whole_blocks=True, strata="none")
    assert found.hsic["p"].iloc[0] == p_whole(x, y, clinic)
    means = x.groupby(clinic).mean()
    expected = independence.effects_table(means, y.groupby(clinic).first(), adjust="none")
    np.testing.assert_allclose(found.effects["effect"], expected["effect"])
    assert set(found.effects["n_persons"]) == {len(x)}
    kernels = [independence.gaussian_kernel(side) for side in (means, y.groupby(clinic).first())]
    assert found.hsic["strength"].iloc[0] == pytest.approx(independence.strength(*kernels).value)


def test_options_of_whole_blocks_exclude_others():
    x, y, clinic = clinics(5, of_clinic=True)
    with pytest.raises(OptionError, match="strata of people"):
        tables(x, y, clinic, whole_blocks=True)
    with pytest.raises(OptionError, match="confounders"):
        tables(x, y, clinic, whole_blocks=True, strata="none", given=x)
    with pytest.raises(OptionError, match="need a column"):
        tables(x, y, None, whole_blocks=True, strata="none")
