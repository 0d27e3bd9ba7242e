from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.services import studies
from nme_core.exceptions import DataError, NMEError

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
    draft = studies.draft_upload("my diary.csv", LONG, SECOND)
    identity = studies.keep_study(draft, roles(covariates=("bdi", "group")))
    record = studies.study_record(identity)
    assert record is not None
    assert (record.name, record.outcome_kind) == ("my diary", "number")
    study, report = studies.open_study(identity)
    assert study.persons[0] == "001"
    assert study.feature_names == ("x",)
    assert list(study.covariates.columns) == ["bdi", "group"]
    assert study.covariates.loc["003", "bdi"] == 12
    assert study.covariates.loc["003", "group"] == 1
    assert report.usable
    assert studies.list_studies() == [record]


def test_the_outcome_kind_and_the_name_are_kept(home: Path) -> None:
    long = LONG.replace(b".5\n", b"\n")
    draft = studies.draft_upload("diary.csv", long, SECOND)
    taken = studies.study_record(studies.keep_study(draft, roles()))
    assert taken is not None
    assert (taken.outcome_kind, taken.name) == ("number", "diary")
    identity = studies.keep_study(draft, roles(outcome_kind="class"), "  My   study ")
    record = studies.study_record(identity)
    assert record is not None
    assert (record.outcome_kind, record.name) == ("class", "My study")
    study, _ = studies.open_study(identity)
    assert study.classes == ("0", "1", "2", "3", "4")


def test_a_constant_column_that_was_not_chosen_is_no_covariate(home: Path) -> None:
    draft = studies.draft_upload("diary.csv", LONG, SECOND)
    study, _ = studies.open_study(studies.keep_study(draft, roles()))
    assert list(study.covariates.columns) == ["bdi"]


def test_the_uploaded_table_is_kept_byte_by_byte(home: Path) -> None:
    draft = studies.draft_upload("diary.csv", LONG, None)
    identity = studies.keep_study(draft, roles(covariates=()))
    assert (home / "studies" / identity / "long.csv").read_bytes() == LONG


def test_nothing_is_kept_where_the_data_cannot_be_used(home: Path) -> None:
    twice = LONG + b"001,0,1.0,0,1,2.5\n"
    draft = studies.draft_upload("diary.csv", twice, None)
    with pytest.raises(NMEError, match="001"):
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
