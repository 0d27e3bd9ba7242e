"""A run folder and options give the tables; what was done can be read off them again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nme_core import independence
from nme_core.analysis import CovariateOptions, covariate_tests, person_parameters
from nme_core.estimators import load
from nme_core.estimators.person_posterior import person_posterior
from nme_core.exceptions import MissingColumnError, OptionError, RunFolderError
from nme_core.io import RunFolder


@pytest.fixture
def run(fit_tiny):
    folder = RunFolder(fit_tiny("nme-crf", "--placement", "transitions"))
    covariates = folder.covariates
    numbers = np.random.default_rng(0).normal(size=len(covariates)).round(3)
    folder.write_covariates(covariates.assign(age=numbers))
    return folder


def test_the_default_divides_by_the_root_of_reliability(run):
    found = covariate_tests(run, ["depression"], CovariateOptions(reps=99))
    asked = covariate_tests(
        run, ["depression"], CovariateOptions(reps=99, guard="reliability", strata="none")
    )
    pd.testing.assert_frame_equal(found.hsic, asked.hsic)
    pd.testing.assert_frame_equal(found.effects, asked.effects)
    assert found.notes[1].startswith("Every person's deviations from the population are divided")


@pytest.mark.parametrize("lacking", ["its model", "standard errors", "a whole covariance"])
def test_without_a_whole_posterior_the_default_is_within_strata(run, lacking, monkeypatch):
    model = load(run.model_path)
    covariance = None
    if lacking == "its model":
        run.model_path.unlink()
        with pytest.raises(RunFolderError, match=r"model\.safetensors is missing"):
            covariate_tests(run, ["age"], CovariateOptions(reps=99))  # it is damaged
        (run.path / "manifest.json").unlink()  # as a run of an earlier version
    elif lacking == "a whole covariance":
        covariance = model._posterior.covariance.diagonal(dim1=1, dim2=2)
    monkeypatch.setattr(model, "_posterior", replace(model._posterior, covariance=covariance))
    monkeypatch.setattr("nme_core.estimators.load", lambda path: model)
    found = covariate_tests(run, ["age"], CovariateOptions(reps=99))
    assert found.hsic[["guard", "strata"]].iloc[0].tolist() == ["strata", "n_obs"]
    start = f"Guarded by strata of the number of observations: the run lacks {lacking}"
    assert found.notes[1].startswith(start)


def test_no_guard_is_said(run):
    found = covariate_tests(run, ["age"], CovariateOptions(reps=99, guard="strata", strata="none"))
    assert found.hsic[["guard", "strata"]].iloc[0].tolist() == ["strata", "none"]
    assert found.notes[1].startswith("Nothing keeps a covariate related to the number")


def test_strata_of_the_number_of_observations(run):
    found = covariate_tests(run, ["depression"], CovariateOptions(guard="strata"))
    parameters = person_parameters(run)
    expected = independence.test_covariates(
        parameters.values,
        run.covariates,
        parameters.n_obs,
        parameters=parameters.label,
        columns=["depression"],
    )
    columns = list(expected.hsic)
    pd.testing.assert_frame_equal(found.hsic[columns], expected.hsic)
    pd.testing.assert_frame_equal(found.effects[list(expected.effects)], expected.effects)
    taken, held, unreliable, unchecked = found.notes
    assert taken == "depression: taken as a number, 11 people."
    assert held == "People are permuted among those with similar numbers of observations."
    assert unreliable.startswith("Reliability below 0.3: 9 of 9 parameters")
    assert unchecked.startswith("Stability: not checked")


def test_guards_test_what_the_posterior_says(run):
    posterior = person_posterior(load(run.model_path), "moves")
    divided = covariate_tests(run, ["age"], CovariateOptions(guard="reliability", reps=99))
    expected = independence.hsic_test(posterior.unshrunken(), run.covariates["age"], reps=99)
    assert divided.hsic["p_hsic"].iloc[0] == expected.p
    assert divided.hsic["strata"].iloc[0] == "none"
    drawn = covariate_tests(run, ["age"], CovariateOptions(guard="draws", reps=99))
    row = drawn.hsic.iloc[0]
    each = [
        independence.hsic_test(draw, run.covariates["age"], reps=99).p
        for draw in posterior.draws(21, seed=0)
    ]
    assert row["p_hsic"] == min(1, 2 * np.median(each))
    assert "of 21 draws" in row["method"]
    assert any("twice their median" in note for note in drawn.notes)


def test_reps_follow_the_correction_and_the_draws(run):
    few = CovariateOptions(reps=10, guard="strata", strata="none")
    found = covariate_tests(run, ["age", "depression"], few)
    assert set(found.hsic["reps"]) == {41}
    assert "41 permutations instead of 10" in found.notes[2]
    drawn = covariate_tests(run, ["age"], CovariateOptions(reps=10, guard="draws"))
    assert set(drawn.hsic["reps"]) == {41}


def test_what_is_held_is_held(run):
    options = CovariateOptions(confounders=("age",), strata="none", reps=99, guard="strata")
    found = covariate_tests(run, ["depression"], options)
    values, known = person_parameters(run).values, run.covariates.sort_index()
    expected, _ = independence.conditional_test(
        values.loc[known.index[known["depression"].notna()]],
        known["depression"].dropna(),
        known.loc[known["depression"].notna(), ["age"]],
        reps=99,
    )
    assert found.hsic["p_hsic"].iloc[0] == expected.p
    assert set(found.effects["kind"]) == {"partial spearman"}
    more = CovariateOptions(incremental=True, strata="none", reps=99, guard="strata")
    incremental = covariate_tests(run, ["depression"], more)
    assert incremental.hsic["p"].iloc[0] != found.hsic["p"].iloc[0]
    assert "shares of the states and rate of switching" in incremental.notes[-1]


@pytest.mark.parametrize(
    "options",
    [
        CovariateOptions(),
        CovariateOptions(of="scores"),
        CovariateOptions(of="weights", guard="draws", reps=99),
        CovariateOptions(guard="reliability", adjust="holm", seed=3, reps=499),
        CovariateOptions(strata="none", confounders=("age",), incremental=True, reps=99),
        CovariateOptions(blocks="clinic", strata="none", reps=99),
    ],
)
def test_options_are_read_off_the_table(run, options):
    found = covariate_tests(run, ["depression"], options)
    run.write_table("hsic", found.hsic)
    again = CovariateOptions.of_table(run.table("hsic"))
    repeated = covariate_tests(run, ["depression"], again)
    pd.testing.assert_frame_equal(repeated.hsic, found.hsic)


def test_a_table_of_an_older_version_is_read(run):
    run.write_table("hsic", covariate_tests(run, ["age"], CovariateOptions(guard="strata")).hsic)
    table = run.table("hsic").iloc[:, :10]
    assert CovariateOptions.of_table(table) == CovariateOptions(
        of="moves", strata="n_obs", guard="strata"
    )


def test_blocks_may_be_a_grouping_factor(run):
    persons = person_parameters(run).values.index
    groups = pd.DataFrame({"person": persons, "factor": "ward", "group": ["x", "y"] * 6})
    run.write_table("groups", groups)
    options = CovariateOptions(blocks="ward", strata="none", reps=99)
    found = covariate_tests(run, ["age"], options)
    covariates = run.covariates.assign(ward=groups.set_index("person")["group"])
    run.write_covariates(covariates)
    (run.path / "manifest.json").unlink(missing_ok=True)
    (run.path / "groups.csv").unlink()
    again = covariate_tests(run, ["age"], options)
    assert found.hsic["p"].iloc[0] == again.hsic["p"].iloc[0]


def test_errors(run):
    def test(covariate="age", **options):
        covariate_tests(run, [covariate], CovariateOptions(**options))

    with pytest.raises(OptionError, match="guard='hope'"):
        test(guard="hope")
    with pytest.raises(OptionError, match="permute='half'"):
        test(permute="half")
    with pytest.raises(OptionError, match="who forms a block"):
        test(permute="whole")
    for options in ({"confounders": ("shoe",)}, {"blocks": "shoe"}, {"strata": "shoe"}):
        with pytest.raises(MissingColumnError, match="'shoe'"):
            test(**options)
    (run.path / "manifest.json").unlink(missing_ok=True)
    (run.path / "person_summaries.csv").unlink()
    with pytest.raises(RunFolderError, match="fit it again"):
        test(incremental=True)
    run.write_covariates(run.covariates[[]])
    with pytest.raises(OptionError, match="no covariates"):
        test()
