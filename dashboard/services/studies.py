"""Studies on disk: keep one, open it, change how it is read. The face of drafts and records."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from dashboard.services.caching import shared
from dashboard.services.codebooks import (
    codebook,
    codebook_file,
    keep_codebook,
    outcome_words,
)
from dashboard.services.drafts import (
    ChosenRoles,
    Draft,
    covariate_columns,
    draft_sample,
    draft_upload,
)
from dashboard.services.keeping import keep_study, neutral_name
from dashboard.services.records import (
    CODEBOOK,
    StudyRecord,
    found_study,
    list_studies,
    read_study,
    recipe_file,
    require_whole,
    study_record,
    write_record,
)
from nme_core.io import manifest
from nme_core.simulate import SAMPLES
from nme_core.study import Recipe, Report, Study, check_study
from nme_core.study.check.report import Compliance
from nme_core.study.clean.missing import MISSING, fill_features, missing_grid
from nme_core.study.time.gaps import NEVER, gap_limit
from nme_core.vocabulary.language import tr

__all__ = [
    "CODEBOOK",
    "MISSING",
    "ChosenRoles",
    "Compliance",
    "Draft",
    "Recipe",
    "Report",
    "Study",
    "StudyRecord",
    "change_study",
    "codebook",
    "codebook_file",
    "covariate_columns",
    "default_name",
    "draft_sample",
    "draft_upload",
    "keep_codebook",
    "keep_study",
    "list_studies",
    "missing_over_time",
    "missing_words",
    "open_sample",
    "open_study",
    "outcome_words",
    "recipe_file",
    "require_whole",
    "sample_names",
    "study_record",
]  # fmt: skip


def sample_names() -> tuple[str, ...]:
    """Names of the sample studies."""
    return tuple(SAMPLES)


def open_sample(name: str) -> str:
    """The study made of a sample, kept now where it is not yet; its id."""
    for record in list_studies():
        if record.source == "sample" and record.name == name:
            return record.id
    draft = draft_sample(name)
    guess = draft.guess
    assert guess.person is not None
    assert guess.outcome is not None
    features, covariates = tuple(guess.features), tuple(guess.covariates)
    roles = ChosenRoles(
        guess.person, guess.outcome, guess.time, guess.sequence, features, covariates
    )
    return keep_study(draft, roles)


def default_name(draft: Draft, roles: ChosenRoles | None) -> str:
    """What a draft is called where nobody names it."""
    people = None if roles is None else draft.long[roles.person].nunique()
    return draft.name or neutral_name(people)


def change_study(identity: str, **changes: Any) -> None:
    """Write other values into a study's record: remedies, planned, missing or max_gap.

    OptionError where a gap is none that the times can have.
    """
    path, record = found_study(identity)
    if "max_gap" in changes:
        study, _ = open_study(identity)
        asked = changes["max_gap"]
        limit = gap_limit(asked, study.time, study.groups, record.recipe.time_unit)
        changes["max_gap"] = limit if limit is not None or asked is None else NEVER
    if "remedies" in changes:
        changes["remedies"] = tuple(changes["remedies"])
    of_recipe = {"remedies", "missing", "max_gap"} & {*changes}
    made = {name: changes.pop(name) for name in of_recipe}
    write_record(path, replace(record, **changes, recipe=replace(record.recipe, **made)))


def open_study(identity: str) -> tuple[Study, Report]:
    """A kept study, mended by its remedies, and its data report; DataError where they break it."""
    _, record = found_study(identity)
    return _open_study(identity, record.recipe, record.planned)


def missing_over_time(identity: str, by: Literal["person", "column"]) -> tuple[pd.DataFrame, str]:
    """Share of missing cells by person or column and step of time; and what the steps are."""
    study, _ = open_study(identity)
    record = found_study(identity)[1]
    if study.time is None:
        return missing_grid(study, by), tr("rows before this one")
    days = record.counts_days or is_datetime64_any_dtype(study.time.dtype)
    unit = tr("days") if days else str(study.roles.time)
    since = tr("{unit} since the person's first row").format(unit=unit)
    return missing_grid(study, by), since


def missing_words(identity: str) -> tuple[str, ...]:
    """In words, what the choice about missing features does, with counts; empty without any."""
    study, _ = open_study(identity)
    record = found_study(identity)[1]
    notes = fill_features(study, record.missing).notes[len(study.notes) :]
    return tuple(re.sub(r" \(--missing [^)]*\)", "", note) for note in notes)


@shared(8)
def _open_study(identity: str, recipe: Recipe, planned: int | None) -> tuple[Study, Report]:
    path, _ = found_study(identity)
    manifest.require_all(path)
    study = read_study(path, recipe)
    return study, check_study(study, planned=planned)
