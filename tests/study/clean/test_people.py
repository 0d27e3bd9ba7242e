"""One person in two forms, two people in one, and nobody at all: found, with the choices."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Remedy, Study, check_study, find_problems
from nme_core.study.clean.people import find_people, known_otherwise
from nme_core.study.roles.proposal import propose_study

ROLES = {"person": "id", "outcome": "mood", "time": "day", "features": ["sleep"]}
IDS = [f"P{i:02d}" for i in range(1, 9)]


def diary(ids=IDS, n_days=8, **columns):
    rng = np.random.default_rng(0)
    n = len(ids) * n_days
    frame = pd.DataFrame(
        {
            "id": np.repeat(ids, n_days),
            "day": np.tile(np.arange(1.0, n_days + 1), len(ids)),
            "sleep": rng.normal(7, 1, n).round(1),
            "mood": rng.normal(5, 1, n).round(2),
            **columns,
        }
    )
    frame.index = pd.RangeIndex(2, n + 2, name="line")
    return frame


def looks(study):
    return [one for one in check_study(study).findings if one.severity == "look" and one.fixes]


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (str.lower, "capitals"),
        (lambda text: text.replace("P", "P "), "spaces"),
        (lambda text: text.replace("0", ""), "leading zeros"),
        (lambda text: text.replace("P", "P-"), "marks"),
        (lambda text: text.replace("P0", ""), "the letters in front"),
    ],
)
def test_ids_in_two_forms_are_named_and_joined_or_kept_apart(other, difference):
    frame = diary()
    late = frame["day"] > 4
    frame["id"] = frame["id"].mask(late, frame["id"].map(other))
    study = Study.from_frame(frame, **ROLES)
    (found,) = [one for one in looks(study) if "differ only in" in one.message]
    assert f"'id' differ only in {difference}: 'P01' and {other('P01')!r}" in found.message
    assert "They count as 16 people, not 8." in found.message
    join, keep = found.fixes
    joined = Study.from_frame(frame, **ROLES, remedies=[join])
    assert list(joined.persons) == IDS
    assert "32 cells changed" in joined.notes[0]
    assert joined.looks == ()
    kept = Study.from_frame(frame, **ROLES, remedies=[keep])
    assert (kept.n_persons, kept.looks) == (16, ())


def test_ids_that_only_look_different_are_one_person_and_that_is_said():
    frame = diary(["1", "2", "3", "4"])
    frame["id"] = frame["id"].astype("object")
    frame.loc[2, "id"], frame.loc[10, "id"], frame.loc[18, "id"] = "1.0", "2\u00a0", "\uff13"
    study = Study.from_frame(frame, **ROLES)
    assert list(study.persons) == ["1", "2", "3", "4"]
    assert study.notes[0] == (
        "Ids in 'id' that only look different are one person: '1.0' is '1', '2\\xa0' is '2', "
        "'\uff13' is '3'."
    )


def test_ids_of_the_covariate_table_in_another_form():
    scores = pd.DataFrame({"id": [*IDS[:6], "p-7", "p-8"], "age": np.arange(8.0)})
    study = Study.from_frame(diary(), covariates=scores, **ROLES)
    assert study.covariates["age"].isna().sum() == 2
    (found,) = study.looks
    assert "'P07' and 'p-7', 'P08' and 'p-8'" in found.message
    joined = Study.from_frame(diary(), covariates=scores, remedies=found.fixes[:1], **ROLES)
    assert list(joined.covariates["age"]) == list(range(8))
    assert joined.looks == ()


def test_a_covariate_table_of_nothing_but_other_forms_is_stopped_with_the_way_out():
    scores = pd.DataFrame({"id": [who.lower() for who in IDS], "age": np.arange(8.0)})
    with pytest.raises(DataError, match="no person in common"):
        Study.from_frame(diary(), covariates=scores, **ROLES)
    (found,) = find_problems(diary(), covariates=scores, **ROLES)
    assert found.fixes == (Remedy("write_alike", ("id",), tuple(IDS)),)
    joined = Study.from_frame(diary(), covariates=scores, remedies=found.fixes, **ROLES)
    assert joined.covariates["age"].notna().all()


def test_people_numbered_anew_in_each_clinic_lose_no_row():
    north = diary(["1", "2", "3"]).assign(clinic="North")
    south = diary(["1", "2"]).assign(clinic="South")
    frame = pd.concat([north, south], ignore_index=True)
    for others in ({}, {"group": ["clinic"]}):
        assert find_problems(frame, **ROLES, **others) == ()
        looks = Study.from_frame(frame, **ROLES, **others).looks
        (found,) = (one for one in looks if one.fixes)
        assert "'clinic'" in found.message
        assert found.fixes[0] == Remedy("join_columns", ("id", "clinic"))
        assert {one.kind for one in found.fixes[1:]} == {"keep_one"}
        study = Study.from_frame(frame, **ROLES, **others, remedies=found.fixes)
        assert study.n_rows == len(frame)
        assert list(study.persons) == ["North 1", "North 2", "North 3", "South 1", "South 2"]
    scores = pd.DataFrame({"id": [1, 1], "clinic": ["South", "North"], "age": [50.0, 20.0]})
    study = Study.from_frame(frame, covariates=scores, remedies=found.fixes, **ROLES)
    assert study.covariates["age"].dropna().to_dict() == {"North 1": 20.0, "South 1": 50.0}


def test_people_numbered_anew_without_a_repeated_row():
    north = diary(["1", "2", "3"]).assign(site="Köln")
    south = diary(["1", "2", "3"]).assign(site="Bonn", day=lambda t: t["day"] + 0.5)
    study = Study.from_frame(pd.concat([north, south], ignore_index=True), **ROLES)
    (found,) = study.looks
    assert "3 of 3 ids in 'id' stand in several 'site'" in found.message
    assert found.fixes == (Remedy("join_columns", ("id", "site")),)


@pytest.mark.parametrize("place", ["ward", "Station", "klas", "class_id", "therapist"])
def test_people_numbered_anew_in_other_places(place):
    frame = diary(["1", "2", "3"] * 2).assign(**{place: np.repeat(["a", "b"], 24)})
    (found,) = [one for one in looks(Study.from_frame(frame, **ROLES)) if one.column == place]
    assert found.fixes[0] == Remedy("join_columns", ("id", place))
    assert {one.kind for one in found.fixes[1:]} == {"keep_one"}
    asked = propose_study(frame)[0].questions
    assert any(f"tell them apart by {place!r} and 'id' together" in one for one in asked)


def test_a_state_called_class_is_no_place():
    frame = diary().assign(mood=np.tile(["calm", "tense"], 32)).rename(columns={"mood": "class"})
    assert looks(Study.from_frame(frame, **{**ROLES, "outcome": "class"})) == []


def test_one_person_who_moves_is_no_finding():
    frame = diary().assign(clinic="North")
    frame.loc[frame["id"].eq("P01") & (frame["day"] > 4), "clinic"] = "South"
    assert list(find_people(frame, "id", groups=["clinic"])) == []


def test_rows_of_two_raters_are_not_left_out():
    frame = diary(IDS[:4])
    both = pd.concat([frame.assign(rater="A"), frame.assign(rater="B", mood=frame["mood"] + 1)])
    (found,) = Study.from_frame(both, **ROLES).looks
    assert "32 rows stand at the same 'day'" in found.message
    assert "differ in 'rater'; name it as the sequence" in found.remedy
    assert found.fixes == ()
    assert Study.from_frame(both, sequence="rater", **ROLES).n_rows == 64


def test_what_names_nobody():
    frame = diary([*IDS, "test", "Test 2"])
    (found,) = Study.from_frame(frame, **ROLES).looks
    assert found.fixes == (Remedy("exclude_persons", ("id",), ("test", "Test 2")),)
    assert Study.from_frame(diary(["test1", "test2", "test3"]), **ROLES).looks == ()


def test_labels_of_groups_outcome_and_covariates():
    frame = diary(clinic=np.repeat(["North", "north", "South ", "South"], 16))
    frame["mood"] = np.tile(["calm", "Calm", "tense", "sad"], 16)
    diagnoses = ["MDD", "mdd", "GAD", "Mdd", "gad", "MDD", "HC", "HC"]
    scores = pd.DataFrame({"id": IDS, "group": diagnoses})
    roles = {**ROLES, "group": ["clinic"], "outcome_kind": "class"}
    study = Study.from_frame(frame, covariates=scores, **roles)
    found = {one.column: one for one in looks(study) if one.fixes[0].kind == "write_alike"}
    assert list(found) == ["clinic", "mood", "group"]
    assert "'MDD' and 'mdd' and 'Mdd', 'GAD' and 'gad'" in found["group"].message
    assert "There are 6 of them, and 3 if these are the same." in found["group"].message
    fixes = [one.fixes[0] for one in found.values()]
    joined = Study.from_frame(frame, covariates=scores, remedies=fixes, **roles)
    assert sorted(joined.covariates["group"].unique()) == ["GAD", "HC", "MDD"]
    assert joined.classes == ("calm", "sad", "tense")
    assert sorted(joined.further_groups["clinic"].unique()) == ["North", "South"]
    assert not [one for one in looks(joined) if one.fixes[0].kind == "write_alike"]


def test_short_forms_of_labels_are_joined_with_the_words():
    scores = pd.DataFrame({"id": IDS, "sex": ["f", "female", "m", "male"] * 2})
    (found,) = looks(Study.from_frame(diary(), covariates=scores, **ROLES))
    assert "'f' of 'female', 'm' of 'male'" in found.message
    joined = Study.from_frame(diary(), covariates=scores, remedies=found.fixes[:2], **ROLES)
    assert sorted(joined.covariates["sex"].unique()) == ["female", "male"]
    assert looks(joined) == []
    kept = Study.from_frame(diary(), covariates=scores, remedies=found.fixes[2:], **ROLES)
    assert looks(kept) == []


def test_new_ids_are_compared_with_those_that_are_known():
    new = known_otherwise(["p1", "P02", "P99", "03"], ["P01", "P02", "3"])
    assert new == {"p1": "P01", "03": "3"}


def test_joined_columns_can_be_told_apart():
    frame = diary(["1", "1 1"]).assign(clinic=lambda t: np.where(t["id"] == "1", "A 1", "A"))
    with pytest.raises(DataError, match="cannot be told apart"):
        Study.from_frame(frame, **ROLES, remedies=[Remedy("join_columns", ("id", "clinic"))])


def test_what_joining_ids_does_to_the_covariate_table_is_told_beforehand():
    long = pd.DataFrame(
        {
            "id": np.repeat(["A1", "A2", "A3"], 5),
            "day": list(range(5)) * 3,
            "x": range(15),
            "mood": [1.5, 2, 4] * 5,
        }
    )
    people = pd.DataFrame({"id": ["a1", "a2", "a3"], "age": [31, 42, 53]})
    (found,) = find_problems(long, person="id", outcome="mood", time="day", covariates=people)
    (effect,) = found.effects
    assert "'a1' became 'A1'" in effect
    assert "; 3 cells changed" in effect


def test_parts_in_each_observation_may_be_other_people():
    long = pd.DataFrame(
        {
            "who": ["mother", "child"] * 12,
            "film": np.repeat(["a", "b", "c"], 8),
            "step": np.tile(np.repeat(np.arange(4), 2), 3),
            "state": ["look", "away", "away"] * 8,
            "x": np.arange(24) % 5,
        }
    )
    roles = {"person": "who", "sequence": "film", "time": "step", "outcome": "state"}
    study = Study.from_frame(long, **roles)
    (look,) = [one for one in study.looks if "same people" in one.message]
    assert look.fixes[0] == Remedy("join_columns", ("who", "film"))
    assert "6 people" in look.remedy
    joined = Study.from_frame(long, **roles, remedies=look.fixes[:1])
    assert joined.n_persons == 6
    assert not joined.looks
    apart = Study.from_frame(long, **roles, remedies=look.fixes[1:])
    assert not apart.looks
    coded = long.assign(who=long["who"].map({"mother": "P1", "child": "P2"}))
    assert not Study.from_frame(coded, **roles).looks


def test_several_that_name_nobody_in_a_small_study():
    people = [*IDS[:4], "unknown", "TEST", "k.A."]
    (found,) = Study.from_frame(diary(people), **ROLES).looks
    assert found.fixes == (Remedy("exclude_persons", ("id",), ("unknown", "TEST", "k.A.")),)
    (found,) = Study.from_frame(diary([*IDS[:4], "Mean", "SD", "N"]), **ROLES).looks
    assert found.fixes[0].values == ("Mean", "SD", "N")
    assert Study.from_frame(diary(["SD", "N", "AB", "CD"]), **ROLES).looks == ()  # initials


def test_an_empty_id_of_the_covariate_table_is_said_to_be_there():
    scores = pd.DataFrame({"id": [*IDS[:7], None], "bdi": range(8)})
    with pytest.raises(DataError, match="'id' of the covariate table"):
        Study.from_frame(diary(IDS), **ROLES, covariates=scores)


def test_ids_that_come_again_in_another_arm_may_be_other_people():
    frame = diary([*IDS[:3]] * 2, arm=np.repeat(["A", "B"], 24))
    (found,) = [one for one in Study.from_frame(frame, **ROLES).looks if one.column == "arm"]
    assert "numbered anew in each 'arm'" in found.remedy
    assert "name 'arm' as the sequence" in found.remedy
    assert found.fixes == (Remedy("join_columns", ("id", "arm")),)
