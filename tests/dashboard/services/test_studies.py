import io
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from dashboard.services import drafts, records, studies
from nme_core.exceptions import DataError, NMEError
from nme_core.study import Remedy
from nme_core.study.clean.privacy import Privacy
from nme_core.study.recipe import read_recipe

LONG = b"pid,day,x,z,group,mood\n" + b"".join(
    f"{person:03d},{day},{person + day / 7:.2f},{day % 3},{person % 2},{day % 5}.5\n".encode()
    for person in range(1, 9)
    for day in range(8)
)
SECOND = b"pid,bdi,note\n" + b"".join(f"{p:03d},{p * 4},n{p}\n".encode() for p in range(1, 9))


def roles(**changes: object) -> studies.ChosenRoles:
    chosen = studies.ChosenRoles("pid", "mood", "day", None, ("x",), ("bdi",))
    return replace(chosen, **changes)


def test_kept_study_opens_as_chosen(home: Path) -> None:
    draft = studies.draft_upload("anna.csv", LONG, SECOND)
    identity = studies.keep_study(draft, roles(covariates=("bdi", "group")))
    record = studies.study_record(identity)
    assert record is not None
    assert re.fullmatch(r"Study of \d{1,2} \w{3}, 8 people", record.name)
    assert record.outcome_kind == "number"
    study, report = studies.open_study(identity)
    assert study.persons[0] == "001"
    assert study.feature_names == ("x",)
    assert list(study.covariates.columns) == ["bdi", "group"]
    assert study.covariates.loc["003", "bdi"] == 12
    assert study.covariates.loc["003", "group"] == 1
    assert report.usable
    assert studies.list_studies() == [record]


def test_an_id_that_is_a_number_of_the_name_by_day_and_people_does_not_take_it(home: Path) -> None:
    long = LONG.replace(b"\n008,", b"\npeople,")
    draft = studies.draft_upload("x.csv", long, None)
    identity = studies.keep_study(draft, roles(covariates=()), privacy=Privacy(codes=True))
    assert studies.study_record(identity).name.endswith(", 8 people")


def test_the_outcome_kind_and_the_name_are_kept(home: Path) -> None:
    long = LONG.replace(b".5\n", b"\n")
    draft = studies.draft_upload("diary.csv", long, SECOND)
    taken = studies.study_record(studies.keep_study(draft, roles(), "diary"))
    assert taken is not None
    assert (taken.outcome_kind, taken.name) == ("number", "diary")
    identity = studies.keep_study(draft, roles(outcome_kind="class"), "  My   study ")
    record = studies.study_record(identity)
    assert record is not None
    assert (record.outcome_kind, record.name) == ("class", "My study")
    study, _ = studies.open_study(identity)
    assert study.classes == ("0", "1", "2", "3", "4")
    for _ in range(2):
        studies.keep_study(draft, roles(), "diary")
    names = {one.name for one in studies.list_studies()}
    assert names == {"My study", "diary", "diary (2)", "diary (3)"}


def test_a_constant_column_that_was_not_chosen_is_no_covariate(home: Path) -> None:
    draft = studies.draft_upload("diary.csv", LONG, SECOND)
    study, _ = studies.open_study(studies.keep_study(draft, roles()))
    assert list(study.covariates.columns) == ["bdi"]


def test_only_columns_with_a_role_are_stored(home: Path) -> None:
    draft = studies.draft_upload("diary.csv", LONG, SECOND)
    identity = studies.keep_study(draft, roles())
    stored = pd.read_csv(home / "studies" / identity / "long.csv", dtype={"pid": str})
    given = pd.read_csv(io.BytesIO(LONG), dtype={"pid": str})
    pd.testing.assert_frame_equal(stored, given[["pid", "day", "mood", "x"]])
    assert "note" not in (home / "studies" / identity / "covariates.csv").read_text()
    record = studies.study_record(identity)
    assert record is not None
    assert record.left_out == ["z", "group"]


def test_codes_and_days_are_stored_and_the_key_is_handed_over(home: Path) -> None:
    dated = b"pid,day,x,mood\n" + b"".join(
        f"{p:03d},2024-03-{d + 1:02d},{p + d / 7:.2f},{d % 5}.5\n".encode()
        for p in range(1, 9)
        for d in range(8)
    )
    draft = studies.draft_upload("diary.csv", dated, SECOND)
    exclude = Remedy("exclude_persons", ("pid",), ("003",))
    keys: dict[str, bytes] = {}
    identity = studies.keep_study(
        draft, roles(), remedies=[exclude], privacy=Privacy(codes=True), take_key=keys.__setitem__
    )
    key = pd.read_csv(io.BytesIO(keys[identity]), dtype=str).set_index("code")["person"]
    study, _ = studies.open_study(identity)
    assert study.n_persons == 7
    assert "003" not in study.groups.map(key).tolist()
    assert study.covariates["bdi"].rename(key)["002"] == 8
    assert study.time is not None
    assert sorted(study.time.unique()) == list(range(8))
    record = studies.study_record(identity)
    assert record is not None
    assert record.counts_days
    assert studies.missing_over_time(identity, "column")[1] == "days since the person's first row"
    stored = b"".join(file.read_bytes() for file in (home / "studies" / identity).iterdir())
    for secret in (rb"2024", rb"(?<![\w.])00[1-8](?![\w.])"):  # a random code may hold three digits
        assert re.search(secret, stored) is None


def test_changes_are_applied_recorded_and_undone(home: Path) -> None:
    draft = studies.draft_upload("diary.csv", LONG, SECOND)
    identity = studies.keep_study(draft, roles())
    exclude = Remedy("exclude_persons", ("pid",), ("003",))
    studies.change_study(identity, remedies=(exclude,), planned=10)
    study, report = studies.open_study(identity)
    assert (study.n_persons, report.planned) == (7, 10)
    record = studies.study_record(identity)
    assert record is not None
    assert record.remedies == (exclude,)
    path = home / "studies" / identity
    file = studies.recipe_file(path, record)
    assert read_recipe(file).remedies == (exclude,)
    studies.change_study(identity, remedies=())
    assert studies.open_study(identity)[0].n_persons == 8
    again = studies.study_record(identity)
    assert again is not None
    assert read_recipe(studies.recipe_file(path, again)).remedies == ()
    assert read_recipe(file).remedies == (exclude,)  # a run that was started with them finds them


def test_missing_values_over_time(home: Path) -> None:
    gappy = LONG.replace(b"003,2,3.29", b"003,2,")
    identity = studies.keep_study(
        studies.draft_upload("diary.csv", gappy, None), roles(covariates=())
    )
    grid, time = studies.missing_over_time(identity, "person")
    assert grid.loc["003", 2] == 0.5
    assert grid.to_numpy().sum() == 0.5
    assert time == "day since the person's first row"


def test_nothing_is_kept_where_the_data_cannot_be_used(home: Path) -> None:
    wrong = LONG + b"001,soon,1.0,0,1,2.5\n"
    draft = studies.draft_upload("diary.csv", wrong, None)
    with pytest.raises(NMEError, match="soon"):
        studies.keep_study(draft, roles(covariates=()))
    assert studies.list_studies() == []


def test_an_empty_upload_is_refused(home: Path) -> None:
    with pytest.raises(DataError, match=r"diary\.csv"):
        studies.draft_upload("diary.csv", b"", None)


@pytest.mark.parametrize("name", studies.sample_names())
def test_sample_studies_come_with_roles_that_fit(home: Path, name: str) -> None:
    draft = studies.draft_sample(name)
    guess = draft.guess
    assert guess.person is not None
    assert guess.outcome is not None
    chosen = studies.ChosenRoles(
        guess.person,
        guess.outcome,
        guess.time,
        guess.sequence,
        tuple(guess.features),
        tuple(guess.covariates),
    )
    study, report = studies.open_study(studies.keep_study(draft, chosen))
    assert report.usable
    assert "depression" in study.covariates
    assert draft.model in ("nme-crf", "nme-mlp")


def test_the_codebook_is_stored_edited_and_taken_away(home: Path) -> None:
    identity = studies.keep_study(studies.draft_upload("diary.csv", LONG, SECOND), roles())
    table = studies.codebook(identity)
    assert table["name"].tolist() == ["pid", "day", "mood", "x", "bdi"]
    assert table["role"].tolist() == ["person", "time", "outcome", "feature", "covariate"]
    table.loc[3, ["label", "unit"]] = "=1+1", "hours"
    studies.keep_codebook(identity, table)
    again = studies.codebook(identity)
    pd.testing.assert_frame_equal(again, table)
    assert "'=1+1" in studies.codebook_file(identity).decode()
    with pytest.raises(DataError, match="No type is called"):
        studies.keep_codebook(identity, table.assign(type="colour"))
    (home / "studies" / identity / "codebook.csv").unlink()
    assert studies.codebook(identity)["label"].tolist() == [""] * 5


def test_a_wide_table_becomes_long_where_that_is_confirmed(home: Path) -> None:
    wide = b"pid,sex,mood_1,mood_2,mood_3,mood_4,mood_5,mood_6\n" + b"".join(
        f"{p:03d},{p % 2},{','.join(str((p * d) % 7) for d in range(1, 7))}\n".encode()
        for p in range(1, 9)
    )
    as_it_is = studies.draft_upload("wide.csv", wide, None)
    assert as_it_is.wide is not None
    assert not as_it_is.reshaped
    draft = studies.draft_upload("wide.csv", wide, None, reshaped=True)
    assert draft.token != as_it_is.token
    assert "became 48 rows" in "\n".join(draft.how)
    assert (draft.guess.person, draft.guess.time, draft.guess.outcome) == (
        "pid", "occasion", "mood",
    )  # fmt: skip
    chosen = studies.ChosenRoles("pid", "mood", None, None, ("occasion",), ("sex",))
    study, _ = studies.open_study(studies.keep_study(draft, chosen))
    assert (study.n_rows, study.persons[0]) == (48, "001")
    assert study.y.tolist()[:3] == [1, 2, 3]


def test_a_table_is_read_as_the_user_says(home: Path) -> None:
    long = LONG.replace(b"group", b"sk\xb3ad").replace(b",", b";")
    recognised = studies.draft_upload("diary.csv", long, None)
    assert "sk³ad" in recognised.long.columns
    said = drafts.ReadAs(encoding="cp1250", delimiter=";", decimal=".")
    draft = studies.draft_upload("diary.csv", long, None, said)
    assert draft.token != recognised.token
    assert "skład" in draft.long.columns
    study, _ = studies.open_study(studies.keep_study(draft, roles(covariates=("skład",))))
    assert study.covariates.columns.tolist() == ["skład"]


def test_metadata_explain_the_columns(home: Path) -> None:
    metadata = b'{"features": [{"name": "mood", "description": "Feeling now"}]}'
    draft = studies.draft_upload("diary.csv", LONG, None, drafts.ReadAs(metadata=metadata))
    identity = studies.keep_study(draft, roles(covariates=()))
    assert studies.codebook(identity).set_index("name").loc["mood", "label"] == "Feeling now"


def test_marks_that_cannot_be_are_refused() -> None:
    with pytest.raises(NMEError, match="cannot part both columns and decimals"):
        studies.draft_upload("diary.csv", LONG, None, drafts.ReadAs(delimiter=",", decimal=","))


def test_a_date_and_a_clock_become_one_time_before_dates_become_days(home: Path) -> None:
    rows = [
        f"{who},2024-03-0{day},{clock},{day * k % 5},{(day + k + len(who)) % 4}"
        for who in ("a", "bb", "c")
        for day in (1, 2, 3)
        for k, clock in enumerate(("09:00", "14:00", "21:00"))
    ]
    file = "\n".join(["id,date,clock,x,mood", *rows]).encode()
    draft = studies.draft_upload("esm.csv", file, None)
    chosen = studies.ChosenRoles("id", "mood", "date", None, ("x",), ())
    study, report = studies.open_study(studies.keep_study(draft, chosen))
    assert study.time is not None
    assert study.time[:3].tolist() == pytest.approx([0, 5 / 24, 0.5], abs=1e-5)
    assert (study.time_unit, study.n_rows) == ("d", 27)
    assert "hours" in str(report.spacing)


def test_what_means_no_answer_is_pointed_out_in_the_app_and_can_be_undone(home: Path) -> None:
    moods = ["1 (low)", "2", "3", "9 (no answer)"]
    long = b"pid,day,x,mood\n" + b"".join(
        f"{person},{day},{day % 3}.5,{moods[day % 4]}\n".encode()
        for person in range(1, 6)
        for day in range(8)
    )
    draft = studies.draft_upload("diary.csv", long, None)
    identity = studies.keep_study(draft, roles(covariates=()))
    study, report = studies.open_study(identity)
    assert study.y.max() == 9
    (found,) = [one for one in report.findings if "no answer" in one.message and one.fixes]
    assert "10 cells emptied, 30 of 40 remain" in found.effects[0]
    studies.change_study(identity, remedies=found.fixes)
    fixed, after = studies.open_study(identity)
    assert fixed.y.isna().sum() == 10
    assert not [one for one in after.findings if "no answer" in one.message and one.fixes]
    studies.change_study(identity, remedies=())
    assert studies.open_study(identity)[0].y.max() == 9


def test_words_of_columns_that_are_not_stored_are_not_stored(home: Path) -> None:
    long = LONG.replace(b",mood\n", b",mood,who\n").replace(b".5\n", b".5,NA\n", 60)
    long = long.replace(b".5\n", b".5,Jo\n")
    draft = studies.draft_upload("diary.csv", long, SECOND)
    assert draft.labels.taken["who"] == {"NA": 60}
    identity = studies.keep_study(draft, roles())
    stored = home / "studies" / identity / records.LABELS
    assert "who" not in stored.read_text(encoding="utf-8")
