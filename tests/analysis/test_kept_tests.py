"""Tests that are made one after the other are all counted."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import CovariateOptions, covariate_tests, keep_tests, other_tests
from nme_core.analysis.covariate_tests import data_findings
from nme_core.analysis.kept_tests import kept_tests
from nme_core.independence import Doubt
from nme_core.io import RunFolder
from nme_core.reports import methods
from nme_core.study.check.attendance import TRAP
from nme_core.study.check.circular import CIRCULAR


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


COMPLIANCE = TRAP.format(who="People with a higher 'depression' have fewer observations")
PART = CIRCULAR.format(name="clinic", what="mean", outcome="state", sum=11, equal=12)


def test_what_is_kept_is_read_back_whole(run):
    doubts = (Doubt("depression", "compliance", COMPLIANCE), Doubt("age", "untested", "Too few."))
    made = replace(make(run, "depression", "clinic"), doubts=doubts)
    keep_tests(run, made)
    kept = kept_tests(run)
    for name in ("notes", "cautions", "doubts"):
        assert getattr(kept, name) == getattr(made, name)
    for name, null in made.nulls.items():
        np.testing.assert_array_equal(kept.nulls[name], null)
    run.write_table("hsic", made.hsic.head(1))
    assert kept_tests(run) is None  # the record is of other tests


def test_doubts_of_versions_that_knew_no_kinds_are_told_apart_by_their_words(run):
    make(run, "depression")
    record = run.read_json("covariate_tests")
    run.write_json("covariate_tests", {**record, "doubts": [COMPLIANCE, PART, "The rest."]})
    assert [(one.about, one.kind) for one in kept_tests(run).doubts] == [
        ("depression", "compliance"), ("clinic", "circular"), ("", ""),
    ]  # fmt: skip


def test_findings_carry_their_kind_or_it_is_read_off_their_words(run):
    rows = pd.DataFrame(
        {
            "severity": ["look", "look", "info"],
            "column": ["depression", "clinic", "clinic"],
            "message": [COMPLIANCE, PART, "Nothing."],
            "remedy": ["", "Leave it out.", ""],
        }
    )
    run.write_table("findings", rows)
    found = data_findings(run, ["depression", "clinic"])
    assert [(one.about, one.kind) for one in found] == [
        ("depression", "compliance"), ("clinic", "circular"),
    ]  # fmt: skip
    assert str(found[1]).endswith("is circular. Leave it out.")
    run.write_table("findings", rows.assign(kind=["", "circular", ""]))
    found = data_findings(run, ["depression", "clinic"])
    assert [asdict(one)["kind"] for one in found] == ["", "circular"]
