import numpy as np
import pandas as pd
import pytest
from scipy.stats import kruskal

from nme_core.exceptions import OptionError
from nme_core.study import Study, check_study
from nme_core.study.check.states import count_moves
from tests.study.check.test_checks import findings, report, table


def uneven(seed=0):
    """Persons of the second clinic answer half as often."""
    rng = np.random.default_rng(seed)
    frame = table(n_persons=24, n_rows=20)
    number = frame["person"].str[1:].astype(int)
    kept = frame[(number < 12) | (rng.random(len(frame)) < 0.5)]
    clinic = ["north"] * 12 + ["south"] * 12
    return kept, pd.DataFrame({"person": [f"p{i}" for i in range(24)], "clinic": clinic})


def test_compliance_over_groups_is_kruskal_and_wallis():
    frame, covariates = uneven()
    result = report(frame, covariates=covariates)
    (entry,) = result.compliance
    n_obs = frame.groupby("person").size().reindex(covariates["person"])
    groups = [part.to_numpy() for _, part in n_obs.groupby(covariates["clinic"].to_numpy())]
    assert entry.spearman is None
    assert entry.p == pytest.approx(kruskal(*groups).pvalue)
    assert entry.medians == (("north", 20.0), ("south", float(np.median(groups[1]))))
    assert any("groups of 'clinic' differ" in text for text in findings(result, "look"))
    assert "medians north 20, south" in "\n".join(result.lines())


def test_observations_are_held_against_the_plan():
    frame, _ = uneven()
    roles = {"person": "person", "time": "day", "outcome": "mood"}
    result = check_study(Study.from_frame(frame, **roles), planned=30)
    n_obs = frame.groupby("person").size()
    seldom = int((n_obs < 15).sum())
    assert f"{seldom} of 24 people answered less than 50 %" in "\n".join(findings(result, "look"))
    assert "of 30 planned" in result.lines()[1]
    above = check_study(Study.from_frame(frame, **roles), planned=19)
    assert any("more observations than the 19" in text for text in findings(above, "look"))
    with pytest.raises(OptionError, match="planned"):
        check_study(Study.from_frame(frame, **roles), planned=0)


def test_spacing_is_told_with_its_unit():
    frame = table()
    assert report(frame).spacing == "usual step 1 (100 % of the steps), longest 1, 0 gaps"
    dates = frame.assign(day=pd.Timestamp("2024-03-01") + frame["day"] * pd.Timedelta("12h"))
    assert "usual step 12 hours" in report(dates[dates.index % 12 != 3]).spacing
    assert "longest 1 day," in report(dates[dates.index % 12 != 3]).spacing


def test_rare_states_are_offered_the_neighbours_they_have_and_unseen_moves_are_named():
    frame = table()
    frame["mood"] = np.resize(["a", "b", "c"], len(frame))
    frame.loc[[5, 29], "mood"] = "odd"  # each in place of a c: after a b, before an a
    result = report(frame)
    (finding,) = [f for f in result.findings if "few visits" in f.message]
    assert [fix.to for fix in finding.fixes] == ["a", "b"]
    (unseen,) = [f for f in result.findings if "never seen" in f.message]
    assert unseen.severity == "info"
    assert "11 of 16 moves" in unseen.message
    study = Study.from_frame(frame, person="person", time="day", outcome="mood")
    moves = count_moves(study)
    assert moves.loc["b", "odd"] == 2
    assert moves.loc["odd", "b"] == 0
    assert moves.to_numpy().sum() == 12 * 11
    joined = Study.from_frame(
        frame, person="person", time="day", outcome="mood", remedies=[finding.fixes[0]]
    )
    assert joined.classes == ("a", "b", "c")


def test_a_feature_that_varies_within_one_person_only_is_doubted():
    frame = table(n_persons=12)
    frame["bdi"] = frame["person"].str[1:].astype(float)
    frame.loc[5, "bdi"] = 31
    (finding,) = [f for f in report(frame).findings if f.column == "bdi"]
    assert "varies within Person 'p0' only" in finding.message


def test_missing_cells_are_shared_out_over_persons():
    frame = table()
    frame.loc[0:5, "sleep"] = np.nan
    result = report(frame)
    assert result.missing_by_person["p0"] == pytest.approx(6 / 36)
    assert result.missing_by_person["p1"] == 0


def test_dates_far_from_any_life_are_named():
    frame = table()
    days = pd.Timestamp("2024-03-01") + frame["day"] * pd.Timedelta("1D")

    def far(dates):
        looks = findings(report(frame.assign(day=dates)), "look")
        return [text for text in looks if "dated before" in text]

    assert far(days) == []
    days.iloc[3] = pd.Timestamp("1900-01-01")
    (found,) = far(days)
    assert "1 row is dated before 1950 or after 2100" in found
    assert "person 'p0' on 1900-01-01" in found
