"""Studies on disk: check a draft, keep it without what names persons, open and mend it again."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
    recipe_of_roles,
)
from dashboard.services.home import folder, home, new_id, utc_text, write_json
from dashboard.services.roles import OutcomeKind
from nme_core.exceptions import DataError, NMEError
from nme_core.io import durable, manifest
from nme_core.io.spreadsheet import as_text
from nme_core.simulate import SAMPLES
from nme_core.study import Recipe, Remedy, Report, Study, check_study, read_table
from nme_core.study.clean.missing import MISSING, fill_features, missing_grid
from nme_core.study.clean.personal import holds_a_name
from nme_core.study.clean.privacy import Privacy, deidentify, with_codes
from nme_core.study.clean.remedies import as_records, as_remedies, settled_first
from nme_core.study.codebook import check_codebook, make_codebook
from nme_core.study.formats.result import Labels
from nme_core.study.formats.source import fingerprint
from nme_core.study.loading import read_tables
from nme_core.study.recipe import Kept, columns_in_days
from nme_core.study.time.gaps import DAYS, NEVER, gap_limit
from nme_core.study.time.time_remedies import settle_times

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
    "require_whole",
    "sample_names",
    "study_record",
]  # fmt: skip

#: What is stored of a remedy that names people, where codes took the place of their ids.
_WITHOUT_NAMES = "Remedy: {kind} of people, before their ids became codes."

#: What a study is called whose file is named after a person.
NAMELESS = "Study"

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
        Changes that are made whenever the study is read; those of `settled_first` are made before
        the tables are stored.
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
    asked = recipe_of_roles(roles, remedies)
    whole, _, _ = asked.apply(draft.long, draft.covariates)
    remedies = (*remedies, *settle_times(whole, asked))
    long, covariates = chosen_tables(draft, roles, remedies)
    recipe = recipe_of_roles(roles, remedies)
    Study.of(recipe, long, covariates)
    privacy = Privacy() if privacy is None else privacy
    settled, remedies = settled_first(remedies, roles.person, codes=privacy.codes)
    read: list[str] = []
    for one in settled:
        long, covariates, said = replace(recipe, remedies=(one,)).apply(long, covariates)
        names_people = privacy.codes and roles.person in one.columns
        read += [_WITHOUT_NAMES.format(kind=one.kind)] if names_people else said
    kept = deidentify(
        long,
        covariates,
        privacy,
        person=roles.person,
        time=roles.time,
        sequence=roles.sequence,
        groups=[] if roles.group is None else [roles.group],
    )
    tables = {"long.csv": kept.long, "covariates.csv": kept.covariates}
    files = {
        file: table.to_csv(index=False, lineterminator="\n").encode()
        for file, table in tables.items()
        if table is not None
    }
    named = [] if kept.covariates is None else list(map(str, kept.covariates.columns))
    recipe = replace(
        recipe,
        covariates=tuple(name for name in named if name != roles.person),
        remedies=with_codes(remedies, kept.key),
        reading=draft.reading,
        second=draft.second,
        kept=Kept(
            (*draft.before, *_without_people(settled, roles.person, privacy)),
            privacy,
            columns_in_days((long, covariates), (kept.long, kept.covariates)),
            (*draft.reshaped, *read, *kept.notes),
            hashlib.sha256(files["long.csv"]).hexdigest(),
        ),
    )
    labels = draft.labels.of_columns({*roles.columns, *roles.covariates})
    files[LABELS] = json.dumps(labels.as_dict(), ensure_ascii=False).encode()
    with durable.scratch() as temporary:
        _write(temporary, files)
        study = _read_study(temporary, recipe)
    identity, path = new_id("studies")
    record = StudyRecord(
        id=identity,
        name=_unused(_without_ids(" ".join(name.split()) or draft.name, kept.key)),
        created=utc_text(),
        source=draft.source,
        model=draft.model,
        recipe=replace(recipe, outcome_kind=study.outcome_kind, max_gap=study.max_gap),
        left_out=[
            str(name)
            for name in draft.long.columns
            if name not in {*roles.columns, *roles.covariates}
        ],
    )
    book = make_codebook(
        kept.long,
        kept.covariates,
        _role_of(record.roles),
        draft.labels,
        states=study.outcome_kind == "class",
    )
    files[CODEBOOK] = book.to_csv(index=False, lineterminator="\n").encode()
    with durable.folder_beside(path) as new:
        _write(new, files)
        manifest.write(new, {*files} - {CODEBOOK})  # which can be edited
        _write_record(new, record)
    if kept.key is not None and take_key is not None:
        take_key(identity, kept.key.to_csv(index=False).encode())
    return identity


def _without_ids(name: str, key: pd.DataFrame | None) -> str:
    """The name of a study, unless an id that became a code, or a person's name, stands in it."""
    if key is None:
        return name
    words = set(re.findall(r"[^\W_]+", name.lower()))
    ids = [set(re.findall(r"[^\W_]+", one.lower())) for one in key["person"]]
    telling = {word for one in ids for word in one if len(word) > 2}
    return NAMELESS if words & telling or holds_a_name(name) else name


def _without_people(settled: Sequence[Remedy], person: str, privacy: Privacy) -> tuple[Remedy, ...]:
    """Remedies without those that name people, where codes took the place of their ids."""
    return tuple(one for one in settled if not (privacy.codes and person in one.columns))


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
    _write(path, {CODEBOOK: checked.to_csv(index=False, lineterminator="\n").encode()})


def codebook_file(identity: str) -> bytes:
    """The codebook as a CSV file for a spreadsheet: no cell of it is read as a formula."""
    return as_text(codebook(identity)).encode("utf-8-sig")


def change_study(identity: str, **changes: Any) -> None:
    """Write other values into a study's record: remedies, planned, missing or max_gap.

    OptionError where a gap is none that the times can have.
    """
    path, record = _found(identity)
    if "max_gap" in changes:
        study, _ = open_study(identity)
        asked = changes["max_gap"]
        limit = gap_limit(asked, study.time, study.groups, record.recipe.time_unit)
        changes["max_gap"] = limit if limit is not None or asked is None else NEVER
    if "remedies" in changes:
        changes["remedies"] = tuple(changes["remedies"])
    of_recipe = {"remedies", "missing", "max_gap"} & {*changes}
    made = {name: changes.pop(name) for name in of_recipe}
    _write_record(path, replace(record, **changes, recipe=replace(record.recipe, **made)))


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
    path, _ = _found(identity)
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


def open_study(identity: str) -> tuple[Study, Report]:
    """A kept study, mended by its remedies, and its data report; DataError where they break it."""
    _, record = _found(identity)
    return _open_study(identity, record.recipe, record.planned)


def missing_over_time(identity: str, by: Literal["person", "column"]) -> tuple[pd.DataFrame, str]:
    """Share of missing cells by person or column and step of time; and what the steps are."""
    study, _ = open_study(identity)
    record = _found(identity)[1]
    if study.time is None:
        return missing_grid(study, by), "rows before this one"
    days = record.counts_days or is_datetime64_any_dtype(study.time.dtype)
    unit = "days" if days else str(study.roles.time)
    return missing_grid(study, by), f"{unit} since the person's first row"


def recipe_file(path: Path, record: StudyRecord) -> Path:
    """The file with a study's recipe, as ``nme fit`` takes it; another recipe has another one."""
    content = record.recipe.to_json()
    text = json.dumps(content, sort_keys=True)
    file = path / f"recipe-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    if not file.is_file():
        write_json(file, content)
    return file


def missing_words(identity: str) -> tuple[str, ...]:
    """In words, what the choice about missing features does, with counts; empty without any."""
    study, _ = open_study(identity)
    record = _found(identity)[1]
    notes = fill_features(study, record.missing).notes[len(study.notes) :]
    return tuple(re.sub(r" \(--missing [^)]*\)", "", note) for note in notes)


@per_session(4)
def _open_study(identity: str, recipe: Recipe, planned: int | None) -> tuple[Study, Report]:
    path, _ = _found(identity)
    manifest.require_all(path)
    study = _read_study(path, recipe)
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


def _read_study(path: Path, recipe: Recipe) -> Study:
    """The study in a folder, missing features still missing."""
    covariates = path / "covariates.csv"
    second = covariates if covariates.is_file() else None
    study = read_tables(recipe, path / "long.csv", second).study(recipe)
    words = path / LABELS
    if not words.is_file():
        return study
    return replace(study, labels=Labels.of_dict(json.loads(words.read_text(encoding="utf-8"))))


def _write(path: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        durable.write(path / name, content)


def _write_record(path: Path, record: StudyRecord) -> None:
    """Write ``study.json`` in one step."""
    content = {name: value for name, value in vars(record).items() if name != "id"}
    write_json(path / "study.json", {**content, "recipe": record.recipe.to_json()})
