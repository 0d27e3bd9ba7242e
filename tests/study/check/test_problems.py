import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import NMEError
from nme_core.study import Remedy, Study, find_problems

ROLES = {"person": "id", "outcome": "mood", "time": "day", "features": ["sleep"]}


def diary():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.repeat(["007", "008", "009"], 10),
            "day": np.tile(np.arange(10), 3),
            "sleep": rng.normal(7, 1, 30).round(1),
            "mood": rng.normal(5, 1, 30).round(2),
        }
    )
    frame.index = pd.RangeIndex(2, 32, name="line")
    return frame


def test_nothing_stops_a_clean_table():
    assert find_problems(diary(), **ROLES) == ()


def test_all_problems_are_found_at_once_and_mended_by_their_fixes():
    frame = diary().astype({"sleep": "object"})
    frame.loc[4, "id"] = None
    frame.loc[7, "sleep"] = "k.A."
    frame.loc[8, "mood"] = np.inf
    with pytest.raises(NMEError):
        Study.from_frame(frame, **ROLES)
    found = find_problems(frame, **ROLES)
    assert [problem.severity for problem in found] == ["stop"] * 3
    said = "\n".join(str(problem) for problem in found)
    assert "1 row has no person in column 'id'; the first is line 4" in said
    assert "holds numbers, but also 'k.A.' (in 1 cell; the first is line 7)" in said
    assert "'mood' is infinite (1 times); the first is line 8" in said
    fixes = [problem.fixes[0] for problem in found]
    assert find_problems(frame, **ROLES, remedies=fixes) == ()
    study = Study.from_frame(frame, **ROLES, remedies=fixes)
    assert study.n_rows == 29
    assert study.X["sleep"].isna().sum() == 1
    assert study.y.isna().sum() == 1


def test_a_feature_of_words_can_be_left_out():
    frame = diary().assign(note=[f"note {i}" for i in range(30)])
    (problem,) = find_problems(frame, **{**ROLES, "features": ["sleep", "note"]})
    assert "'note' is not numeric: line 2 holds 'note 0'" in problem.message
    assert problem.fixes == (Remedy("exclude_columns", ("note",)),)
    study = Study.from_frame(
        frame, **{**ROLES, "features": ["sleep", "note"]}, remedies=problem.fixes
    )
    assert study.feature_names == ("sleep",)


def test_words_as_outcome_are_states_and_no_problem():
    frame = diary().assign(mood=lambda rows: np.where(rows["day"] % 2, "calm", "tense"))
    assert find_problems(frame, **ROLES) == ()
    few = diary().astype({"mood": "str"})
    few.loc[5, "mood"] = "none"
    assert "also 'none'" in find_problems(few, **ROLES)[0].message
    assert find_problems(few, **ROLES, outcome_kind="class") == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.assign(id="007"), "names one person only"),
        (lambda frame: frame.drop(columns="mood"), "no column 'mood'"),
        (lambda frame: frame.iloc[:0], "no rows"),
        (lambda frame: frame.assign(mood=1.0), "constant"),
        (lambda frame: pd.concat([frame, frame[["day"]]], axis=1), "more than once"),
    ],
)
def test_what_no_change_can_mend_is_said_as_the_study_says_it(change, said):
    (problem,) = find_problems(change(diary()), **ROLES)
    assert said in problem.message
    assert problem.remedy
    assert problem.fixes == ()


def test_a_remedy_that_does_not_fit_is_said():
    (problem,) = find_problems(diary(), **ROLES, remedies=[Remedy("exclude_columns", ("zz",))])
    assert "no column 'zz'" in problem.message


def test_rows_of_nobody_are_pointed_out_beside_what_they_stop():
    frame = diary().astype({"sleep": "object"})
    frame.loc[30:31, "id"] = "TEST"
    frame.loc[31, "sleep"] = "much"
    stop, nobody = find_problems(frame, **ROLES)
    assert (stop.severity, nobody.severity) == ("stop", "look")
    assert nobody.fixes == (Remedy("exclude_persons", ("id",), ("TEST",)),)
    assert "28 of 30 rows remain" in nobody.effects[0]
    assert find_problems(frame, **ROLES, remedies=nobody.fixes) == ()
