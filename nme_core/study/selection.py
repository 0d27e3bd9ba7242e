"""Which columns of a long table are features, which are covariates, and which are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import DataError, MissingColumnError
from nme_core.study.clean.given_once import find_given_once
from nme_core.study.clean.personal import find_personal
from nme_core.study.column_types import is_numbers
from nme_core.study.columns import as_numbers, first_word, is_number, place

#: Rows that soon tell whether a column varies within persons.
_FIRST = 10_000


@dataclass(frozen=True)
class Columns:
    """Names of the features and of the covariates that stand in the long table, and notes."""

    features: tuple[str, ...]
    covariates: tuple[str, ...]
    notes: tuple[str, ...]


def refuse_unusable(
    long: pd.DataFrame,
    person: str,
    outcome: str,
    time: str | None,
    sequence: str | None,
    group: Sequence[str] = (),
) -> None:
    """Raise DataError where the table lacks a role's column or cannot hold repeated observations.

    Raises
    ------
    MissingColumnError
        A role's column does not exist.
    DataError
        A column name occurs twice, one column has two roles, the table is empty, there is one
        person only, or no person has more than one row.
    """
    if not long.columns.is_unique:
        twice = str(long.columns[long.columns.duplicated()][0])
        raise DataError(
            f"The table has the column {twice!r} more than once.",
            remedy="Give every column a name of its own.",
            column=twice,
        )
    roles: list[tuple[str, str | None]] = [("person", person), ("outcome", outcome)]
    roles += [("time", time), ("sequence", sequence), *(("group", name) for name in group)]
    taken: dict[str, str] = {}
    for role, name in roles:
        if name is None:
            continue
        require(long, name)
        if name in taken:
            raise DataError(
                f"The column {name!r} cannot be both {taken[name]} and {role}.",
                remedy="Name two different columns.",
                column=name,
            )
        taken[name] = role
    if long.empty:
        raise DataError("The table has no rows.", remedy="Give one row per person and occasion.")
    rows_per_person = long[person].value_counts()
    if len(rows_per_person) == 1:
        raise DataError(
            f"The column {person!r} names one person only, {rows_per_person.index[0]!r}.",
            remedy="A mixed-effects model needs several people: put their tables below each other, "
            "with a column that says who each row belongs to; or name another column as the "
            "person.",
            column=person,
            person=str(rows_per_person.index[0]),
        )
    if len(rows_per_person) and rows_per_person.max() == 1:
        if (once := find_given_once(long, person, "person")) is not None:
            raise DataError(once.message, remedy=once.remedy, column=person, fixes=once.fixes)
        raise DataError(
            f"Every person in the column {person!r} has a single row.",
            remedy="Give the long table, with one row per person and occasion; is this the "
            "person column?",
            column=person,
        )


def require(table: pd.DataFrame, name: str) -> None:
    """Raise MissingColumnError where the table has no such column."""
    if name not in table.columns:
        raise MissingColumnError(name, map(str, table.columns))


def choose_columns(
    long: pd.DataFrame,
    groups: pd.Series,
    *,
    roles: Sequence[str],
    time: str | None = None,
    features: Iterable[str] | None,
    exclude: Iterable[str],
    covariates: Sequence[str] | None,
    table_covariates: Sequence[str],
) -> Columns:
    """Sort the columns without a role into features, covariates, and those left out.

    Parameters
    ----------
    long : DataFrame
        The long table.
    groups : Series
        Person of each row.
    roles : sequence of str
        Columns that are person, outcome, time, sequence or a further group.
    time : str, optional
        The column among them that may be a feature, too: rows are ordered by it, and a trend over
        it is learned.
    features : iterable of str or None
        None: numeric columns that vary within persons; where there are none, the time.
    exclude : iterable of str
        Columns not to use.
    covariates : sequence of str or None
        None: numeric columns that are constant within person.
    table_covariates : sequence of str
        Covariates that a table of their own already gives.

    Raises
    ------
    MissingColumnError
        A named column does not exist.
    DataError
        A column has two roles, or no feature is left.
    """
    excluded = list(exclude)
    named = None if features is None else list(dict.fromkeys(features))
    listed = [] if covariates is None else list(dict.fromkeys(covariates))
    for name in [*(named or []), *excluded, *listed]:
        require(long, name)
    for name in [*(named or []), *listed]:
        trend = name == time and name not in listed
        if (name in roles and not trend) or (name in listed and name in (named or [])):
            raise DataError(
                f"The column {name!r} cannot have two roles.",
                remedy="Use it either as a feature, as a covariate or as another role.",
                column=name,
            )
    if named is not None:
        named = [name for name in named if name not in excluded]
        for name in named:
            if long[name].isna().all():
                raise DataError(
                    f"The feature {name!r} is empty.", remedy="Leave it out.", column=name
                )
    listed = [name for name in listed if name not in excluded]
    taken = {*roles, *excluded, *(named or []), *listed}
    rest = _without(long.columns, taken)
    personal = _personal(long, rest)
    rest = _without(rest, personal)
    numeric = [name for name in rest if is_number(long[name])]
    text = _without(rest, numeric)
    empty = [name for name in numeric if long[name].isna().all()]
    filled = _without(numeric, empty)
    persons, levels = pd.factorize(groups)
    infinite = [] if named is None else [name for name in filled if _has_infinite(long[name])]
    filled = _without(filled, infinite)
    steady = [name for name in filled if _is_constant(long[name], persons, len(levels))]
    moving = _without(filled, steady)

    chosen = moving if named is None else named
    notes = _notes(long, text, empty)
    notes += [f"Left out because it holds {kind}: {name!r}." for name, kind in personal.items()]
    if infinite:
        notes.append(f"Left out because infinite in some rows: {_names(infinite)}.")
    found: list[str] = []
    own = _without(steady, table_covariates)
    repeated = _without(steady, own)
    flat = [name for name in own if long[name].nunique() < 2]
    candidates = _without(own, flat)
    if repeated:
        notes.append(f"Taken from the covariate table instead: {_names(repeated)}.")
    if flat:
        notes.append(f"Left out, the same everywhere: {_names(flat)}.")
    if candidates and covariates is None:
        found = candidates
        notes.append(f"Covariates because constant within every person: {_names(found)}.")
    elif candidates:
        notes.append(f"Left out, constant within every person: {_names(candidates)}.")
    if named is not None and moving:
        notes.append(f"Not named as features, left out: {_names(moving)}.")
    if not chosen and time is not None and not excluded and is_number(long[time]):
        chosen = [time]
        notes.append(f"The only feature is the time, {time!r}: what is learned is a trend over it.")
    if not chosen:
        raise DataError(
            "No feature is left: no other column is numeric and varies within people.",
            remedy="Name the features, or check the roles of the columns. For a trend over time, "
            "name a column that counts days, weeks or occasions as a feature; it may be the time, "
            "too.",
        )
    if time in chosen and not is_number(long[time]):
        raise DataError(
            f"The time {time!r} holds no numbers, so it cannot be a feature as well.",
            remedy="Add a column that counts the days since each person's first row, and name it "
            "as a feature.",
            column=time,
        )
    return Columns(tuple(chosen), (*listed, *found), tuple(notes))


def _personal(long: pd.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """Columns of numbers that tell who somebody is, and what they hold: nobody named them."""
    numbers = [name for name in names if is_number(long[name])]
    return {one.column: one.kind for one in find_personal(long[numbers])}


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    left_out = set(others)
    return [name for name in names if name not in left_out]


def _has_infinite(column: pd.Series) -> bool:
    return bool(np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan)).any())


def _is_constant(column: pd.Series, persons: NDArray[np.intp], n_persons: int) -> bool:
    """Whether no person has two different values."""
    values = as_numbers(column, role="feature")
    first, who = values[:_FIRST], persons[:_FIRST]
    steps = np.abs(np.diff(first)) > 0  # False beside a missing value
    if bool((steps & (who[1:] == who[:-1])).any()):
        return False  # the commonest case, seen soon
    low, high = np.full(n_persons, np.inf), np.full(n_persons, -np.inf)
    np.fmin.at(low, persons, values)
    np.fmax.at(high, persons, values)
    return not (high > low).any()


def _notes(long: pd.DataFrame, text: list[str], empty: list[str]) -> list[str]:
    notes = []
    nearly = [name for name in text if is_numbers(long[name])]
    words = _without(text, nearly)
    if words:
        notes.append(f"Left out because not numeric: {_names(words)}.")
    for name in nearly:
        row, word = first_word(long[name])
        notes.append(
            f"Left out because not numeric: {name!r}, although most of its cells are numbers; "
            f"{place(long.index, row)} holds {word!r}. Treat such words as missing to use it."
        )
    if empty:
        notes.append(f"Left out because empty: {_names(empty)}.")
    return notes


def _names(names: Sequence[str]) -> str:
    return ", ".join(repr(str(name)) for name in names)
