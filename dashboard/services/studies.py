"""Studies on disk: check a draft, keep it without what names persons, open and mend it again."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from dashboard.services.caching import per_session
from dashboard.services.drafts import (
    ChosenRoles,
    Draft,
    chosen_tables,
    covariate_columns,
    draft_sample,
    draft_upload,
    study_arguments,
)
from dashboard.services.home import folder, home, new_id, utc_text, write_json
from dashboard.services.roles import OutcomeKind
from nme_core.data import SAMPLES, Remedy, Report, Study, check_study, read_table
from nme_core.data.codebook import check_codebook, make_codebook
from nme_core.data.gaps import NIGHT, gap_limit
from nme_core.data.missing import MISSING, fill_features, missing_grid
from nme_core.data.privacy import Privacy, deidentify, with_codes
from nme_core.data.remedies import (
    apply_remedies,
    as_records,
    as_remedies,
    of_second_table,
    split_remedies,
)
from nme_core.exceptions import DataError
from nme_core.io.spreadsheet import as_text

__all__ = [
    "MISSING",
    "ChosenRoles",
    "Draft",
    "StudyRecord",
    "change_study",
    "codebook",
    "codebook_file",
    "covariate_columns",
    "draft_sample",
    "draft_upload",
    "keep_codebook",
    "keep_study",
    "list_studies",
    "missing_over_time",
    "missing_words",
    "open_study",
    "sample_names",
    "study_record",
]  # fmt: skip

#: File of a study that says what its columns are.
CODEBOOK = "codebook.csv"

#: The gap of `NIGHT` where dates became days.
NIGHT_IN_DAYS = "0.25"


@dataclass(frozen=True)
class StudyRecord:
    """One study on disk: what ``study.json`` says.

    Attributes
    ----------
    privacy : list of str
        In words, what was done to the tables before they were stored.
    left_out : list of str
        Columns of the long table that were not stored, because they have no role.
    changes : list of dict
        Remedies, in order; the stored table is never changed by them.
    planned : int or None
        Occasions planned for each person.
    missing : str
        What is done about missing features.
    max_gap : str or None
        Longest gap in time within a sequence, as `Study.from_frame` takes it.
    """

    id: str
    name: str
    created: str
    source: str
    model: str | None
    outcome_kind: OutcomeKind
    roles: dict[str, Any]
    privacy: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    planned: int | None = None
    missing: str = "indicator"
    max_gap: str | None = None

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """The changes, as nme_core takes them."""
        return as_remedies(self.changes)

    @property
    def counts_days(self) -> bool:
        """Whether the dates of its time column became days."""
        return any(note.startswith(f"Dates in {self.roles['time']!r}") for note in self.privacy)

    @property
    def remedy_file(self) -> str:
        """Name of the file with these changes; others have another one."""
        text = json.dumps(self.changes, sort_keys=True)
        return f"remedies-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"


def sample_names() -> tuple[str, ...]:
    """Names of the sample studies."""
    return tuple(SAMPLES)


def keep_study(
    draft: Draft,
    roles: ChosenRoles,
    name: str = "",
    *,
    remedies: Sequence[Remedy] = (),
    privacy: Privacy | None = None,
    take_key: Callable[[str, bytes], None] | None = None,
) -> str:
    """Check and keep a study; returns its id. Nothing is kept where the data cannot be used.

    Parameters
    ----------
    draft, roles
        The tables, and which columns of theirs are kept.
    name : str
        Without a name, the study is called like its file. A number keeps it apart from another
        study of the same name.
    remedies : sequence of Remedy
        Changes that are made whenever the study is read; how dates are read is settled before
        they are stored.
    privacy : Privacy, optional
        What is done to the tables before they are stored; default: dates become days, high ages
        one group.
    take_key : callable, optional
        Gets the study's id and the key to its random codes as a CSV file. The key is for the
        user alone: it is not stored.

    Raises
    ------
    DataError
        What `Study.from_frame` says about the tables.
    """
    for column in roles.features:
        if "," in column:
            raise DataError(
                f"The name of column {column!r} contains a comma.",
                remedy="Rename the column in the file.",
                column=column,
            )
    long, covariates = chosen_tables(draft, roles)
    whole = Study.from_frame(
        long, covariates=covariates, remedies=remedies, **study_arguments(roles)
    )
    remedies, of_dates = split_remedies(remedies, "read_dates")
    first, rest = of_second_table(of_dates, long, () if covariates is None else covariates)
    long, _ = apply_remedies(long, first)
    if covariates is not None:
        covariates, _ = apply_remedies(covariates, rest)
    kept = deidentify(
        long,
        covariates,
        Privacy() if privacy is None else privacy,
        person=roles.person,
        time=roles.time,
        sequence=roles.sequence,
    )
    columns = asdict(roles)
    del columns["outcome_kind"]
    if kept.covariates is not None:
        columns["covariates"] = [name for name in kept.covariates.columns if name != roles.person]
    tables = {"long.csv": kept.long, "covariates.csv": kept.covariates}
    files = {
        file: table.to_csv(index=False, lineterminator="\n").encode()
        for file, table in tables.items()
        if table is not None
    }
    changes = as_records(with_codes(remedies, kept.key))
    with tempfile.TemporaryDirectory() as temporary:
        _write(Path(temporary), files)
        study = _read_study(Path(temporary), columns, roles.outcome_kind, as_remedies(changes))
    nights = whole.max_gap == NIGHT and study.max_gap is None  # dates became days
    identity, path = new_id("studies")
    _write(path, files)
    record = StudyRecord(
        id=identity,
        name=_unused(" ".join(name.split()) or draft.name),
        created=utc_text(),
        source=draft.source,
        model=draft.model,
        outcome_kind=study.outcome_kind,
        roles=columns,
        privacy=[*(f"{remedy}." for remedy in of_dates), *kept.notes],
        left_out=[
            str(name)
            for name in draft.long.columns
            if name not in {*roles.columns, *roles.covariates}
        ],
        changes=changes,
        max_gap=NIGHT_IN_DAYS if nights else None,
    )
    _write_record(path, record)
    book = make_codebook(
        kept.long,
        kept.covariates,
        _role_of(columns),
        draft.labels,
        states=study.outcome_kind == "class",
    )
    book.to_csv(path / CODEBOOK, index=False, lineterminator="\n")
    if kept.key is not None and take_key is not None:
        take_key(identity, kept.key.to_csv(index=False).encode())
    return identity


def _unused(name: str) -> str:
    """The name, with a number behind it where a study has it already."""
    taken = {record.name for record in list_studies()}
    return next(
        one for n in itertools.count(1) if (one := name if n == 1 else f"{name} ({n})") not in taken
    )


def codebook(identity: str) -> pd.DataFrame:
    """The codebook of a study: one row per column with a role, all text."""
    path, record = _found(identity)
    if (path / CODEBOOK).is_file():
        return pd.read_csv(path / CODEBOOK, dtype="str", keep_default_na=False)
    second = path / "covariates.csv"
    person = [record.roles["person"]]
    return make_codebook(
        read_table(path / "long.csv", text=person),
        read_table(second, text=person) if second.is_file() else None,
        _role_of(record.roles),
        states=record.outcome_kind == "class",
    )


def keep_codebook(identity: str, table: pd.DataFrame) -> None:
    """Store an edited codebook; DataError where it is none."""
    path, _ = _found(identity)
    checked = check_codebook(table, codebook(identity)["name"].tolist())
    temporary = path / f"{CODEBOOK}.new"
    checked.to_csv(temporary, index=False, lineterminator="\n")
    temporary.replace(path / CODEBOOK)


def codebook_file(identity: str) -> bytes:
    """The codebook as a CSV file for a spreadsheet: no cell of it is read as a formula."""
    return as_text(codebook(identity)).encode("utf-8-sig")


def change_study(identity: str, **changes: Any) -> None:
    """Write other values into a study's record: remedies, planned, missing or max_gap.

    OptionError where a gap is none that the times can have.
    """
    path, record = _found(identity)
    if "remedies" in changes:
        changes["changes"] = as_records(changes.pop("remedies"))
    if "max_gap" in changes:
        study, _ = open_study(identity)
        gap_limit(changes["max_gap"], study.time, study.groups)
    content = {**asdict(record), **changes}
    _write_record(path, StudyRecord(**content))


def study_record(identity: str) -> StudyRecord | None:
    """What is known of a study; None where there is no such study."""
    path = folder("studies", identity)
    if path is None or not (path / "study.json").is_file():
        return None
    content = json.loads((path / "study.json").read_text(encoding="utf-8"))
    return StudyRecord(id=identity, **content)


def list_studies() -> list[StudyRecord]:
    """Every study on this computer, newest first."""
    parent = home() / "studies"
    found = sorted((p.name for p in parent.iterdir()), reverse=True) if parent.is_dir() else []
    return [record for name in found if (record := study_record(name)) is not None]


def open_study(identity: str) -> tuple[Study, Report]:
    """A kept study, mended by its remedies, and its data report; DataError where they break it."""
    _, record = _found(identity)
    return _open_study(identity, record.remedies, record.planned, record.max_gap)


def missing_over_time(identity: str, by: Literal["person", "column"]) -> tuple[pd.DataFrame, str]:
    """Share of missing cells by person or column and step of time; and what the steps are."""
    study, _ = open_study(identity)
    record = _found(identity)[1]
    if study.time is None:
        return missing_grid(study, by), "rows before this one"
    days = record.counts_days or is_datetime64_any_dtype(study.time.dtype)
    unit = "days" if days else str(study.roles.time)
    return missing_grid(study, by), f"{unit} since the person's first row"


def data_options(path: Path, record: StudyRecord) -> list[str]:
    """What ``nme fit`` is told about a study's table besides the roles."""
    words = ["--remedy", str(path / record.remedy_file)] if record.changes else []
    words += [] if record.max_gap is None else ["--max-gap", record.max_gap]
    return words if record.missing == "indicator" else [*words, "--missing", record.missing]


def missing_words(identity: str) -> tuple[str, ...]:
    """In words, what the choice about missing features does, with counts; empty without any."""
    study, _ = open_study(identity)
    record = _found(identity)[1]
    notes = fill_features(study, record.missing).notes[len(study.notes) :]
    return tuple(re.sub(r" \(--missing [^)]*\)", "", note) for note in notes)


@per_session(4)
def _open_study(
    identity: str, remedies: tuple[Remedy, ...], planned: int | None, max_gap: str | None
) -> tuple[Study, Report]:
    path, record = _found(identity)
    study = _read_study(path, record.roles, record.outcome_kind, remedies, max_gap)
    return study, check_study(study, planned=planned)


def _role_of(roles: dict[str, Any]) -> dict[str, str]:
    """Role of each column of a study."""
    single = {
        roles[role]: role
        for role in ("person", "group", "time", "sequence", "outcome")
        if roles.get(role)
    }
    features = dict.fromkeys(roles["features"], "feature")
    return {**dict.fromkeys(roles["covariates"], "covariate"), **features, **single}


def _found(identity: str) -> tuple[Path, StudyRecord]:
    path, record = folder("studies", identity), study_record(identity)
    if path is None or record is None:
        raise DataError("This study is no longer there.", remedy="Load it again.")
    return path, record


def _read_study(
    path: Path,
    roles: dict[str, Any],
    outcome_kind: OutcomeKind | None,
    remedies: Sequence[Remedy],
    max_gap: str | None = None,
) -> Study:
    covariates = path / "covariates.csv"
    return Study.from_csv(
        path / "long.csv",
        person=roles["person"],
        outcome=roles["outcome"],
        time=roles["time"],
        sequence=roles["sequence"],
        group=[roles["group"]] if roles.get("group") else [],
        features=list(roles["features"]),
        exclude=list(roles["exclude"]),
        covariates=covariates if covariates.is_file() else None,
        outcome_kind=outcome_kind,
        remedies=remedies,
        max_gap=max_gap,
    )


def _write(path: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (path / name).write_bytes(content)


def _write_record(path: Path, record: StudyRecord) -> None:
    """Write ``study.json`` in one step, and the remedies as ``nme fit`` reads them."""
    content = asdict(record)
    del content["id"]
    if record.changes:
        write_json(path / record.remedy_file, record.changes)
    write_json(path / "study.json", content)
