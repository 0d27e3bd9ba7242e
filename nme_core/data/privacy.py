"""Privacy on entry: what in a table names a person, and the table without it.

Random codes instead of ids, days since a person's first observation instead of dates, ages above
89 as one group (as in the HIPAA safe harbour rule, 45 CFR 164.514(b)(2)).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from nme_core.data.columns import as_labels, is_number, one_form
from nme_core.data.personal import Personal, dates_of, find_personal, holds_dates
from nme_core.data.remedies import Remedy

__all__ = [
    "OLD_AGE", "Deidentified", "Personal", "Privacy", "dates_of", "deidentify", "find_personal",
    "has_old_ages", "holds_dates", "random_code", "with_codes",
]  # fmt: skip

#: Ages from here on are one group, written as this number; above `_OLDEST` a number is no age.
OLD_AGE = 90
_OLDEST = 120

_AGE = re.compile(r"(^|[_\W\d])(age|alter)($|[_\W\d])", re.IGNORECASE)

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Privacy:
    """What is done to a table before it is stored."""

    codes: bool = False
    dates: bool = True
    ages: bool = True


@dataclass(frozen=True, eq=False)
class Deidentified:
    """Tables without what tells who somebody is.

    Attributes
    ----------
    long, covariates : DataFrame
        The tables; `covariates` may be None.
    key : DataFrame or None
        ``code`` and ``person``, one row per person; None without codes. Whoever has it can undo
        the codes: it belongs to the user and is not stored beside the study.
    notes : tuple of str
        In words, what was done.
    """

    long: pd.DataFrame
    covariates: pd.DataFrame | None
    key: pd.DataFrame | None
    notes: tuple[str, ...]


def deidentify(
    long: pd.DataFrame,
    covariates: pd.DataFrame | None,
    privacy: Privacy,
    *,
    person: str,
    time: str | None = None,
    sequence: str | None = None,
    code: Callable[[], str] | None = None,
) -> Deidentified:
    """Take out of the tables what tells who somebody is.

    Parameters
    ----------
    long : DataFrame
        One row per person and occasion.
    covariates : DataFrame or None
        One row per person, with the same person column.
    privacy : Privacy
        What to do.
    person, time, sequence : str
        Columns of `long`.
    code : callable, optional
        Makes one random code; default: a letter and seven letters or digits, from the operating
        system's randomness.

    Returns
    -------
    Deidentified
        Dates of the time column become days since the person's first; other dates, in either
        table, days from that same day (they are left out where the times are no dates).
    """
    long = long.copy(deep=False)
    covariates = None if covariates is None else covariates.copy(deep=False)
    notes: list[str] = []
    if privacy.dates:
        covariates = _shift_dates(long, covariates, person, time, sequence, notes)
    if privacy.ages:
        for table in (long, covariates):
            if table is not None:
                _group_ages(table, [person, time, sequence], notes)
    key = None
    if privacy.codes:
        key = _make_key([long, covariates], person, code or random_code)
        codes = dict(zip(key["person"], key["code"], strict=True))
        for table in (long, covariates):
            if table is not None:
                table[person] = one_form(table[person]).map(codes).astype("str")
        long = _by_code(long, person)
        covariates = None if covariates is None else _by_code(covariates, person)
        notes.append(
            f"{len(key)} ids in {person!r} were replaced by random codes; people stand in the "
            "order of their codes."
        )
    return Deidentified(long, covariates, key, tuple(notes))


def _by_code(table: pd.DataFrame, person: str) -> pd.DataFrame:
    """Rows in the order of the random codes, so that their order tells nothing of the file's."""
    return table.sort_values(person, kind="stable", ignore_index=True)


def random_code() -> str:
    """Eight random letters and digits, the first a letter, none of them easy to mistake."""
    return secrets.choice(_LETTERS[:24]) + "".join(secrets.choice(_LETTERS) for _ in range(7))


def with_codes(remedies: Sequence[Remedy], key: pd.DataFrame | None) -> tuple[Remedy, ...]:
    """Remedies for a table whose ids were replaced: persons are named by their codes."""
    if key is None:
        return tuple(remedies)
    codes = dict(zip(key["person"], key["code"], strict=True))
    return tuple(
        replace(one, values=tuple(codes.get(value, value) for value in one.values))
        if one.kind == "exclude_persons"
        else one
        for one in remedies
    )


def _make_key(
    tables: Iterable[pd.DataFrame | None], person: str, code: Callable[[], str]
) -> pd.DataFrame:
    ids: dict[str, None] = {}
    for table in tables:
        if table is not None:
            ids.update(dict.fromkeys(one_form(table[person]).dropna()))
    codes: dict[str, None] = {}
    while len(codes) < len(ids):
        codes[code()] = None
    key = pd.DataFrame({"code": list(codes), "person": list(ids)}, dtype="str")
    return key.sort_values("code", ignore_index=True)  # in no order of the file


def _shift_dates(
    long: pd.DataFrame,
    covariates: pd.DataFrame | None,
    person: str,
    time: str | None,
    sequence: str | None,
    notes: list[str],
) -> pd.DataFrame | None:
    """Replace dates in place; returns the covariate table."""
    ids = one_form(long[person])
    times = None if time is None else dates_of(long[time])
    first = None if times is None else times.groupby(ids).min()
    if time is not None and times is not None and first is not None:
        long[time] = _days(times, ids.map(first))
        notes.append(f"Dates in {time!r} became days since the person's first.")
    if sequence is not None and (sequences := dates_of(long[sequence])) is not None:
        days = _days(sequences, ids.map(sequences.groupby(ids).min()))
        long[sequence] = as_labels(days)
        notes.append(f"Dates in {sequence!r} became days since the person's first.")
    if covariates is None:
        return None
    of_person = one_form(covariates[person])
    for name in [name for name in covariates.columns if name != person]:
        dates = dates_of(covariates[name])
        if dates is None and holds_dates(covariates[name]):
            covariates = covariates.drop(columns=name)
            notes.append(f"Dates in {name!r} were left out: is day or month their first number?")
            continue
        if dates is None:
            continue
        if first is None:
            covariates = covariates.drop(columns=name)
            notes.append(f"Dates in {name!r} were left out: there is no date to count from.")
        else:
            covariates[name] = _days(dates, of_person.map(first))
            notes.append(f"Dates in {name!r} became days from the person's first observation.")
    return covariates


def _days(times: pd.Series, origin: pd.Series) -> pd.Series:
    """Days between two times, to about a tenth of a second; missing where either is."""
    return ((times - pd.to_datetime(origin)) / pd.Timedelta(days=1)).round(6)


def _group_ages(table: pd.DataFrame, roles: Iterable[str | None], notes: list[str]) -> None:
    """Write `OLD_AGE` for every higher age, in place."""
    for name in _ages(table, roles):
        old = (table[name] > OLD_AGE) & (table[name] <= _OLDEST)
        if old.any():
            table[name] = table[name].mask(old, OLD_AGE)
            notes.append(f"Ages of {OLD_AGE} and more in {name!r} are one group, {OLD_AGE}.")


def has_old_ages(table: pd.DataFrame) -> bool:
    """Whether a column of ages holds some that would be grouped."""
    return any(
        bool(((table[name] > OLD_AGE) & (table[name] <= _OLDEST)).any()) for name in _ages(table)
    )


def _ages(table: pd.DataFrame, others: Iterable[Any] = ()) -> Iterator[str]:
    taken = set(others)
    for name in table.columns:
        if name not in taken and _AGE.search(str(name)) and is_number(table[name]):
            yield name
