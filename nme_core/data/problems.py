"""What keeps a table from being a study, all of it at once, with changes that would mend it.

`Study.from_frame` raises the first of these; a report wants all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.data.columns import (
    UndecidedDatesError,
    as_labels,
    as_time,
    is_number,
    label,
    place,
)
from nme_core.data.covariates import has_words_among_numbers, labelled
from nme_core.data.people import tells_apart
from nme_core.data.recipe import Recipe, recipe_of
from nme_core.data.remedies import Remedy, left_out_columns
from nme_core.data.report import Finding
from nme_core.data.selection import refuse_unusable
from nme_core.data.study import Study
from nme_core.data.wide import propose_wide
from nme_core.exceptions import DataError, MissingColumnError, NMEError

#: Words among numbers are taken as codes for "missing" where at most this share of the cells and
#: so many different words are no numbers.
WORDS_SHARE, MOST_WORDS = 0.5, 10


def find_problems(
    long: pd.DataFrame, *, covariates: pd.DataFrame | Sequence[str] | None = None, **roles: Any
) -> tuple[Finding, ...]:
    """Find everything that stops a table from being a study; empty where nothing does.

    Parameters
    ----------
    long, covariates, **roles
        As for `Study.from_frame`.

    Returns
    -------
    tuple of Finding
        All of severity ``"stop"``. Where there is nothing to name but `Study.from_frame` refuses
        the table all the same, its message is the only one.
    """
    table = covariates if isinstance(covariates, pd.DataFrame) else None
    recipe = recipe_of(**roles, covariates=None if table is not None else covariates)
    return problems_of(recipe, long, table)


def problems_of(
    recipe: Recipe, long: pd.DataFrame, covariates: pd.DataFrame | None, *, stored: bool = False
) -> tuple[Finding, ...]:
    """Find what stops tables from being the study that a recipe makes, as `find_problems` does."""
    person, outcome, time, sequence = recipe.person, recipe.outcome, recipe.time, recipe.sequence
    remedies, features = recipe.remedies, recipe.features or ()
    named = [person, outcome, time, sequence, *recipe.groups, *features]
    lacking = [name for name in named if name is not None and name not in long.columns]
    if len(lacking) > 1 and not remedies:
        errors = [MissingColumnError(name, map(str, long.columns)) for name in lacking]
        return (*_find_wide(long, remedies), *map(_as_finding, errors))
    try:
        table, second, _ = recipe.apply(long, covariates, stored=stored)
        refuse_unusable(table, person, outcome, time, sequence, recipe.groups)
    except NMEError as error:
        return (*_find_wide(long, remedies), _as_finding(error))
    found: list[Finding] = []
    gone = left_out_columns(remedies)
    chosen = [name for name in features if name in table.columns and name not in gone]
    found += _find_empty(table, person, "person")
    found += [] if time is None else _find_empty(table, time, "time")
    found += [] if sequence is None else _find_empty(table, sequence, "sequence")
    found += [] if time is None else _find_undecided(table[time])
    values, groups = [outcome, *chosen], recipe.groups
    found += _find_repeated(table, person, sequence, time, values=values, groups=groups)
    if second is not None:
        found += _find_covariate_words(second, remedies, person)
    for name in dict.fromkeys([outcome, *chosen]):
        kind = "outcome" if name == outcome else "feature"
        wants_number = kind == "feature" or recipe.outcome_kind != "class"
        found += _find_words(table, name, kind) if wants_number else []
        found += _find_infinite(table, name, kind)
    if found:
        return tuple(found)
    try:
        Study.of(recipe, long, covariates, stored=stored)
    except NMEError as error:
        return (_as_finding(error),)
    return ()


def _find_wide(long: pd.DataFrame, remedies: Sequence[Remedy]) -> Iterator[Finding]:
    proposal = None if remedies else propose_wide(long)
    if proposal is not None:
        person = "person" if proposal.person is None else proposal.person
        measures = " or ".join(repr(measure) for measure in [*proposal.measures][:3])
        yield Finding(
            "stop",
            proposal.sentence,
            remedy=f"Make it long; then the person is {person!r}, the time 'occasion', and the "
            f"outcome for example {measures}.",
            fixes=(Remedy("wide_to_long", proposal.columns),),
        )


def _as_finding(error: NMEError) -> Finding:
    column, fixes = getattr(error, "column", None), getattr(error, "fixes", ())
    return Finding("stop", error.message, column, error.remedy, fixes)


def _find_empty(table: pd.DataFrame, name: str, role: str) -> Iterator[Finding]:
    labels = as_labels(table[name])
    empty = np.flatnonzero(labels.isna() | (labels == ""))
    if not len(empty) or len(empty) == len(table):
        return
    yield Finding(
        "stop",
        f"{_rows(len(empty))} no {role} in column {name!r}; the first is "
        f"{place(table.index, int(empty[0]))}.",
        name,
        f"Fill in the {role}, or leave these rows out.",
        (Remedy("drop_empty", (name,)),),
    )


def _find_undecided(column: pd.Series) -> Iterator[Finding]:
    """Dates that may begin with the day or with the month."""
    if is_number(column) or is_datetime64_any_dtype(column.dtype):
        return
    try:
        as_time(column.dropna())
    except UndecidedDatesError as error:
        name = str(column.name)
        yield Finding(
            "stop",
            error.message,
            name,
            "Say what comes first.",
            tuple(Remedy("read_dates", (name,), to=order) for order in ("dmy", "mdy")),
        )
    except DataError:
        return  # `Study.from_frame` says which cell


def _find_repeated(
    table: pd.DataFrame,
    person: str,
    sequence: str | None,
    time: str | None,
    *,
    values: Collection[str],
    groups: Sequence[str],
) -> Iterator[Finding]:
    """Rows of one person and time; what tells them apart, so that no remedy costs a clinic."""
    if time is None:
        return
    keys = [name for name in (person, sequence, time) if name is not None]
    if len(set(keys)) < len(keys):
        return
    complete = table[keys].dropna()
    again = np.flatnonzero(complete.duplicated())
    if not len(again):
        return
    row = complete.iloc[int(again[0])]
    same = np.flatnonzero((complete == row).all(axis=1))[:5]
    persons = as_labels(complete[person].iloc[again]).nunique()
    alike = bool(table[table[keys].notna().all(axis=1)].duplicated().to_numpy()[again].all())
    twice = "row repeats" if len(again) == 1 else "rows repeat"
    what = " in every column" if alike else ""
    message = (
        f"{len(again)} {twice} another one of the same person and {time!r}{what}, in {persons} "
        f"{'person' if persons == 1 else 'persons'}; the first: person {label(row[person])!r} at "
        f"{label(row[time])} ({', '.join(place(complete.index, int(i)) for i in same)})."
    )
    between = [] if alike else tells_apart(table, keys, values, groups)
    if between:
        name = between[0]
        yield Finding(
            "stop",
            f"{message} All of them differ in {name!r}.",
            name,
            f"If ids are numbered anew in each {name!r}, tell people apart by both; if one person "
            f"has a row for each {name!r} (a rater, a device, a part of the day), name it as the "
            "sequence.",
            (Remedy("join_columns", (person, name)),),
        )
        return
    kept = "Keep the last of them" if alike else "Keep the last of them (the values of the others"
    kept += "" if alike else " are then left out)"
    yield Finding(
        "stop",
        message,
        time,
        f"{kept}, use a time column that is finer, or name the column that tells them apart (a "
        "session or a day) as the sequence.",
        (Remedy("drop_duplicates", tuple(keys)),),
    )


def _find_covariate_words(
    table: pd.DataFrame, remedies: Sequence[Remedy], person: str
) -> Iterator[Finding]:
    """Words in covariates that otherwise hold numbers."""
    for name in table.columns:
        if name == person or name in labelled(remedies):
            continue
        if has_words_among_numbers(table[name]):
            for found in _find_words(table, str(name), "covariate"):
                labels = Remedy("as_labels", (str(name),))
                hint = f"{found.remedy} Or take all of them as labels."
                yield replace(found, remedy=hint, fixes=(*found.fixes, labels))


def _find_words(table: pd.DataFrame, name: str, kind: str) -> Iterator[Finding]:
    """Find words in a column that otherwise holds numbers, and text where numbers are needed."""
    column = table[name]
    if is_number(column) or isinstance(column.dtype, pd.CategoricalDtype):
        return
    present = column.dropna()
    numbers = pd.to_numeric(present.astype("str"), errors="coerce")
    words = present[numbers.isna()]
    few = bool(len(words)) and (kind == "covariate" or len(words) <= WORDS_SHARE * len(present))
    if not few and kind != "feature":
        return  # words as outcome are states
    if is_datetime64_any_dtype(column.dtype) or not few:
        first = place(present.index, 0) if len(present) else "no row"
        value = str(present.iloc[0]) if len(present) else ""
        yield Finding(
            "stop",
            f"The feature {name!r} is not numeric: {first} holds {value[:40]!r}.",
            name,
            "Leave the column out, or write numbers.",
            (Remedy("exclude_columns", (name,)),),
        )
        return
    codes = tuple(sorted(set(as_labels(words))))
    rows = np.flatnonzero(column.index.isin(words.index))
    listed = ", ".join(repr(code[:40]) for code in codes[:5])
    listed += f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    cells = "1 cell" if len(words) == 1 else f"{len(words)} cells"
    yield Finding(
        "stop",
        f"The {kind} {name!r} holds numbers, but also {listed} (in {cells}; the first is "
        f"{place(column.index, int(rows[0]))}).",
        name,
        "Treat these cells as missing, or correct them in the file.",
        (Remedy("set_missing", (name,), codes),) if len(codes) <= MOST_WORDS else (),
    )


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
            f"The {kind} {name!r} is infinite ({len(infinite)} times); the first is "
            f"{place(column.index, int(infinite[0]))}.",
            name,
            "Treat these cells as missing, or correct them in the file.",
            (Remedy("set_missing", (name,), values),),
        )


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count} rows have"
