"""Which columns say when a row was taken, and to which session it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.study.columns import is_number, place
from nme_core.study.roles.clues import (
    has_clock,
    is_whole,
    numbers_the_rows,
    rises,
    rows_per,
    tells_rows_apart,
)
from nme_core.study.roles.names import joined
from nme_core.study.roles.role_names import is_age, is_id, is_sequence, is_time, outcome_tier
from nme_core.study.time.time_numbers import slips_of_digits
from nme_core.study.time.times import UndecidedDatesError, times_of
from nme_core.vocabulary.language import tr

#: A session holds so many rows on average, or it is none.
_ROWS_OF_SESSION = 1.5

#: From this kind on a candidate for the time holds dates.
_DATE = 3

#: Share of cells that a time may lack.
_MISSING = 0.2


@dataclass(frozen=True)
class Order:
    """The time and the session, why, what else says when, and what is not sure.

    ``counts`` says whether the time is a number, so that it can be a feature, too; ``dated`` that
    it holds dates.
    """

    time: str | None = None
    sequence: str | None = None
    why_time: str = ""
    why_sequence: str = ""
    others: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    counts: bool = False
    dated: bool = False


class _Candidate(NamedTuple):
    """A possible time, by how good it is: compared from the left."""

    apart: bool  # no two rows of a person at one time
    complete: bool
    kind: int  # 4 date with clock, `_DATE` date, 2 named count, 1 rises, 0 age or row
    exact: bool
    position: int
    name: str


def find_order(
    long: pd.DataFrame,
    person: str | None,
    columns: Sequence[str],
    known: str | None,
    varying: set[str],
) -> Order:
    """Find the time and the session; a date-time is preferred to a date, a date to a count."""
    found, asked = [], []
    for position, name in enumerate(columns):
        if name not in varying and len(varying) < len(long.columns):
            continue
        if is_number(long[name]) and len(slips := slips_of_digits(long[name])):
            shown = place(slips.index, 0)
            asked.append(
                tr("Is {name!r} the time? Its numbers are dates, but not {shown}.").format(
                    name=name, shown=shown
                )
            )
            continue
        try:
            candidate = _candidate(long, person, name, position)
        except UndecidedDatesError as error:
            asked.append(
                tr("Which of day and month comes first in {name!r}? {remedy}").format(
                    name=name, remedy=error.remedy
                )
                if error.remedy
                else error.message
            )
            continue
        if candidate is not None:
            found.append(candidate)
    found.sort(reverse=True)
    sequences = _sequences(long, person, columns, varying)
    if known is not None:
        return _order(long, person, known, sequences, found, asked)
    if not found:
        sequence = next(iter(sequences), None)
        return Order(None, sequence, "", _WHY_SEQUENCE, questions=tuple(asked))
    best = found[0]
    if best.apart or person is None:
        return _order(long, person, best.name, sequences, found, asked)
    return _nested(long, person, found, asked) or _order(
        long, person, best.name, sequences, found, asked
    )


_WHY_SEQUENCE = "sequence: its name is that of a session or episode."


def _candidate(
    long: pd.DataFrame, person: str | None, name: str, position: int
) -> _Candidate | None:
    column = long[name]
    if column.isna().mean() > _MISSING or is_id(name) or (person is None and is_age(name)):
        return None
    times = times_of(column)
    if times is None:
        return None
    dates = is_datetime64_any_dtype(times.dtype)
    named = is_time(name)
    rising = person is not None and rises(long, person, name)
    if not dates and not _may_count(column, name, named, rising, times):
        return None
    kind = (4 if has_clock(times) else _DATE) if dates else 2 if named else 1
    if not dates and (is_age(name) or (not named and numbers_the_rows(column))):
        kind = 0
    keys = [name] if person is None else [person, name]
    exact = joined(name) in ("time", "date", "datetime", "timestamp", "day", "t")
    apart = tells_rows_apart(long, keys)
    return _Candidate(apart, not column.isna().any(), kind, exact, -position, name)


def _may_count(column: pd.Series, name: str, named: bool, rising: bool, times: pd.Series) -> bool:
    """Whether numbers can be a time: they rise within every person, or are called so."""
    if outcome_tier(name) is not None and not named:
        return False
    if rising:
        return named or is_whole(column) or numbers_the_rows(column) or times.is_unique
    return named and (is_whole(times) or joined(name) in ("time", "t", "age"))


def _sequences(
    long: pd.DataFrame, person: str | None, columns: Sequence[str], varying: set[str]
) -> list[str]:
    """Columns named like a session that hold several rows each."""
    found = []
    for name in columns:
        if not is_sequence(name) or name not in varying or long[name].isna().any():
            continue
        if is_number(long[name]) and not is_whole(long[name]):
            continue
        keys = [name] if person is None else [person, name]
        if rows_per(long, keys) >= _ROWS_OF_SESSION and long[name].nunique() > 1:
            found.append(name)
    return found


def _nested(
    long: pd.DataFrame, person: str, found: Sequence[_Candidate], asked: Sequence[str]
) -> Order | None:
    """A count within a day or a session, where only both together tell a person's rows apart."""
    inner = [one.name for one in found if is_number(long[one.name])] + [
        one.name for one in found if not is_number(long[one.name])
    ]
    outer = [
        str(name) for name in long.columns
        if is_sequence(str(name), weakly=True) and not long[name].isna().any()
    ]  # fmt: skip
    for time in inner:
        for sequence in (name for name in outer if name != time):
            apart = tells_rows_apart(long, [person, sequence, time])
            if _n_changes(long[sequence]) > _n_changes(long[time]):
                continue  # the session is what stays the same from row to row
            if apart and rows_per(long, [person, sequence]) >= _ROWS_OF_SESSION:
                why = tr("sequence: within it, the time tells the rows of a person apart.")
                return _order(long, person, time, [sequence], found, asked, why)
    return None


def _n_changes(column: pd.Series) -> int:
    return int((column != column.shift()).sum())


def _order(
    long: pd.DataFrame,
    person: str | None,
    time: str,
    sequences: Sequence[str],
    found: Sequence[_Candidate],
    asked: Sequence[str],
    why_sequence: str = _WHY_SEQUENCE,
) -> Order:
    sequence = next((name for name in sequences if name != time), None)
    others = [
        one.name for one in found
        if one.name not in (time, sequence) and one.kind >= _DATE
    ]  # fmt: skip
    why = tr("time: {why_time}").format(why_time=_why_time(long, person, time))
    if others:
        why += tr(" {others} would be next.").format(others=", ".join(map(repr, others[:4])))
    counts = is_number(long[time])
    dated = any(one.name == time and one.kind >= _DATE for one in found)
    return Order(time, sequence, why, why_sequence, tuple(others), tuple(asked), counts, dated)


def _why_time(long: pd.DataFrame, person: str | None, name: str) -> str:
    if person is not None and rises(long, person, name):
        return tr("it rises from row to row within every person.")
    if not is_number(long[name]) and is_datetime64_any_dtype(long[name].dtype):
        return tr("it holds dates.")
    try:
        times = times_of(long[name])
    except UndecidedDatesError:
        times = None
    if times is not None and is_datetime64_any_dtype(times.dtype):
        return tr("it holds dates.")
    return tr("its name is that of a time.")
