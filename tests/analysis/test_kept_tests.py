"""Tests that are made one after the other are all counted."""

import pytest

from nme_core.analysis import CovariateOptions, covariate_tests, keep_tests, other_tests
from nme_core.io import RunFolder
from nme_core.reports import methods


@pytest.fixture
def run(fit_tiny):
    return RunFolder(fit_tiny("nme-crf", "--placement", "transitions"))


def make(run, *covariates, **options):
    how = CovariateOptions(**{"reps": 99, "guard": "strata"} | options)
    tests = covariate_tests(run, covariates, how)
    keep_tests(run, tests)
    return tests


def test_other_covariates_and_choices_are_other_tests(run):
    make(run, "depression")
    assert other_tests(run) == ""
    make(run, "depression", seed=7)  # chance alone is no choice
    assert other_tests(run) == ""
    make(run, "depression", "clinic")
    assert other_tests(run) == ""
    make(run, "depression", strata="none")
    assert other_tests(run).startswith("2 other tests were made on this run")
    assert other_tests(run) in methods(run)[-1]
    assert run.table("hsic")["covariate"].tolist() == ["depression"]
    log = run.table("hsic_log")
    assert log["covariate"].tolist() == ["depression", "clinic", "depression"]
    assert log["strata"].tolist() == ["n_obs", "n_obs", "none"]
    make(run, "depression", "clinic")
    assert other_tests(run).startswith("1 other test was made")


def test_tests_of_a_run_without_a_log_are_counted_too(run):
    first = covariate_tests(run, ["clinic"], CovariateOptions(reps=99, guard="strata"))
    run.write_table("hsic", first.hsic)
    make(run, "depression")
    assert other_tests(run).startswith("1 other test was made")
