"""What keeps a table from being a study, all of it at once, with changes that would fix it.

`Study.from_frame` raises the first of these; a report wants all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nme_core.exceptions import DataError, MissingColumnError, NMEError
from nme_core.study.check.report import Finding, told_before
from nme_core.study.clean.given_once import find_given_once
from nme_core.study.clean.people import find_nobody
from nme_core.study.clean.remedies import Remedy, apply_remedies, left_out_columns, renamed_columns
from nme_core.study.clean.wide import propose_wide
from nme_core.study.clean.words import covariate_words, find_words, yes_no_remedies
from nme_core.study.columns import (
    as_ids,
    as_labels,
    is_number,
    is_text,
    label,
    place,
)
from nme_core.study.covariates import has_words_among_numbers, labelled
from nme_core.study.recipe import Recipe, recipe_of
from nme_core.study.selection import refuse_unusable
from nme_core.study.study import Study
from nme_core.study.time.time_numbers import NUMBER
from nme_core.study.time.times import UndecidedDatesError, as_time
from nme_core.vocabulary.language import tr

#: Share of the times that has to be read where rows with others may be left out.
_SLIPS = 0.8


def find_problems(
    long: pd.DataFrame,
    *,
    covariates: pd.DataFrame | Sequence[str] | None = None,
    effects: bool = True,
    **roles: Any,
) -> tuple[Finding, ...]:
    """Find everything that stops a table from being a study; empty where nothing does.

    Parameters
    ----------
    long, covariates, **roles
        As for `Study.from_frame`.
    effects : bool
        Whether to say what each fix would do.

    Returns
    -------
    tuple of Finding
        All of severity ``"stop"``. Where there is nothing to name but `Study.from_frame` refuses
        the table all the same, its message is the only one.
    """
    table = covariates if isinstance(covariates, pd.DataFrame) else None
    recipe = recipe_of(**roles, covariates=None if table is not None else covariates)
    return problems_of(recipe, long, table, effects=effects)


def problems_of(
    recipe: Recipe,
    long: pd.DataFrame,
    covariates: pd.DataFrame | None,
    *,
    stored: bool = False,
    effects: bool = True,
) -> tuple[Finding, ...]:
    """Find what stops tables from being the study that a recipe makes, as `find_problems` does."""
    person, outcome, time, sequence = recipe.person, recipe.outcome, recipe.time, recipe.sequence
    remedies, features = recipe.remedies, recipe.features or ()
    named = [person, outcome, time, sequence, *recipe.groups, *features]
    lacking = [name for name in named if name is not None and name not in long.columns]
    if len(lacking) > 1 and not remedies:
        errors = [MissingColumnError(name, map(str, long.columns)) for name in lacking]
        return (*_find_wide(long, remedies), *map(_as_finding, errors))
    table, second = long, covariates
    try:
        table, second, _ = recipe.apply(long, covariates, stored=stored)
        refuse_unusable(table, person, outcome, time, sequence, recipe.groups)
    except NMEError as error:
        why = told_before([_as_finding(error)], person, table, second)
        return (*_find_wide(long, remedies), *why)
    found: list[Finding] = []
    before = table
    gone = left_out_columns(remedies)
    chosen = renamed_columns(features, recipe.steps)
    chosen = [name for name in chosen if name in table.columns and name not in gone]
    yes_no = {one.columns[0] for one in yes_no_remedies(table, chosen)}
    headers = _repeated_header(table, [person, outcome, *([time] if time else ()), *chosen])
    if headers.any():
        found.append(_header_finding(table, person, headers))
        table = apply_remedies(table, found[0].fixes)[0]
    found += _find_empty(table, person, "person")
    for role, name in (
        ("time", time),
        ("sequence", sequence),
        *(("group", g) for g in recipe.groups),
    ):
        found += [] if name is None else _find_empty(table, name, role, person)
    numbers = {name for one in recipe.steps if one.to == NUMBER for name in one.columns}
    found += [] if time is None or time in numbers else _find_unread(table[time])
    if second is not None:
        found += _find_covariate_words(second, remedies, person)
    for name in dict.fromkeys([outcome, *(one for one in chosen if one not in yes_no)]):
        kind = "outcome" if name == outcome else "feature"
        wants_number = kind == "feature" or recipe.outcome_kind != "class"
        found += find_words(table[name], kind) if wants_number else []
        found += _find_infinite(table, name, kind)
    if found:
        found += find_nobody(person, as_ids(table[person].dropna(), role="person id").unique())
        return told_before(found, person, before, second) if effects else tuple(found)
    try:
        Study.of(recipe, long, covariates, stored=stored)
    except NMEError as error:
        one = (_as_finding(error),)
        return told_before(one, person, before, second) if effects else one
    return ()


def _find_wide(long: pd.DataFrame, remedies: Sequence[Remedy]) -> Iterator[Finding]:
    proposal = None if remedies else propose_wide(long)
    if proposal is not None:
        person = "person" if proposal.person is None else proposal.person
        measures = " or ".join(repr(measure) for measure in [*proposal.measures][:3])
        yield Finding(
            "stop",
            proposal.sentence,
            remedy=tr(
                "Make it long; then the person is {person!r}, the time 'occasion', "
                "and the outcome for example {measures}."
            ).format(person=person, measures=measures),
            fixes=(Remedy("wide_to_long", proposal.columns),),
        )


def _as_finding(error: NMEError) -> Finding:
    column, fixes = getattr(error, "column", None), getattr(error, "fixes", ())
    return Finding("stop", error.message, column, error.remedy, fixes)


def _find_empty(
    table: pd.DataFrame, name: str, role: str, person: str | None = None
) -> Iterator[Finding]:
    once = None if person is None else find_given_once(table, name, role, person)
    if once is not None:
        yield replace(once, fixes=(*once.fixes, Remedy("drop_empty", (name,))))
        return
    labels = as_labels(table[name])
    empty = np.flatnonzero(labels.isna() | (labels == ""))
    if not len(empty) or len(empty) == len(table):
        return
    yield Finding(
        "stop",
        tr("{rows} no {role} in column {name!r}; the first is {index}.").format(
            rows=_rows(len(empty)),
            role=tr(role),
            name=name,
            index=place(table.index, int(empty[0])),
        ),
        name,
        tr("Fill in the {role}, or leave these rows out.").format(role=tr(role)),
        (Remedy("drop_empty", (name,)),),
    )


def _repeated_header(table: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Rows that hold the names of the columns instead of values, in all that are text."""
    texts = [name for name in dict.fromkeys(names) if is_text(table[name])]
    if len(texts) < 2:
        return pd.Series(False, index=table.index)
    return pd.concat([as_labels(table[name]) == name.strip() for name in texts], axis=1).all(axis=1)


def _header_finding(table: pd.DataFrame, person: str, rows: pd.Series) -> Finding:
    first = place(table.index, int(rows.to_numpy().argmax()))
    more = tr(" and {sum} more").format(sum=int(rows.sum()) - 1) if rows.sum() > 1 else ""
    return Finding(
        "stop",
        tr("A row repeats the header: {first}{more}.").format(first=first, more=more),
        person,
        tr("Leave it out; files that were joined by hand have such rows."),
        (Remedy("drop_rows", (person,), (person.strip(),)),),
    )


def _find_unread(column: pd.Series) -> Iterator[Finding]:
    """Dates that may begin with the day or with the month, and cells that are no times."""
    name, present = str(column.name), column.dropna()
    if present.empty or not (is_text(column) or is_number(column)):
        return
    try:
        as_time(present)
    except UndecidedDatesError as error:
        yield Finding(
            "stop",
            error.message,
            name,
            tr("Say what comes first."),
            tuple(Remedy("read_dates", (name,), to=order) for order in ("dmy", "mdy")),
        )
    except DataError as error:
        cells = as_labels(present[present.index == error.row])
        fixes = [Remedy("drop_rows", (name,), (cell,)) for cell in cells[:1] if _is_slip(present)]
        if is_number(column):
            fixes.append(Remedy("read_dates", (name,), to=NUMBER))
        yield Finding("stop", error.message, name, error.remedy, tuple(fixes))


def _is_slip(times: pd.Series) -> bool:
    """Whether a column holds times but for a few cells."""
    left = times
    while len(left) > _SLIPS * len(times):
        try:
            as_time(left)
        except UndecidedDatesError:
            return True
        except DataError as error:
            bad = as_labels(left) == label(left[left.index == error.row].iloc[0])
            if error.row is None or not bad.any():
                return False
            left = left[~bad]
        else:
            return True
    return False


def _find_covariate_words(
    table: pd.DataFrame, remedies: Sequence[Remedy], person: str
) -> Iterator[Finding]:
    """Words in covariates that otherwise hold numbers."""
    for name in table.columns:
        if name == person or name in labelled(remedies):
            continue
        if has_words_among_numbers(table[name]):
            yield from covariate_words(table[name])


def _find_infinite(table: pd.DataFrame, name: str, kind: str) -> Iterator[Finding]:
    column = table[name]
    if not is_number(column):
        return
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        values = tuple(sorted({label(value) for value in numbers[infinite]}))
        yield Finding(
            "stop",
            tr("The {kind} {name!r} is infinite ({infinite} times); the first is {index}.").format(
                kind=tr(kind),
                name=name,
                infinite=len(infinite),
                index=place(column.index, int(infinite[0])),
            ),
            name,
            tr("Treat these cells as missing, or correct them in the file."),
            (Remedy("set_missing", (name,), values),),
        )


def _rows(count: int) -> str:
    return tr("1 row has") if count == 1 else tr("{count} rows have").format(count=count)
