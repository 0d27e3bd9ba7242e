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
from pandas.api.types import is_datetime64_any_dtype

from nme_core.study.clean.personal import (
    Personal,
    dates_of,
    find_personal,
    holds_a_name,
    holds_dates,
)
from nme_core.study.clean.remedies import Remedy
from nme_core.study.columns import as_labels, is_number, one_form

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
        ``code`` and ``person``, one row per person, then one per further group; ``column`` says
        whose ids they are. None without codes. Whoever has it can undo
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
    groups: Sequence[str] = (),
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
    groups : sequence of str
        Columns of `long`: further groups, whose names are replaced by codes as ids are.
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
    if covariates is not None and (privacy.dates or privacy.ages):
        covariates = _ages_of(covariates, person, _first_times(long, person, time), notes)
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
        made = code or random_code
        key = pd.concat([key, *_code_groups(long, groups, made, notes)], ignore_index=True)
        notes += _count_sequences(long, person, sequence) if sequence is not None else []
        roles = (person, time, sequence, *groups)
        for table in (long, covariates):
            if table is not None:
                notes += _code_inside(table, [name for name in table if name not in roles], codes)
        long = _by_code(long, person)
        covariates = None if covariates is None else _by_code(covariates, person)
        notes.append(
            f"{len(codes)} ids in {person!r} were replaced by random codes; people stand in the "
            "order of their codes."
        )
    return Deidentified(long, covariates, key, tuple(notes))


def _code_groups(
    long: pd.DataFrame, groups: Sequence[str], code: Callable[[], str], notes: list[str]
) -> list[pd.DataFrame]:
    """Replace the names of further groups by codes in place; the keys to them."""
    keys = []
    for name in groups:
        key = _make_key([long], name, code)
        codes = dict(zip(key["person"], key["code"], strict=True))
        long[name] = one_form(long[name]).map(codes).astype("str")
        notes.append(f"{len(key)} names in {name!r} were replaced by random codes.")
        keys.append(key)
    return keys


def _count_sequences(long: pd.DataFrame, person: str, sequence: str) -> list[str]:
    """Count a person's sequences in place, where they have other names than small numbers."""
    labels = as_labels(long[sequence])
    if labels.dropna().str.fullmatch(r"\d{1,4}").all():
        return []
    people = long[person].fillna("")
    counted = labels.groupby(people, sort=False).transform(lambda own: pd.factorize(own)[0] + 1)
    long[sequence] = (
        counted.where(labels.notna()).astype("Int64").astype("str").where(labels.notna())
    )
    return [f"The names in {sequence!r} became numbers, counted within each person."]


def _code_inside(table: pd.DataFrame, columns: Sequence[Any], codes: dict[str, str]) -> list[str]:
    """Replace ids that stand inside text by their codes in place; numbers are no ids there."""
    telling = {
        old: new for old, new in codes.items() if len(old) > 2 and re.search(r"[^\W\d]", old)
    }
    if any(map(holds_a_name, telling)):
        parts = {part: new for old, new in telling.items() for part in re.split(r"[\s,]+", old)}
        telling = {part: new for part, new in parts.items() if len(part) > 2} | telling
    if not telling:
        return []
    telling = {re.sub(r"[\W_]+", " ", old): new for old, new in telling.items()}
    longest = sorted(telling, key=len, reverse=True)
    spelt = "|".join(re.escape(old).replace(r"\ ", r"[\W_]+") for old in longest)
    pattern = re.compile(rf"(?<![^\W_])({spelt})(?![^\W_])")
    notes = []
    for name in columns:
        if is_number(table[name]) or is_datetime64_any_dtype(table[name].dtype):
            continue
        labels = as_labels(table[name])
        values = labels.dropna().drop_duplicates()
        new = {
            one: pattern.sub(lambda found: telling[re.sub(r"[\W_]+", " ", found[1])], one)
            for one in values
        }
        if any(old != one for old, one in new.items()):
            table[name] = labels.map(new)
            notes.append(f"Ids inside the cells of {name!r} were replaced by their codes.")
    return notes


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

    def coded(remedy: Remedy) -> Remedy:
        whose = key if "column" not in key else key[key["column"].isin(remedy.columns)]
        codes = dict(zip(whose["person"], whose["code"], strict=True))
        return replace(remedy, values=tuple(codes.get(value, value) for value in remedy.values))

    return tuple(coded(one) if one.kind == "exclude_persons" else one for one in remedies)


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
    key = pd.DataFrame({"code": list(codes), "person": list(ids), "column": person}, dtype="str")
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
    times, first = None if time is None else dates_of(long[time]), _first_times(long, person, time)
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
            notes.append(f"Dates in {name!r} were left out: they have no date to count from.")
        else:
            covariates[name] = _days(dates, of_person.map(first))
            notes.append(f"Dates in {name!r} became days from the person's first observation.")
    return covariates


def _first_times(long: pd.DataFrame, person: str, time: str | None) -> pd.Series | None:
    """Date-time of each person's first row; None where times are no dates."""
    times = None if time is None else dates_of(long[time])
    return None if times is None else times.groupby(one_form(long[person])).min()


def _ages_of(
    covariates: pd.DataFrame, person: str, first: pd.Series | None, notes: list[str]
) -> pd.DataFrame:
    """Birth dates as ages in years on the day of the person's first row."""
    for one in find_personal(covariates):
        born = dates_of(covariates[one.column]) if one.kind == "birth dates" else None
        if born is None or first is None or one.column == person:
            continue
        at = one_form(covariates[person]).map(first)
        months = (at.dt.month - born.dt.month) * 100 + at.dt.day - born.dt.day
        years = at.dt.year - born.dt.year - (months < 0)
        name = "age" if "age" not in covariates else f"{one.column}_age"
        ages = years.where(years >= 0, years + 100)  # a year of two digits: 2061 is 1961
        covariates[one.column] = ages
        covariates = covariates.rename(columns={one.column: name})
        notes.append(
            f"Birth dates in {one.column!r} became ages in years at the person's first row, in "
            f"{name!r}."
        )
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
