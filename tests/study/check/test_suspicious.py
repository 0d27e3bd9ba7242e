import numpy as np
import pandas as pd
import pytest

from nme_core.study import Study, check_study
from nme_core.study.check.suspicious import missing_codes
from tests.study.check.test_checks import findings, report, table


def mended(frame, finding, nth=0, **changes):
    roles = {"person": "person", "time": "day", "outcome": "mood", **changes}
    return check_study(Study.from_frame(frame, **roles, remedies=[finding.fixes[nth]]))


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([0, 3, 5, 7, 10, -9], [-9]),  # a scale from 0 to 10
        ([1, 2, 3, 4, 99, 999], [99, 999]),
        ([60, 80, 99, 120, 99, 70], []),  # a heart rate
        ([-12, -9, 3, 8], []),  # negative values are usual here
        ([-99, -99], []),  # nothing else to judge by
        ([0, 1, 2, -1], []),
        ([1, 2, 3, 4, 5, 9], [9]),
        ([1, 2, 3, 4, 5, 8, 9], [8, 9]),
        ([1, 2, 3, 4, 5, 6, 7, -1], [-1]),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], []),
        ([5, 6, 7, 8, 9], []),
        ([1, 2, 9], []),  # no scale
        ([1, 20, 30, 45, 50, 99], []),
    ],
)
def test_codes_are_judged_by_how_the_other_values_lie(values, codes):
    assert list(missing_codes(pd.Series(np.repeat(values, 20), dtype=float))) == codes


def test_a_value_of_the_scale_that_few_gave_is_no_code():
    values = np.repeat([0.0, 1, 2, 3, 4, 9], [20, 10, 6, 4, 3, 2])
    assert list(missing_codes(values)) == []


def test_a_code_among_numbered_states_is_suspected():
    frame = table().assign(mood=lambda rows: rows["day"] % 3 + 1)
    frame.loc[[3, 20, 70], "mood"] = -99
    result = report(frame, outcome_kind="class")
    (finding,) = [f for f in result.findings if "holds -99" in f.message]
    assert finding.fixes[0].values == ("-99",)


def test_codes_in_outcome_and_covariates_are_suspected_and_mended():
    frame = table()
    frame.loc[[3, 70], "mood"] = -99
    covariates = pd.DataFrame({"person": [f"p{i}" for i in range(12)], "bdi": range(12)})
    covariates.loc[4, "bdi"] = 999
    result = report(frame, covariates=covariates)
    by_column = {finding.column: finding for finding in result.findings}
    assert "The outcome 'mood' holds -99 (2 times)" in by_column["mood"].message
    assert "The covariate 'bdi' holds 999 (once)" in by_column["bdi"].message
    again = mended(frame, by_column["mood"], covariates=covariates)
    assert again.missing["mood"] == 2
    assert "mood" not in [f.column for f in again.findings if f.severity == "look"]
    study = Study.from_frame(
        frame, person="person", outcome="mood", time="day", covariates=covariates,
        remedies=by_column["bdi"].fixes,
    )  # fmt: skip
    assert np.isnan(study.covariates.loc["p4", "bdi"])
    assert any("1 cell emptied" in note for note in study.notes)


def test_impossible_values_are_named_unless_the_column_means_something_else():
    frame = table().assign(sleep_hours=lambda rows: rows["sleep"])
    frame = frame.drop(columns="sleep")
    frame.loc[5, "sleep_hours"] = 71
    result = report(frame)
    (finding,) = [f for f in result.findings if f.column == "sleep_hours"]
    assert "holds 71 (once), which hours of a day cannot be (0 to 24)" in finding.message
    assert mended(frame, finding).missing["sleep_hours"] == 1
    minutes = frame.assign(sleep_hours=lambda rows: 60 * rows["sleep_hours"])
    assert not any("hours of a day" in text for text in findings(report(minutes), "look"))


def test_outliers_are_named_but_not_the_tail_of_a_skewed_column():
    frame = table()
    frame.loc[9, "stress"] = 41
    (finding,) = report(frame).findings
    assert "'stress' holds 41 (once), far from its other values" in finding.message
    assert mended(frame, finding).findings[0].severity == "info"  # the remedy itself
    skewed = np.random.default_rng(5).lognormal(0, 1.2, len(frame))
    assert findings(report(table().assign(stress=skewed)), "look") == []


def test_features_that_say_the_same_are_named_once_and_one_can_be_left_out():
    rng = np.random.default_rng(2)
    frame = table().assign(
        minutes=lambda rows: 60 * rows["sleep"] + rng.normal(0, 2, len(rows)),
        total=lambda rows: rows["sleep"] + rows["stress"],
    )
    result = report(frame)
    said = {finding.column: finding for finding in result.findings}
    assert "'sleep' and 'minutes' say nearly the same" in said["minutes"].message
    assert "'total' can be computed from 'sleep', 'stress'" in said["total"].message
    assert set(said) == {"minutes", "total"}
    again = mended(frame, said["minutes"])
    assert [f.column for f in again.findings if f.severity == "look"] == ["total"]


def test_codes_are_told_from_gaps_of_a_scale_by_chance():
    nine_steps = np.repeat([1.0, 2, 3, 4, 5, 6, 8, 9], [4, 3, 4, 2, 4, 3, 5, 5])  # nobody said 7
    assert list(missing_codes(nine_steps)) == []
    five_steps = np.repeat([1.0, 2, 3, 4, 5, 9], [7, 8, 7, 8, 7, 5])
    assert list(missing_codes(five_steps)) == [9]


def test_a_code_is_set_against_the_values_that_are_none():
    frame = table()
    covariates = pd.DataFrame({"person": [f"p{i}" for i in range(12)], "bdi": range(5, 17)})
    covariates.loc[[4, 7], "bdi"] = [888, 999]
    told = [one for one in report(frame, covariates=covariates).findings if one.column == "bdi"]
    assert [one.message.split(", ")[1] for one in told] == [
        "far from its other values (5 to 16)."
    ] * 2


def test_below_zero_beside_a_scale_from_one_is_a_code_be_it_rare():
    values = np.repeat([1.0, 2, 3, 4, 5, -1], [18, 18, 18, 18, 17, 7])
    assert list(missing_codes(values)) == [-1]
    assert list(missing_codes(np.repeat([0.0, 1, 2, 3, -1], [9, 18, 18, 18, 7]))) == []
