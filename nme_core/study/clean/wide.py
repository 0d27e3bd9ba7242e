"""Wide tables, one row per person and one column per occasion: recognised, and made long.

id  bdi.2m  bdi.3m  bdi.5m             id  occasion  bdi
1     2       2       8        →       1       2       2
                                       1       3       2   …
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from nme_core.exceptions import DataError
from nme_core.study.clean.personal import find_personal, holds_dates
from nme_core.study.formats.columns import is_by_place
from nme_core.study.roles.role_names import SURE, person_score
from nme_core.study.time.calendar_words import (
    MONTHS,
    UNIT_WORDS,
    is_weekday,
    plain,
    weekday_numbers,
)
from nme_core.study.time.occasions import is_baseline, rank_of

#: Columns of one measure that make a table wide.
FEWEST = 3

#: The measure of columns that are named by their occasion only: 2019, day1, Jan.
UNNAMED = "value"

#: Ways to write a measure and an occasion in a name: mood_2024-03-01; mood_t1, bdi.2m, bdi_4weeks;
#: mood (1); 2019; moodT1; mood1; T1_mood.
_DATED = re.compile(
    r"(?P<stem>(?:.*?[^\W\d_])?)[._\- ]*(?P<word>)"
    r"(?P<n>(?:19|20)\d\d[-._](?:0[1-9]|1[0-2])[-._](?:0[1-9]|[12]\d|3[01]))(?P<unit>)"
)
_WAYS = tuple(
    re.compile(pattern)
    for pattern in (
        _DATED.pattern,
        r"(?P<stem>.+?)[._\- ]+(?P<word>(?:[A-Za-z]{1,7}[._\- ]?)?)"
        rf"(?P<n>\d{{1,9}})(?P<unit>[A-Za-z]{{0,3}}|{'|'.join(UNIT_WORDS)})",
        r"(?P<stem>.*?[^\W\d_]) ?[(\[](?P<word>)(?P<n>\d{1,9})[)\]](?P<unit>)",
        r"(?P<stem>)(?P<word>)(?P<n>\d{1,9})(?P<unit>)",
        r"(?P<stem>.*?[a-zß-ÿ])(?P<word>[A-Z][a-z]{0,6})(?P<n>\d{1,9})(?P<unit>)",
        r"(?P<stem>.*?[^\W\d_])(?P<word>)(?P<n>\d{1,9})(?P<unit>)",
        r"(?P<word>[A-Za-z]{0,7})(?P<n>\d{1,9})(?P<unit>)[._\- ]+(?P<stem>.+)",
    )
)
#: The same with a word for the occasion: phq_baseline, post_phq, moodPre, mood_mon, Jan.
_WORDED = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<stem>.+?)[._\- ]+(?P<word>[A-Za-z-]+)",
        r"(?P<word>[A-Za-z-]+?)[._\- ]+(?P<stem>.+)",
        r"(?P<stem>.*?[a-zß-ÿ0-9])(?P<word>[A-Z][a-z]+)",
        r"(?P<stem>)(?P<word>[^\W\d_]+)",
    )
)
_OCCASIONS = frozenset(
    (
        *("t", "w", "d", "v", "m", "h", "wave", "day", "visit", "week", "month", "year", "hour"),
        *("time", "session", "beep", "occ", "occasion", "tag", "woche"),
    )
)


@dataclass(frozen=True)
class WideProposal:
    """How a wide table would become long.

    Attributes
    ----------
    measures : dict of measure: {occasion: column}
        The columns of each measure, in the order of their occasions.
    person : str or None
        The column that tells the rows apart; None where there is none and rows are counted.
    """

    measures: dict[str, dict[int, str]]
    person: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of all occasions."""
        return tuple(name for columns in self.measures.values() for name in columns.values())

    def occasion_in(self, frame: pd.DataFrame) -> str:
        """Name of the column that will say which occasion a row is."""
        return _free("occasion", [*map(str, frame.columns), *self.measures])

    @property
    def sentence(self) -> str:
        """What was recognised, for a person to confirm."""
        parts = []
        for measure, columns in [*self.measures.items()][:5]:
            names = list(columns.values())
            parts.append(f"{measure!r} on {len(columns)} occasions ({names[0]} … {names[-1]})")
        more = f" and {len(self.measures) - 5} more" if len(self.measures) > 5 else ""
        return f"The table is wide, with one column per occasion: {', '.join(parts)}{more}."


def propose_wide(
    frame: pd.DataFrame, known: Mapping[str, str] | None = None
) -> WideProposal | None:
    """Recognise a table with one row per person and one column per occasion.

    Columns belong together where their names differ in one number only (``mood_1`` … ``mood_30``,
    ``bdi.2m`` … ``bdi.8m``, ``T1_phq`` … ``T3_phq``). None where there are no such columns, or
    where a column has the same id in several rows, as a long table has; where no id but a time
    tells the rows apart; or where the layout of the file has roles, `known`, among them a time.
    """
    if "time" in (known or {}):
        return None
    measures = _find_measures(str(name) for name in frame.columns if not is_by_place(str(name)))
    if not measures or frame.empty or not frame.columns.is_unique:
        return None
    taken = {name for columns in measures.values() for name in columns.values()}
    rest = [str(name) for name in frame.columns if name not in taken]
    person = _person_in(frame, rest)
    if any(person_score(name) >= SURE and _repeats(frame[name]) for name in rest):
        return None
    if person is None and _is_dated(frame, rest):
        return None
    pairs = all(len(columns) < FEWEST for columns in measures.values())
    if pairs and (person != next(iter(rest), None) or any(_repeats(frame[name]) for name in rest)):
        return None  # before and after may be two features of a long table
    if person is None and any(_repeats(frame[name]) for name in rest[:1]):
        return None
    return WideProposal(measures, person)


def reshape(frame: pd.DataFrame, proposal: WideProposal) -> tuple[pd.DataFrame, str]:
    """Make a wide table long.

    Returns
    -------
    long : DataFrame
        The other columns, ``occasion``, and one column per measure; rows in the order of the
        table, then of the occasions. Rows without any measure are left out. Where no column
        tells persons apart, ``person`` counts the rows. The index is that of the wide table.
    note : str
        What was done, with the number of rows.

    Raises
    ------
    DataError
        A column is missing, or one has the name of a measure.
    """
    missing = [name for name in proposal.columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"The table has no column {missing[0]!r}.",
            remedy="Reshape the table with the columns that it has.",
            column=missing[0],
        )
    wide = set(proposal.columns)
    rest = [name for name in frame.columns if name not in wide]
    clash = [name for name in rest if name in proposal.measures]
    if clash:
        raise DataError(
            f"{clash[0]!r} would be the name of two columns of the long table.",
            remedy="Rename the column in the file.",
            column=str(clash[0]),
        )
    occasions = sorted({n for columns in proposal.measures.values() for n in columns})
    since = _first_date(proposal.columns)
    rows = np.repeat(np.arange(len(frame)), len(occasions))
    long = frame[rest].iloc[rows]
    counted: dict[str, Any] = {}
    if proposal.person is None:
        counted[_free("person", map(str, rest))] = pd.array((rows + 1).astype("str"), dtype="str")
    occasion = _free("occasion", [*map(str, rest), *counted, *proposal.measures])
    counted_from = 0 if since is None else occasions[0]
    made: dict[str, Any] = {occasion: np.tile(np.array(occasions) - counted_from, len(frame))}
    nothing = pd.Series(np.nan, index=frame.index)
    for measure, columns in proposal.measures.items():
        parts = [frame[columns[n]] if n in columns else nothing for n in occasions]
        stacked = _below_each_other(parts)
        order = np.arange(len(stacked)).reshape(len(occasions), len(frame)).T.ravel()
        made[measure] = stacked.array[order]
    before, behind = (pd.DataFrame(one, index=long.index) for one in (counted, made))
    long = pd.concat([before, long, behind], axis=1)
    empty = long[list(proposal.measures)].isna().all(axis=1).to_numpy()
    left_out = f"; {int(empty.sum())} without any measure left out" if empty.any() else ""
    days = "" if since is None else f"; {occasion!r} counts the days since {since}"
    note = (
        f"The wide table of {len(frame)} rows and {len(occasions)} occasions became "
        f"{int((~empty).sum())} rows{left_out}{days}."
    )
    return long[~empty], note


def _below_each_other(columns: Sequence[pd.Series]) -> pd.Series:
    """Columns in one; those of numbers at once, as there may be thousands."""
    if all(isinstance(column.dtype, np.dtype) for column in columns):
        kinds = {column.dtype for column in columns}
        if len(kinds) == 1:
            return pd.Series(np.concatenate([column.to_numpy() for column in columns]))
    return pd.concat(columns, ignore_index=True)


def proposal_of(frame: pd.DataFrame, columns: Iterable[str]) -> WideProposal:
    """The proposal that has exactly these columns of occasions.

    Raises
    ------
    DataError
        Their names do not say which measure and occasion they are.
    """
    chosen = list(columns)
    measures = _find_measures(chosen, fewest=1)
    known = {name for of_measure in measures.values() for name in of_measure.values()}
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise DataError(
            f"The name of column {unknown[0]!r} does not say which occasion it is.",
            remedy="Name the columns like mood_1, mood_2, mood_3.",
            column=unknown[0],
        )
    rest = [str(name) for name in frame.columns if name not in known]
    return WideProposal(measures, _person_in(frame, rest))


_Key = tuple[int, str, str, str]


def _find_measures(names: Iterable[str], fewest: int = FEWEST) -> dict[str, dict[int, str]]:
    """Columns by measure and occasion; a name that can be read in several ways goes with most."""
    names = list(names)
    groups: dict[_Key, dict[int, str]] = {}
    ways: dict[str, dict[_Key, int]] = {}
    for name in names:
        for way, pattern in enumerate(_WAYS):
            match = pattern.fullmatch(name.strip())
            if match:
                word = match["word"].strip("._- ").lower()
                key = (way, match["stem"].strip(" ._-"), word, match["unit"].lower())
                n = _number(match["n"])
                groups.setdefault(key, {}).setdefault(n, name)
                ways.setdefault(name, {})[key] = n
    chosen: dict[_Key, dict[int, str]] = {}
    for name, keys in ways.items():
        best = max(keys, key=lambda key: _weight(key, len(groups[key])))
        if groups[best][keys[best]] == name:
            chosen.setdefault(best, {})[keys[best]] = name
    worded = _find_worded(name for name in names if name not in ways)
    found: dict[str, dict[int, str]] = {}
    for (_, stem, word, unit), columns in chosen.items():
        baseline = worded.get(stem, {}).get(0)  # bdi_baseline, bdi_4weeks
        if baseline and min(columns) > 0 and is_baseline(baseline.replace(stem, "")):
            columns = {0: baseline, **columns}
        measure = stem if not word or word in _OCCASIONS else f"{stem}_{word}"
        if stem.lower() in ("", *_OCCASIONS) and UNNAMED not in found:
            measure = UNNAMED
        measure = f"{measure}_{unit}" if measure in found else measure
        if len(columns) >= fewest and measure not in found:
            found[measure] = dict(sorted(columns.items()))
    for stem, columns in worded.items():
        measure = stem or UNNAMED
        if measure not in found and len(columns) >= min(fewest, 2 if stem else FEWEST):
            found[measure] = dict(sorted(columns.items()))
    return found


def _number(text: str) -> int:
    """The number of an occasion; a date is the number of its day, 0 where there is none."""
    digits = re.sub(r"\D", "", text)
    if digits == text:
        return int(text)
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).toordinal()
    except ValueError:
        return 0


def _first_date(names: Iterable[str]) -> str | None:
    """The first of the dates in names that all have one."""
    dates = [_DATED.fullmatch(name.strip()) for name in names]
    return min((m["n"] for m in dates if m), key=_number) if all(dates) else None


def _find_worded(names: Iterable[str]) -> dict[str, dict[int, str]]:
    """Columns of occasions that are words, by measure and rank: phq_pre, phq_post; mood_mon."""
    found: dict[str, dict[int, str]] = {}
    calendar: dict[str, dict[str, str]] = {}
    for name in names:
        for pattern in _WORDED:
            match = pattern.fullmatch(name.strip())
            rank = None if match is None else rank_of(match["word"])
            if match is not None and rank is not None:
                found.setdefault(match["stem"].strip(" ._-"), {}).setdefault(rank, name)
                break
            if match is not None and ((word := plain(match["word"])) in MONTHS or is_weekday(word)):
                calendar.setdefault(match["stem"].strip(" ._-"), {}).setdefault(word, name)
    for stem, columns in calendar.items():
        months = {word: MONTHS[word] for word in columns if word in MONTHS}
        numbers = weekday_numbers(set(columns)) if len(months) < len(columns) else months
        if numbers is not None and len(columns) >= FEWEST and stem not in found:
            found[stem] = {numbers[word]: name for word, name in columns.items()}
    return found


def _weight(key: _Key, size: int) -> tuple[bool, bool, int]:
    _, _, word, unit = key
    return size > 1, word in _OCCASIONS or unit in _OCCASIONS, size


def _is_dated(frame: pd.DataFrame, names: Iterable[str]) -> bool:
    """Whether a date that is no date of birth tells the rows apart."""
    dates = [name for name in names if frame[name].is_unique and holds_dates(frame[name])]
    return len(find_personal(frame[dates])) < len(dates)


def _person_in(frame: pd.DataFrame, names: Iterable[str]) -> str | None:
    """The first column that tells the rows apart and holds no dates."""
    found = (name for name in names if _tells_apart(frame[name]) and not holds_dates(frame[name]))
    return next(found, None)


def _tells_apart(column: pd.Series) -> bool:
    """Whether a column is an id: text or whole numbers, never missing, never twice."""
    return column.dtype.kind not in "fM" and not column.isna().any() and bool(column.is_unique)


def _repeats(column: pd.Series) -> bool:
    """Whether a column looks like the ids of a long table: several rows for most of its values."""
    counts = column.value_counts()
    return bool(len(counts) > 2 and (counts > 1).mean() > 0.5)


def _free(name: str, taken: Iterable[str]) -> str:
    others = set(taken)
    while name in others:
        name += "_"
    return name
