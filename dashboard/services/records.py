"""What is known of a study on disk: its record, its recipe and its files."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dashboard.services.home import folder, home, write_json
from dashboard.services.roles import OutcomeKind
from nme_core.exceptions import DataError, NMEError
from nme_core.io import durable, manifest
from nme_core.study import Recipe, Remedy, Study
from nme_core.study.clean.privacy import Privacy
from nme_core.study.clean.remedy_files import as_records, as_remedies
from nme_core.study.formats.result import Labels
from nme_core.study.formats.source import fingerprint
from nme_core.study.loading import read_tables
from nme_core.study.recipe_json import Kept
from nme_core.study.time.gaps import DAYS

#: File of a study that says what its columns are.
CODEBOOK = "codebook.csv"

#: Words that came with the columns of a study's file.
LABELS = "labels.json"


@dataclass(frozen=True)
class StudyRecord:
    """One study on disk: what ``study.json`` says.

    Attributes
    ----------
    recipe : Recipe
        How it was made; the stored tables are never changed by its remedies.
    left_out : list of str
        Columns of the long table that were not stored, because they have no role.
    planned : int or None
        Occasions planned for each person.
    """

    id: str
    name: str
    created: str
    source: str
    model: str | None
    recipe: Recipe
    left_out: list[str] = field(default_factory=list)
    planned: int | None = None

    @property
    def outcome_kind(self) -> OutcomeKind | None:
        """Whether the outcome is a number or a class."""
        return self.recipe.outcome_kind

    @property
    def roles(self) -> dict[str, Any]:
        """Columns by role."""
        made = self.recipe
        return {
            **{name: getattr(made, name) for name in ("person", "outcome", "time", "sequence")},
            "group": next(iter(made.groups), None),
            "features": list(made.features or ()),
            "covariates": list(made.covariates or ()),
        }

    @property
    def privacy(self) -> tuple[str, ...]:
        """In words, what was done to the tables before they were stored."""
        return () if self.recipe.kept is None else self.recipe.kept.notes

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """The changes that can be undone."""
        return self.recipe.remedies

    @property
    def changes(self) -> list[dict[str, Any]]:
        """All changes, those included that were made before the tables were stored."""
        return as_records(self.recipe.steps)

    @property
    def missing(self) -> str:
        """What is done about missing features."""
        return self.recipe.missing

    @property
    def max_gap(self) -> str | None:
        """Longest gap in time within a sequence, as `Study.from_frame` takes it."""
        return self.recipe.max_gap

    @property
    def counts_days(self) -> bool:
        """Whether the dates of its time column became days."""
        return self.recipe.time_unit == DAYS


def study_record(identity: str) -> StudyRecord | None:
    """What is known of a study; None where there is none, DataError where it is damaged."""
    path = folder("studies", identity)
    if path is None or not (path / "study.json").is_file():
        return None
    try:
        content = json.loads((path / "study.json").read_text(encoding="utf-8"))
        made = content.pop("recipe", None)
        if made is None:
            return _earlier_record(identity, content, path)
        return StudyRecord(id=identity, **content, recipe=Recipe.from_json(made))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, NMEError) as error:
        raise DataError(
            f"The study {identity} is damaged: study.json cannot be read.",
            remedy="Delete it on the page Runs, and load the study again.",
        ) from error


def require_whole(identity: str) -> None:
    """Raise NMEError where a study is gone, or a table of it is cut, changed or missing."""
    path, _ = found_study(identity)
    manifest.require_all(path)


def _earlier_record(identity: str, content: dict[str, Any], path: Path) -> StudyRecord:
    """The record of a study that an earlier version stored, without a recipe."""
    roles, said = content.pop("roles"), content.pop("privacy", [])
    time, coded = roles["time"], any("random codes" in note for note in said)
    in_days = any(note.startswith(f"Dates in {time!r}") for note in said)
    recipe = Recipe(
        roles["person"],
        roles["outcome"],
        time,
        roles["sequence"],
        (roles["group"],) if roles.get("group") else (),
        features=tuple(roles["features"]),
        exclude=tuple(roles["exclude"]),
        covariates=tuple(roles["covariates"]),
        outcome_kind=content.pop("outcome_kind"),
        remedies=as_remedies(content.pop("changes", [])),
        max_gap=content.pop("max_gap", None),
        missing=content.pop("missing", "indicator"),
        kept=Kept(
            privacy=Privacy(codes=coded, dates=in_days, ages=True),
            days=(time,) if in_days else (),
            notes=tuple(said),
            sha256=fingerprint(path / "long.csv"),
        ),
    )
    return StudyRecord(id=identity, **content, recipe=recipe)


def list_studies() -> list[StudyRecord]:
    """Every study on this computer, newest first."""
    parent = home() / "studies"
    found = sorted((p.name for p in parent.iterdir()), reverse=True) if parent.is_dir() else []
    records = []
    for name in found:
        with suppress(DataError):  # `library.damaged` has those
            records.append(study_record(name))
    return [record for record in records if record is not None]


def recipe_file(path: Path, record: StudyRecord) -> Path:
    """The file with a study's recipe, as ``nme fit`` takes it; another recipe has another one."""
    content = record.recipe.to_json()
    text = json.dumps(content, sort_keys=True)
    file = path / f"recipe-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    if not file.is_file():
        write_json(file, content)
    return file


def role_of(roles: dict[str, Any]) -> dict[str, str]:
    """Role of each column of a study."""
    single = {
        roles[role]: role
        for role in ("person", "group", "time", "sequence", "outcome")
        if roles.get(role)
    }
    features = dict.fromkeys(roles["features"], "feature")
    return {**dict.fromkeys(roles["covariates"], "covariate"), **features, **single}


def found_study(identity: str) -> tuple[Path, StudyRecord]:
    """Folder and record of a study; DataError where it is gone."""
    path, record = folder("studies", identity), study_record(identity)
    if path is None or record is None:
        raise DataError("This study is no longer there.", remedy="Load it again.")
    return path, record


def tables_of(study: str) -> dict[str, str | None]:
    """The tables of a study, as a job is told them: ``long`` and ``covariates``.

    Raises
    ------
    DataError
        The study is no longer there.
    """
    path = folder("studies", study)
    if path is None:
        raise DataError(
            "The study of this run is no longer there.", remedy="Load it and train again."
        )
    second = path / "covariates.csv"
    return {
        "long": str(path / "long.csv"),
        "covariates": str(second) if second.is_file() else None,
    }


def read_study(path: Path, recipe: Recipe) -> Study:
    """The study in a folder, missing features still missing."""
    covariates = path / "covariates.csv"
    second = covariates if covariates.is_file() else None
    study = read_tables(recipe, path / "long.csv", second).study(recipe)
    words = path / LABELS
    if not words.is_file():
        return study
    return replace(study, labels=Labels.of_dict(json.loads(words.read_text(encoding="utf-8"))))


def write_files(path: Path, files: dict[str, bytes]) -> None:
    """Write files by name into a folder."""
    for name, content in files.items():
        durable.write(path / name, content)


def write_record(path: Path, record: StudyRecord) -> None:
    """Write ``study.json`` in one step."""
    content = {name: value for name, value in vars(record).items() if name != "id"}
    write_json(path / "study.json", {**content, "recipe": record.recipe.to_json()})
