"""Studies on disk: read an upload, propose roles, check, keep, open again."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.services.caching import per_session
from dashboard.services.home import folder, home, new_id, utc_text
from dashboard.services.roles import OutcomeKind, RoleGuess, guess_roles
from nme_core.data import SAMPLES, Report, Study, check_study, read_table, sample_study
from nme_core.exceptions import DataError


@dataclass(frozen=True)
class Draft:
    """Tables that were chosen but not loaded yet, with a proposal for the roles."""

    name: str
    source: str
    long_bytes: bytes
    covariate_bytes: bytes | None
    long: pd.DataFrame
    covariates: pd.DataFrame | None
    guess: RoleGuess
    model: str | None = None


@dataclass(frozen=True)
class ChosenRoles:
    """The roles as the user left them; without an outcome kind, `Study` decides."""

    person: str
    outcome: str
    time: str | None
    sequence: str | None
    features: tuple[str, ...]
    covariates: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    outcome_kind: OutcomeKind | None = None


@dataclass(frozen=True)
class StudyRecord:
    """One study on disk: what ``study.json`` says."""

    id: str
    name: str
    created: str
    source: str
    model: str | None
    outcome_kind: OutcomeKind
    roles: dict[str, Any]


def sample_names() -> tuple[str, ...]:
    """Names of the sample studies."""
    return tuple(SAMPLES)


@per_session(4)
def draft_sample(name: str) -> Draft:
    """One sample study, with the roles it was made with."""
    sample = sample_study(name)
    with tempfile.TemporaryDirectory() as temporary:
        sample.write(Path(temporary))
        long_bytes = (Path(temporary) / "long.csv").read_bytes()
        covariate_bytes = (Path(temporary) / "covariates.csv").read_bytes()
    draft = draft_upload("long.csv", long_bytes, covariate_bytes)
    roles = sample.roles
    guess = RoleGuess(
        roles["person"],
        roles.get("time"),
        roles.get("sequence"),
        roles["outcome"],
        list(roles.get("features") or draft.guess.features),
        draft.guess.covariates,
    )
    return Draft(
        name=name,
        source="sample",
        long_bytes=long_bytes,
        covariate_bytes=covariate_bytes,
        long=draft.long,
        covariates=draft.covariates,
        guess=guess,
        model=roles.get("model"),
    )


@per_session(4)
def draft_upload(name: str, long_bytes: bytes, covariate_bytes: bytes | None) -> Draft:
    """Read uploaded tables and propose roles; DataError where a table cannot be read."""
    with tempfile.TemporaryDirectory() as temporary:
        long = _read(Path(temporary), name, long_bytes)
        covariates = (
            None
            if covariate_bytes is None
            else _read(Path(temporary), "the covariate table", covariate_bytes)
        )
    guess = guess_roles(long, covariates)
    return Draft(Path(name).stem, "upload", long_bytes, covariate_bytes, long, covariates, guess)


def covariate_columns(draft: Draft, person: str | None) -> list[str]:
    """Columns that can be covariates: the second table's, and those constant within a person."""
    extra = [] if draft.covariates is None else [str(c) for c in draft.covariates.columns]
    own = []
    if person is not None:
        spread = draft.long.groupby(person, sort=False).nunique().max()
        own = [str(name) for name, most in spread.items() if most <= 1]
    return [name for name in dict.fromkeys([*extra, *own]) if name != person]


def keep_study(draft: Draft, roles: ChosenRoles, name: str = "") -> str:
    """Check and keep a study; returns its id. Nothing is kept where the data cannot be used.

    Without a name, the study is called like its file.

    Raises
    ------
    DataError
        What `Study.from_csv` says about the table.
    """
    constant = set(covariate_columns(draft, roles.person)) & set(draft.long.columns)
    taken = {roles.outcome, roles.time, roles.sequence, *roles.features, *roles.covariates}
    unused = tuple(name for name in draft.long.columns if name in constant - taken)
    roles = replace(roles, exclude=unused)
    for column in (*roles.features, *roles.exclude):
        if "," in column:
            raise DataError(
                f"The name of column {column!r} contains a comma.",
                remedy="Rename the column in the file.",
                column=column,
            )
    with tempfile.TemporaryDirectory() as temporary:
        _write_tables(Path(temporary), draft, roles)
        study = _read_study(Path(temporary), asdict(roles), roles.outcome_kind)
    identity, path = new_id("studies")
    _write_tables(path, draft, roles)
    columns = asdict(roles)
    del columns["outcome_kind"]
    record = {
        "name": " ".join(name.split()) or draft.name,
        "created": utc_text(),
        "source": draft.source,
        "model": draft.model,
        "outcome_kind": study.outcome_kind,
        "roles": columns,
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (path / "study.json").write_text(text, encoding="utf-8")
    return identity


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


@per_session(4)
def open_study(identity: str) -> tuple[Study, Report]:
    """A kept study and its data report."""
    path = folder("studies", identity)
    record = study_record(identity)
    if path is None or record is None:
        raise DataError("This study is no longer there.", remedy="Load it again.")
    study = _read_study(path, record.roles, record.outcome_kind)
    return study, check_study(study)


def _read_study(path: Path, roles: dict[str, Any], outcome_kind: OutcomeKind | None) -> Study:
    covariates = path / "covariates.csv"
    return Study.from_csv(
        path / "long.csv",
        person=roles["person"],
        outcome=roles["outcome"],
        time=roles["time"],
        sequence=roles["sequence"],
        features=list(roles["features"]),
        exclude=list(roles["exclude"]),
        covariates=covariates if covariates.is_file() else None,
        outcome_kind=outcome_kind,
    )


def _write_tables(path: Path, draft: Draft, roles: ChosenRoles) -> None:
    """The long table byte by byte as it came, and one covariate table of the chosen columns."""
    (path / "long.csv").write_bytes(draft.long_bytes)
    if not roles.covariates:
        return
    long = _read(path, "long.csv", draft.long_bytes, text=[roles.person])
    own = [c for c in roles.covariates if draft.covariates is None or c not in draft.covariates]
    table = long.groupby(roles.person, sort=False)[own].first()
    table = table.rename_axis(roles.person).reset_index()
    if draft.covariates is not None and draft.covariate_bytes is not None:
        second = _read(path, "covariates.csv", draft.covariate_bytes, text=[roles.person])
        if roles.person not in second.columns:
            raise DataError(
                f"The covariate table has no column {roles.person!r}.",
                remedy="Name the person column as in the long table.",
                column=roles.person,
            )
        chosen = [c for c in roles.covariates if c in second.columns]
        second = second[[roles.person, *chosen]]
        table = second.merge(table, on=roles.person, how="left") if own else second
    table.to_csv(path / "covariates.csv", index=False)


def _read(
    directory: Path, name: str, content: bytes, text: list[str] | None = None
) -> pd.DataFrame:
    """Parse bytes with nme_core's reader, under the name that messages should carry."""
    path = directory / Path(name).name
    path.write_bytes(content)
    return read_table(path, text=text or ()).reset_index(drop=True)
