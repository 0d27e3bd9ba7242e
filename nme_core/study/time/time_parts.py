"""Times that stand in two columns, or that run in a circle: joined, or counted on.

A date beside a clock, a day beside a clock, a week beside a weekday, a local time beside its offset
from UTC are one time. Times of day and weekdays begin anew: where they fall from one row of the
file to the next, midnight or Sunday was passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.exceptions import DataError
from nme_core.study.columns import as_labels, is_number
from nme_core.study.time.calendar_words import plain
from nme_core.study.time.dates import parse_dates
from nme_core.study.time.time_numbers import CLOCK_NAMES
from nme_core.study.time.times import Times, read_times

#: How two columns become one: the unit of the numbers, None where they become date-times.
JOINS: dict[str, str | None] = {
    "date+clock": None,
    "day+clock": "h",
    "week+weekday": "d",
    "time+offset": None,
}
#: What times that run in a circle are counted in, and after how many they begin anew.
CYCLES = {"h": 24.0, "d": 7.0, "mo": 12.0}
_CYCLE_WORDS = {"h": "midnight", "d": "the end of a week", "mo": "the end of a year"}

#: A file whose times fall in more than this share of the steps is not in order of time.
MOST_FALLS = 1 / 3

#: Hours of the day before go on so far past midnight: 25:30.
_LATEST = 36

_KNOWN_WORDS = {
    "filler": "of day the beep local answer response entry start started begin beginn sent"
    " scheduled prompt signal des tages antwort",
    "day": "day days tag tage studientag dag jour dia studyday",
    "week": "week woche wk semaine semana kw",
    "weekday": "weekday wochentag dow wday weekdag dayofweek",
    "month": "month monat mois mes maand",
    "offset": "offset utcoffset tz timezone zone zeitzone utc gmt",
}  # fmt: skip
_NAMES = {kind: frozenset(words.split()) for kind, words in _KNOWN_WORDS.items()}
_NAMES["clock"] = CLOCK_NAMES


@dataclass(frozen=True, eq=False)
class Part:
    """What a column says of the time: ``date``, ``time``, ``clock``, ``day``, ``week``,
    ``weekday``, ``month`` or ``offset``; its values as read.
    """

    kind: str
    times: Times


def part_of(column: pd.Series, unit: str | None = None, *, is_time: bool = False) -> Part | None:
    """What part of a time a column is; None where it is none.

    `unit` is that of its file. Whether times of day are no durations tells the name of the column,
    or that the column `is_time`.
    """
    words = set(re.findall(r"[a-z]+", plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(column.name)))))
    if _is_offset(column, words):
        return Part("offset", Times(column))
    try:
        times = read_times(column)
    except DataError:
        return None
    values = times.values.dropna()
    if not len(values):
        return None
    if is_datetime64_any_dtype(values.dtype):
        midnight = bool((values == values.dt.normalize()).all())
        return Part("date" if midnight else "time", times)
    low, high = float(values.min()), float(values.max())
    whole = bool((values % 1 == 0).all())
    if times.cycle == 7:
        return Part("weekday", times)
    if times.cycle == 12:
        return Part("month", times)
    named = words & _NAMES["clock"]
    clocked = bool(named) and words <= _NAMES["clock"] | _NAMES["filler"]
    if times.cycle is not None:
        return Part("clock", times) if clocked or is_time else None
    if is_time and unit == "hours" and low >= 0 and high <= 24:
        return Part("clock", Times(times.values, "h", 24))
    hours = unit == "hours" or named - {"time", "zeit", "tijd"}
    if clocked and hours and low >= 0 and high <= _LATEST:
        return Part("clock", Times(times.values, "h", 24 if high <= 24 else None))
    for kind, most in (("weekday", 7), ("month", 12), ("week", 53), ("day", np.inf)):
        told = words & _NAMES[kind] or (kind in _OF_UNIT and times.unit == _OF_UNIT[kind])
        if told and whole and low >= 0 and high <= most:
            unit, cycle = {"weekday": ("d", 7.0), "month": ("mo", 12.0)}.get(kind, (None, None))
            return Part(kind, Times(times.values, unit or times.unit, cycle))
    return None


_OF_UNIT = {"day": "d", "week": "w"}


def _is_offset(column: pd.Series, words: set[str]) -> bool:
    if not words & _NAMES["offset"]:
        return False
    cells = as_labels(column).dropna().drop_duplicates()
    return bool(len(cells)) and bool(cells.map(_offset_text).notna().all())


def _offset_text(cell: str) -> str | None:
    """An offset or a zone as `parse_dates` reads it after a time: 2 → +02:00."""
    match = re.fullmatch(r"(?:UTC|GMT)?\s*([+\u2212-]?)(\d{1,2})(?:[:.]?(\d{2}))?", cell.strip())
    if match and int(match[2]) <= 14:
        return f"{match[1] or '+'}{int(match[2]):02d}:{match[3] or '00'}"
    known = re.fullmatch(r"Z|[A-Z]{3,5}|[A-Z][A-Za-z]+/[A-Za-z_/]+", cell.strip())
    return f" {cell.strip()}" if known else None


def join_of(
    table: pd.DataFrame, time: str, free: Iterable[str], person: pd.Series
) -> tuple[str, str] | None:
    """The column that belongs to the time, and how both are joined; None where there is none.

    Parameters
    ----------
    table : DataFrame
        The long table.
    time : str
        The time column.
    free : iterable of str
        Columns without a role.
    person : Series
        Person of each row, and its sequence.

    Returns
    -------
    (str, str) or None
        The other column, and what both are in the order time, other (``clock+date``).
    """
    units = table.attrs.get("units", {})
    own = part_of(table[time], units.get(time), is_time=True)
    kind = None if own is None else own.kind
    partners = {part for how in JOINS for part in how.split("+")}
    found: list[tuple[str, str]] = []
    for name in free if kind in partners else ():
        if isinstance(table[name], pd.DataFrame) or not _varies(table[name], person):
            continue
        part = part_of(table[name], units.get(name))
        if part is not None and joined_as(f"{kind}+{part.kind}") is not None:
            found.append((name, f"{kind}+{part.kind}"))
    coarse = kind in ("date", "day", "week")
    if coarse and not pd.concat([person, table[time]], axis=1).duplicated().any():
        return None  # it tells the rows apart by itself
    kinds = {how for _, how in found}
    if len(found) > 1 and len(kinds) > 1:
        found = [one for one in found if one[1].endswith("+date")] or found
    return found[0] if len(found) == 1 else None


def joined_as(how: str) -> str | None:
    """The way to join two kinds of columns, whatever their order: clock+date → date+clock."""
    backwards = "+".join(reversed(how.split("+")))
    return next((one for one in (how, backwards) if one in JOINS), None)


def _varies(column: pd.Series, person: pd.Series) -> bool:
    return bool((column.groupby(person, sort=False).nunique() > 1).any())


def join_times(table: pd.DataFrame, columns: Sequence[str], how: str) -> pd.Series:
    """Two columns as one time.

    Raises
    ------
    DataError
        A cell cannot be read.
    """
    kinds = how.split("+")
    names = dict(zip(kinds, columns, strict=True))
    joined = joined_as(how) or ""
    first, second = (names[kind] for kind in joined.split("+"))
    if joined == "time+offset":
        offsets = as_labels(table[second]).map(_offset_text)
        local = read_times(table[first]).values
        texts = local.dt.strftime("%Y-%m-%d %H:%M:%S") + offsets
        return parse_dates(texts).rename(columns[0])
    coarse, fine = read_times(table[first]).values, _fine(table[second], joined)
    if joined == "date+clock":
        times = coarse.dt.normalize() + pd.to_timedelta((fine * 3600).round(3), unit="s")
    else:
        length = 24 if joined == "day+clock" else 7
        times = (length * (coarse - 1) + fine).astype("float64")
    return pd.Series(times, name=columns[0])


def _fine(column: pd.Series, how: str) -> pd.Series:
    values = read_times(column).values
    if how == "week+weekday" and is_number(column) and values.min() >= 1:
        return values - 1
    return values


def count_on(table: pd.DataFrame, columns: Sequence[str], unit: str) -> tuple[pd.Series, int]:
    """Times that run in a circle, counted on where they fall within the other columns.

    Parameters
    ----------
    table : DataFrame
        Rows in order of time within the person (and sequence).
    columns : sequence of str
        The time, and the columns within which it runs.
    unit : str
        A key of `CYCLES`.

    Returns
    -------
    times : Series of float
        In the unit, from the beginning of each person's first day (week, year).
    n_falls : int
        How many times the end was passed.
    """
    values = read_times(table[columns[0]]).values.astype("float64")
    within = within_of(table, columns[1:])
    falls = values.groupby(within, sort=False).diff() < 0
    passed = falls.groupby(within, sort=False).cumsum()
    return values + CYCLES[unit] * passed, int(falls.sum())


def within_of(table: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Number of each row's combination of columns."""
    keys = pd.concat([as_labels(table[name]) for name in columns], axis=1, ignore_index=True)
    return keys.groupby(list(keys.columns), sort=False, dropna=False).ngroup()


def cycle_of(table: pd.DataFrame, time: str, within: Sequence[str]) -> str | None:
    """The unit in which times have to be counted on, because they fall in the file; else None.

    Raises
    ------
    DataError
        They fall so often that the file is not in order of time.
    """
    unit = table.attrs.get("units", {}).get(time)
    part = part_of(table[time], unit, is_time=True)
    if part is None or part.times.cycle is None:
        return None
    values, counted = part.times.values, part.times.unit
    steps = values.astype("float64").groupby(within_of(table, within), sort=False).diff().dropna()
    if not (steps < 0).any() or counted not in CYCLES:
        return None
    if (steps < 0).mean() > MOST_FALLS:
        raise DataError(
            f"The times in column {time!r} begin anew after {_CYCLE_WORDS[counted]} and fall in "
            f"{int((steps < 0).sum())} of {len(steps)} steps from one row to the next: the order"
            " and the distance of the rows cannot be told from them.",
            remedy="Name a column with dates as the time, or, where the rows stand in order, no"
            " time at all.",
            column=time,
        )
    return counted


def circle_words(unit: str) -> str:
    """After what times in a unit begin anew."""
    return _CYCLE_WORDS[unit]
