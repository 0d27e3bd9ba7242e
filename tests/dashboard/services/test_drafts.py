"""People of a draft: found before ids become codes, and settled without losing anybody."""

import io
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from dashboard.services import drafts, studies
from dashboard.services.noticed import notice
from nme_core.study import Remedy
from nme_core.study.clean.privacy import Privacy
from tests.study.clean.test_people import IDS, diary

ROLES = studies.ChosenRoles("id", "mood", "day", None, ("sleep",), ())


def draft_of(table: pd.DataFrame, second: pd.DataFrame | None = None) -> drafts.Draft:
    scores = None if second is None else second.to_csv(index=False).encode()
    return drafts.draft_upload("diary.csv", table.to_csv(index=False).encode(), scores)


def in_two_forms() -> pd.DataFrame:
    table = diary()
    return table.assign(id=table["id"].mask(table["day"] > 4, table["id"].str.lower()))


def test_ids_in_two_forms_are_joined_before_they_become_codes(home: Path) -> None:
    scores = pd.DataFrame({"id": [f"p{k}" for k in range(1, 9)], "bdi": np.arange(8) * 3})
    draft = draft_of(in_two_forms(), scores)
    roles = studies.ChosenRoles("id", "mood", "day", None, ("sleep",), ("bdi",))
    found = drafts.people_of(draft, roles)
    assert {one.fixes[0].kind for one in found} == {"write_alike"}
    made = found[0].fixes[:1]
    assert drafts.people_of(draft, roles, made) == ()
    assert drafts.problems_of(draft, roles, made) == ()
    for codes in (False, True):
        identity = studies.keep_study(draft, roles, remedies=made, privacy=Privacy(codes=codes))
        study, _ = studies.open_study(identity)
        assert (study.n_persons, study.n_rows) == (8, 64)
        assert study.covariates["bdi"].notna().all()
        record = studies.study_record(identity)
        assert record is not None
        assert record.remedies == (() if codes else made)
    stored = b"".join(file.read_bytes() for file in (home / "studies" / identity).iterdir())
    assert b"P01" not in stored
    assert b"p01" not in stored


def test_a_clinic_without_a_role_tells_people_apart(home: Path) -> None:
    north, south = diary(["1", "2", "3"]), diary(["1", "2"])
    table = pd.concat([north.assign(clinic="North"), south.assign(clinic="South")])
    draft = draft_of(table)
    (found,) = drafts.people_of(draft, ROLES)
    assert found.fixes == (Remedy("join_columns", ("id", "clinic")),)
    assert drafts.problems_of(draft, ROLES, found.fixes) == ()
    for codes in (False, True):
        privacy = Privacy(codes=codes)
        identity = studies.keep_study(draft, ROLES, remedies=found.fixes, privacy=privacy)
        study, _ = studies.open_study(identity)
        assert (study.n_persons, study.n_rows) == (5, 40)


def test_covariates_of_both_tables_stay_with_their_people(home: Path) -> None:
    table = diary().assign(sex=lambda t: t["id"].isin(IDS[:4]).map({True: "f", False: "m"}))
    scores = pd.DataFrame({"id": [f" {who}" for who in IDS[:6]], "bdi": np.arange(6) * 3})
    draft = draft_of(table, scores)
    roles = studies.ChosenRoles("id", "mood", "day", None, ("sleep",), ("bdi", "sex"))
    study, _ = studies.open_study(studies.keep_study(draft, roles))
    assert list(study.covariates["sex"]) == ["f"] * 4 + ["m"] * 4
    assert study.covariates["bdi"].isna().sum() == 2


def test_an_upload_says_what_was_left_out_and_the_header_can_be_said(home: Path) -> None:
    rows = diary().to_csv(index=False)
    people = "id,age,sex\nP01,30,f\nP02,41,m\nP03,35,f\n"
    content = f"Clinic,North\nroom,2\n\n{rows}\n{people}".encode()
    draft = drafts.draft_upload("coded.csv", content, None)
    assert len(draft.long) == len(diary())
    told = " ".join(draft.how)
    assert "Lines 1 to 3 above the table" in told
    assert "Another table begins in line 70" in told
    assert "North" not in told
    second = drafts.draft_upload("coded.csv", content, None, drafts.ReadAs(header="70"))
    assert second.long["age"].tolist() == [30, 41, 35]
    identity = studies.keep_study(draft, ROLES, privacy=Privacy(codes=False))
    study, _ = studies.open_study(identity)
    assert study.n_rows == len(diary())


def test_uploaded_events_become_steps_where_that_is_chosen(home: Path) -> None:
    lines = ["Observation id,Subject,Behavior,Behavior type,Start (s),Stop (s)"]
    for k in range(4):
        for who in ("mother", "child"):
            lines += [
                f"o{k},{who},{'look' if t % 2 else 'away'},STATE,{t},{t + 1}" for t in range(6)
            ]
            lines.append(f"o{k},{who},smile,POINT,{k + 0.5},{k + 0.5}")
    content = "\n".join(lines).encode()
    draft = drafts.draft_upload("coded.csv", content, None)
    assert (len(draft.long), draft.step) == (56, "1s")
    steps = drafts.draft_upload("coded.csv", content, None, drafts.ReadAs(step=draft.step))
    assert len(steps.long) == 48
    assert (steps.guess.person, steps.guess.sequence) == ("Subject", "Observation id")
    roles = studies.ChosenRoles(
        "Subject", "Behavior", "Start (s)", "Observation id", ("n smile",), ()
    )
    assert drafts.problems_of(steps, roles) == ()


def workbook() -> bytes:
    """A codebook, a diary and a table of people."""
    book, target = openpyxl.Workbook(), io.BytesIO()
    for title, rows in {
        "Info": [["what", "value"], ["Study", "sleep"]],
        "Diary": [
            ["id", "day", "sleep", "mood"],
            *([f"P{p}", d, 6 + (p + d) % 3, (p * d) % 5] for p in range(4) for d in range(6)),
        ],
        "People": [["id", "bdi"], *([f"P{p}", 10 + p] for p in range(4))],
    }.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.remove(book["Sheet"])
    book.save(target)
    return target.getvalue()


def test_both_tables_of_a_workbook_are_proposed_and_can_be_chosen(home: Path) -> None:
    content = workbook()
    draft = drafts.draft_upload("book.xlsx", content, None)
    assert draft.reading is not None
    assert draft.reading.sheet == "Diary"
    assert draft.second is not None
    assert draft.second.sheet == "People"
    assert draft.guess.covariates == ["bdi"]
    assert any("sheet 'People'" in line for line in draft.how)
    roles = drafts.ChosenRoles("id", "mood", "day", None, ("sleep",), ("bdi",))
    _, second = drafts.chosen_tables(draft, roles)
    assert second is not None
    assert list(second["bdi"]) == [10, 11, 12, 13]
    none = drafts.draft_upload("book.xlsx", content, None, drafts.ReadAs(covariates_sheet=""))
    assert none.covariates is None
    assert none.second_sheets == ("Info", "Diary", "People")
    beside = drafts.draft_upload("a.csv", b"id,t,y\na,1,2\na,2,3\n", content, second_name="b.xlsx")
    assert beside.second is not None
    assert beside.second.sheet == "People"


@pytest.mark.parametrize("start", [1, 101])
def test_a_file_is_parsed_once_whatever_its_ids_are(
    home: Path, monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    from nme_core.study import reading

    parsed: list[str] = []
    whole = reading._read
    monkeypatch.setattr(
        reading, "_read", lambda file, **how: parsed.append(file.name) or whole(file, **how)
    )
    ids = [f"{k:02d}" for k in range(start, start + 6)]
    long = "id,day,x,mood\n" + "".join(
        f"{one},{day},{day * k % 5},{(day + k) % 7}.5\n"
        for k, one in enumerate(ids)
        for day in range(8)
    )
    people = "id,bdi\n" + "".join(f"{one},{k * 4}\n" for k, one in enumerate(ids))
    draft = drafts.draft_upload("a.csv", long.encode(), people.encode(), second_name="b.csv")
    roles = drafts.ChosenRoles("id", "mood", "day", None, ("x",), ("bdi",))
    assert drafts.problems_of(draft, roles) == ()
    assert drafts.people_of(draft, roles) == ()
    identity = studies.keep_study(draft, roles, privacy=Privacy(codes=False))
    assert [name for name in parsed if name in ("a.csv", "b.csv")] == ["a.csv", "b.csv"]
    study, _ = studies.open_study(identity)
    assert list(study.persons) == ids


def test_ids_that_are_respelled_before_they_become_codes_are_told_without_naming_anybody(
    home: Path,
) -> None:
    draft = draft_of(in_two_forms())
    made = drafts.people_of(draft, ROLES)[0].fixes[:1]
    coded = Privacy(codes=True)
    record = studies.study_record(studies.keep_study(draft, ROLES, remedies=made, privacy=coded))
    assert record is not None
    told = " ".join(record.privacy)
    assert "some were written alike; 16 different ids became 8" in told
    assert "p01" not in told.lower()

    table = diary()
    spaced = table.assign(id=table["id"].mask(table["day"] > 4, "\u2009" + table["id"] + "\u200b"))
    record = studies.study_record(studies.keep_study(draft_of(spaced), ROLES, privacy=coded))
    assert record is not None
    told = " ".join(record.privacy)
    assert "Spaces, unseen characters and decimals of ids in 'id' were left out, in 8 of 16" in told
    assert "8 of them only looked different" in told


def test_times_as_numbers_can_become_days_too():
    lines = ["who,sent,mood,x"]
    lines += [f"{w},{1709280000 + 7200 * k},{k % 5},{k % 3}" for w in "abc" for k in range(8)]
    draft = drafts.draft_upload("x.csv", "\n".join(lines).encode(), None)
    roles = drafts.ChosenRoles("who", "mood", "sent", None, ("x",), ())
    assert notice(draft, roles).dates
    assert not notice(draft, drafts.ChosenRoles("who", "mood", None, None, ("x",), ())).dates
