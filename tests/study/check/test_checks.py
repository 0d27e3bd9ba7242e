import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from nme_core.batches.blocks import draw
from nme_core.simulate import sample_study, simulate_null
from nme_core.study import Study, check_study
from nme_core.study.check.trends import rank_correlation


def table(n_persons=12, n_rows=12):
    """A table with nothing to complain about."""
    rng = np.random.default_rng(1)
    person = np.repeat([f"p{number}" for number in range(n_persons)], n_rows)
    n = len(person)
    return pd.DataFrame(
        {
            "person": person,
            "day": np.tile(np.arange(n_rows), n_persons),
            "sleep": rng.normal(7, 1, n).round(1),
            "stress": rng.normal(4, 1, n).round(1),
            "mood": rng.normal(5, 1, n).round(2),
        }
    )


def report(frame, *, min_rows=5, **changes):
    roles = {"person": "person", "time": "day", "outcome": "mood"}
    return check_study(Study.from_frame(frame, **{**roles, **changes}), min_rows=min_rows)


def findings(result, severity):
    return [str(finding) for finding in result.findings if finding.severity == severity]


def test_a_clean_study_is_usable_and_counted():
    result = report(table())
    assert result.usable
    assert result.findings == ()
    assert (result.n_rows, result.n_persons, result.n_sequences) == (144, 12, 12)
    assert list(result.n_obs) == [12] * 12
    assert result.n_gaps == 0
    lines = result.lines()
    assert lines[0] == "144 rows, 12 people"
    assert lines[1] == "Observations per person: 12 to 12, median 12"
    assert "Missing values: none" in lines
    assert lines[-1] == "Usable."


def test_missing_values_are_counted_by_column_and_observations_by_outcome():
    frame = table()
    frame.loc[0:3, "mood"] = np.nan
    frame.loc[0:49, "sleep"] = np.nan
    result = report(frame)
    assert result.missing.to_dict() == {"mood": 4, "sleep": 50, "stress": 0}
    assert result.n_obs["p0"] == 8
    (look,) = findings(result, "look")
    assert "'sleep' is missing in 35 %" in look
    assert "sleep 50 (34.7%)" in "\n".join(result.lines())


def test_short_persons_are_named_and_stop_only_when_nobody_is_left():
    frame = table()
    frame = frame[(frame["person"] != "p3") | (frame["day"] < 4)]
    result = report(frame)
    assert result.short_persons == ("p3",)
    assert result.usable
    assert any("Person 'p3' has fewer than 5" in look for look in findings(result, "look"))
    few = report(table(n_rows=4))  # a study of four waves
    assert few.usable
    assert "only the last row is held back" in findings(few, "info")[0]
    alone = table()
    nobody = report(alone[(alone["person"] == "p1") & (alone["day"] < 3) | (alone["day"] < 1)])
    assert not nobody.usable
    assert "no row is left for validation" in findings(nobody, "stop")[0]
    assert nobody.findings[0].severity == "stop"
    assert nobody.lines()[-1] == "Not usable as it is."


def test_an_outcome_that_never_varies_in_training_stops():
    frame = table()
    frame["mood"] = np.where(frame["day"] < 9, 3.0, frame["day"])
    result = report(frame)
    assert not result.usable
    assert "does not vary" in findings(result, "stop")[0]
    frame["mood"] = np.where(frame["day"] < 9, "calm", "tense")  # half of the people teach it
    late = report(frame)
    assert late.usable
    assert any("'tense' of 'mood' occurs only late" in look for look in findings(late, "look"))


def test_states_with_few_visits_are_named():
    frame = table()
    frame["mood"] = np.where(frame["day"] % 2, "calm", "tense")
    frame.loc[[5, 6], "mood"] = "angry"
    result = report(frame)
    assert result.states.to_dict() == {"angry": 2, "calm": 71, "tense": 71}
    (look,) = findings(result, "look")
    assert "'angry' has few visits: 2, in 1 of 12 people" in look
    assert "calm 71 (49%)" in "\n".join(result.lines())


def test_many_states_are_doubted_once():
    frame = table()
    frame["mood"] = [f"word {number}" for number in range(len(frame))]
    (look,) = findings(report(frame), "look")
    assert "144 different states" in look


def test_states_written_as_numbers_are_doubted():
    frame = table()
    frame["mood"] = frame["day"] % 3
    (look,) = findings(report(frame), "look")
    assert "only 3 whole values" in look
    assert findings(report(frame, outcome_kind="class"), "look") == []


def test_constant_columns_and_columns_that_do_not_vary_within_persons():
    frame = table().assign(site=1, group=np.repeat([0, 1], 72))
    result = report(frame, features=["sleep", "site", "group"], covariates=[])
    assert result.constant == ("site",)
    assert any("'site' is the same everywhere" in look for look in findings(result, "look"))
    assert any("'group' differs between people" in info for info in findings(result, "info"))


def test_numbers_that_stand_for_missing_are_suspected():
    frame = table()
    frame.loc[[3, 40], "sleep"] = 99
    (look,) = findings(report(frame), "look")
    assert "'sleep' holds 99 (2 times)" in look
    spread = np.linspace(50, 150, len(frame)).round()
    frame["sleep"] = np.random.default_rng(0).permutation(spread)
    assert findings(report(frame), "look") == []


def test_missing_covariates_name_the_persons_and_equal_counts_give_no_compliance():
    covariates = pd.DataFrame({"person": [f"p{i}" for i in range(11)], "bdi": range(11)})
    result = report(table(), covariates=covariates)
    assert any("Person 'p11' has no 'bdi'" in look for look in findings(result, "look"))
    assert result.compliance == ()


def test_gaps_in_time_are_counted():
    frame = table()
    result = report(frame[~frame["day"].isin([4, 5])])
    assert result.n_gaps == 12
    assert any(
        "12 steps are more than 1.5 times as long" in info for info in findings(result, "info")
    )
    assert report(frame, time=None).n_gaps is None


def test_what_was_left_out_is_in_the_report():
    result = report(table().assign(note="x"))
    assert any("'note'" in info for info in findings(result, "info"))


def test_a_column_that_is_nearly_numbers_is_left_out_with_its_word():
    frame = table().astype({"sleep": "str"})
    frame.loc[7, "sleep"] = "k.A."
    (info,) = findings(report(frame), "info")
    assert "'sleep', although most of its cells are numbers; row 7 holds 'k.A.'" in info


@pytest.mark.parametrize("trap", [True, False])
def test_compliance_is_guarded(trap):
    sample = simulate_null(n_persons=80, compliance_effect=trap)
    roles = {key: value for key, value in sample.roles.items() if key != "model"}
    result = check_study(Study.from_frame(sample.long, covariates=sample.covariates, **roles))
    by_name = {entry.covariate: entry for entry in result.compliance}
    assert set(by_name) == {"depression", "age"}
    n_obs = sample.long.groupby("person").size()
    depression = sample.covariates.set_index("person")["depression"]
    expected = spearmanr(n_obs, depression)
    assert by_name["depression"].spearman == pytest.approx(expected.statistic)
    assert by_name["depression"].p == pytest.approx(expected.pvalue)
    assert by_name["depression"].n_persons == 80
    warned = any(
        "'depression' have fewer observations" in look for look in findings(result, "look")
    )
    assert warned is trap
    said = " ".join(map(str, result.findings))
    assert not [word for word in ("Spearman", "strata", "nme hsic") if word in said]
    remedies = [one.remedy for one in result.findings if one.column == "depression"]
    assert any("guard against it by default" in text for text in remedies) is trap


def test_sample_studies_are_usable():
    for name in ("dyads", "mood"):
        sample = sample_study(name)
        roles = {key: value for key, value in sample.roles.items() if key != "model"}
        result = check_study(Study.from_frame(sample.long, covariates=sample.covariates, **roles))
        assert result.usable
        assert findings(result, "look") == []


@pytest.mark.parametrize("direction", [1, -1])
def test_features_that_run_with_time_are_named(direction):
    frame = table().assign(week=lambda rows: direction * (rows["day"] // 3) + 100.0)
    (finding,) = findings(report(frame), "look")
    assert "'week' runs with time" in finding


def test_a_feature_that_runs_with_time_in_a_few_persons_only_is_left_alone():
    frame = table()
    few = frame["person"].isin(["p0", "p1"])
    frame["sleep"] = frame["sleep"].where(~few, frame["day"] / 4 + 6)
    assert findings(report(frame), "look") == []


def determined(result):
    return [f.column for f in result.findings if "all but determines" in f.message]


def test_features_that_determine_a_class_are_named():
    frame = table(n_rows=20)
    frame["total"] = np.random.default_rng(2).integers(0, 13, len(frame))
    frame["mood"] = np.where(frame["total"] > 7, "high", np.where(frame["total"] > 4, "mid", "low"))
    result = report(frame)
    (look,) = findings(result, "look")
    assert "'total' all but determines the outcome 'mood'. Leave it out if" in look
    assert determined(result) == ["total"]
    frame.loc[::30, "mood"] = "mid"  # 8 of 240 rows
    assert determined(report(frame)) == []
    (look,) = findings(report(frame), "look")
    assert re.search(
        r"'total' alone names the outcome 'mood' in 9\d % of the rows, where its", look
    )
    frame.loc[::4, "mood"] = "mid"
    assert findings(report(frame), "look") == []


def test_a_class_that_is_nearly_constant_or_known_from_single_rows_is_not_determined():
    frame = table()
    frame["mood"] = np.where(frame.index % 24 == 0, "tense", "calm")
    assert determined(report(frame)) == []  # 96 % are calm whatever the feature
    frame["mood"] = np.where(frame.index % 2 == 0, "tense", "calm")
    frame["sleep"] = np.arange(len(frame)) // 2 + frame.index % 2 / 2  # as many values as rows
    assert determined(report(frame)) == []


@pytest.mark.parametrize("unit", [1, -1e6, 1e200])
def test_features_that_determine_a_number_are_named(unit):
    frame = table()
    noise = np.random.default_rng(3).normal(0, 1, len(frame))
    result = report(frame.assign(sum=unit * (frame["mood"] + 0.05 * noise)))
    assert determined(result) == ["sum"]
    assert determined(report(frame.assign(sum=unit * (frame["mood"] + 0.3 * noise)))) == []


def test_real_studies_name_only_what_the_outcome_was_computed_from(shared_data):
    def found(name, outcome, kind=None, **words):
        folder = shared_data / name
        covariates = folder / "covariates.csv"
        study = Study.from_csv(
            folder / "long.csv", person="person", time="t", outcome=outcome, outcome_kind=kind,
            covariates=covariates if covariates.exists() else None, **words,
        )  # fmt: skip
        return determined(check_study(study))

    assert found("moodregulation", "state", "class") == ["mood_sum"]
    assert found("nonverbal", "state", "class", exclude=["state_dyad"]) == []
    for name, outcome in (
        ("gratitude", "pa_mean"), ("btheb", "bdi"), ("orthodont", "distance"),
        ("oxboys", "height"), ("sleepstudy", "reaction"),
    ):  # fmt: skip
        assert found(name, outcome) == []


def test_in_large_studies_findings_that_rest_on_some_rows_say_so():
    rng = np.random.default_rng(3)
    n_persons, n_rows = 1400, 30
    n = n_persons * n_rows
    frame = pd.DataFrame(
        {
            "person": np.repeat([f"p{k}" for k in range(n_persons)], n_rows),
            "day": np.tile(np.arange(n_rows), n_persons),
            "sleep": rng.normal(7, 1, n),
            "mood": rng.normal(5, 1, n),
        }
    )
    frame["week"] = frame["day"] + rng.normal(0, 0.1, n)
    frame["rest"] = 2 * frame["sleep"] + rng.normal(0, 0.01, n)
    frame["again"] = frame["mood"] + rng.normal(0, 0.01, n)
    hidden = min({*range(n)} - {*draw(n, 20_000)})
    frame.loc[hidden, "sleep"] = 900.0  # found all the same
    looks = "\n".join(findings(report(frame), "look"))
    drawn = "(judged by 20,000 rows drawn at random)"
    assert "'sleep' holds 900 (once), far from its other values" in looks
    assert "'week' runs with time (judged by 700 people)" in looks
    assert f"'again' all but determines the outcome 'mood' {drawn}" in looks
    assert f"say nearly the same (correlation 1.00) {drawn}" in looks


@pytest.mark.parametrize("seed", range(3))
def test_trends_are_rank_correlations_within_persons(seed):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(6), rng.integers(1, 9, 6))
    pair = pd.DataFrame({"order": np.arange(len(person)), "value": rng.integers(0, 4, len(person))})
    ranks = pair.groupby(person).rank()
    centred = ranks - ranks.groupby(person).transform("mean")
    expected = np.corrcoef(centred.to_numpy(), rowvar=False)[0, 1]
    values = pair.to_numpy(dtype=float)
    assert rank_correlation(person, values[:, 0], values[:, 1]) == pytest.approx(expected)


def test_a_feature_that_changes_in_held_back_rows_only_is_named():
    frame = table().assign(treated=lambda it: (it["day"] >= 10).astype(float))
    (found,) = [one for one in findings(report(frame), "look") if "held back" in one]
    assert "'treated' changes only late in people's rows" in found
    frame.loc[frame["person"] == "p0", "treated"] = np.arange(12) % 2
    frame.loc[::7, "mood"] = np.nan
    assert not [one for one in findings(report(frame), "look") if "held back" in one]
