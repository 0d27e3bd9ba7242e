"""Drafts become studies: checked, and kept without what names people."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from dashboard.services.drafts import ChosenRoles, Draft, chosen_tables, recipe_of_roles
from dashboard.services.home import new_id, now, utc_text
from dashboard.services.records import (
    CODEBOOK,
    LABELS,
    StudyRecord,
    list_studies,
    read_study,
    role_of,
    write_files,
    write_record,
)
from nme_core.exceptions import DataError
from nme_core.io import durable, manifest
from nme_core.study import Recipe, Remedy, Study
from nme_core.study.clean.people import respelling_notes
from nme_core.study.clean.personal import holds_a_name
from nme_core.study.clean.privacy import Deidentified, Privacy, deidentify, with_codes
from nme_core.study.clean.remedies import settled_first
from nme_core.study.codebook import make_codebook
from nme_core.study.recipe import columns_in_days
from nme_core.study.recipe_json import Kept
from nme_core.study.time.time_remedies import settle_times
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.text import count

#: What is stored of a remedy that names people, where codes took the place of their ids.
_WITHOUT_NAMES = (
    "Remedy: before ids became codes, some {what}; {before} different ids became {after}."
)
_TO_PEOPLE = {
    "write_alike": "were written alike",
    "keep_apart": "that look alike were kept apart",
    "join_columns": "were joined with another column",
    "exclude_persons": "were left out",
}

#: What a study is called whose file is named after a person.
NAMELESS = "Study"


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
        Without a name, a sample study has its own; others are named by `neutral_name`. A number
        keeps it apart from another study of the same name.
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
    _refuse_commas(roles)
    asked = recipe_of_roles(roles, remedies)
    whole, _, _ = asked.apply(draft.long, draft.covariates)
    remedies = (*remedies, *settle_times(whole, asked))
    tables = chosen_tables(draft, roles, remedies)
    recipe = recipe_of_roles(roles, remedies)
    study = Study.of(recipe, *tables)
    privacy = Privacy() if privacy is None else privacy
    kept, recipe = _deidentified(draft, roles, tables, recipe, privacy)
    given = " ".join(name.split()) or draft.name
    given = _without_ids(given, kept.key) if given else neutral_name(study.n_persons)
    return _store(draft, roles, kept, recipe, _unused(given), take_key)


def neutral_name(n_people: int | None = None) -> str:
    """What a study is called that nobody named: by the day and its people, never by its file."""
    name = tr("Study of {today.day} {today:%b}").format(today=now().astimezone())
    return f"{name}, {count(n_people, 'person')}" if n_people else name


def _refuse_commas(roles: ChosenRoles) -> None:
    for column in roles.features:
        if "," in column:
            raise DataError(
                f"The name of column {column!r} contains a comma.",
                remedy="Rename the column in the file.",
                column=column,
            )


def _deidentified(
    draft: Draft,
    roles: ChosenRoles,
    tables: tuple[pd.DataFrame, pd.DataFrame | None],
    recipe: Recipe,
    privacy: Privacy,
) -> tuple[Deidentified, Recipe]:
    """The tables as they are stored, and how they came to be that."""
    settled, rest = settled_first(recipe.remedies, roles.person, codes=privacy.codes)
    long, covariates, said = _settle(tables, recipe, settled, privacy)
    if privacy.codes:
        said += respelling_notes(long[roles.person], names=False)
    kept = deidentify(
        long,
        covariates,
        privacy,
        person=roles.person,
        time=roles.time,
        sequence=roles.sequence,
        groups=[] if roles.group is None else [roles.group],
    )
    named = [] if kept.covariates is None else list(map(str, kept.covariates.columns))
    public = tuple(one for one in settled if not (privacy.codes and roles.person in one.columns))
    return kept, replace(
        recipe,
        covariates=tuple(name for name in named if name != roles.person),
        remedies=with_codes(rest, kept.key),
        reading=draft.reading,
        second=draft.second,
        kept=Kept(
            (*draft.before, *public),
            privacy,
            columns_in_days((long, covariates), (kept.long, kept.covariates)),
            (*draft.reshaped, *said, *kept.notes),
            hashlib.sha256(_as_csv(kept.long)).hexdigest(),
        ),
    )


def _settle(
    tables: tuple[pd.DataFrame, pd.DataFrame | None],
    recipe: Recipe,
    settled: Sequence[Remedy],
    privacy: Privacy,
) -> tuple[pd.DataFrame, pd.DataFrame | None, list[str]]:
    """The tables after remedies that cannot be undone, and what those did, naming nobody."""
    (long, covariates), said = tables, []
    for one in settled:
        before = long[recipe.person].nunique()
        long, covariates, notes = replace(recipe, remedies=(one,)).apply(long, covariates)
        if privacy.codes and recipe.person in one.columns:
            after = long[recipe.person].nunique()
            what = _TO_PEOPLE.get(one.kind, "were changed")
            said.append(_WITHOUT_NAMES.format(what=what, before=before, after=after))
        else:
            said += notes
    return long, covariates, said


def _store(
    draft: Draft,
    roles: ChosenRoles,
    kept: Deidentified,
    recipe: Recipe,
    name: str,
    take_key: Callable[[str, bytes], None] | None,
) -> str:
    """Write a study, once it is seen that its files can be read; its id."""
    tables = {"long.csv": kept.long, "covariates.csv": kept.covariates}
    files = {file: _as_csv(table) for file, table in tables.items() if table is not None}
    labels = draft.labels.of_columns({*roles.columns, *roles.covariates})
    files[LABELS] = json.dumps(labels.as_dict(), ensure_ascii=False).encode()
    with durable.scratch() as temporary:
        write_files(temporary, files)
        study = read_study(temporary, recipe)
    identity, path = new_id("studies")
    record = StudyRecord(
        id=identity,
        name=name,
        created=utc_text(),
        source=draft.source,
        model=draft.model,
        recipe=replace(recipe, outcome_kind=study.outcome_kind, max_gap=study.max_gap),
        left_out=[
            str(column)
            for column in draft.long.columns
            if column not in {*roles.columns, *roles.covariates}
        ],
    )
    of_columns, states = role_of(record.roles), study.outcome_kind == "class"
    book = make_codebook(kept.long, kept.covariates, of_columns, draft.labels, states=states)
    files[CODEBOOK] = _as_csv(book)
    with durable.folder_beside(path) as new:
        write_files(new, files)
        manifest.write(new, {*files} - {CODEBOOK})  # which can be edited
        write_record(new, record)
    if kept.key is not None and take_key is not None:
        take_key(identity, kept.key.to_csv(index=False).encode())
    return identity


def _as_csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


def _without_ids(name: str, key: pd.DataFrame | None) -> str:
    """The name of a study, unless an id that became a code, or a person's name, stands in it."""
    if key is None:
        return name
    words = set(re.findall(r"[^\W_]+", name.lower()))
    ids = [set(re.findall(r"[^\W_]+", one.lower())) for one in key["person"]]
    telling = {word for one in ids for word in one if len(word) > 2}
    return NAMELESS if words & telling or holds_a_name(name) else name


def _unused(name: str) -> str:
    """The name, with a number behind it where a study has it already."""
    taken = {record.name for record in list_studies()}
    return next(
        one for n in itertools.count(1) if (one := name if n == 1 else f"{name} ({n})") not in taken
    )
