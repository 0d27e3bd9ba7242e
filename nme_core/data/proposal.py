"""Roles and types of columns, proposed from names, types and structure, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from nme_core.data.columns import is_number
from nme_core.data.privacy import find_personal, holds_dates

ColumnType = Literal["number", "ordinal", "category", "state", "date-time", "duration", "text"]
COLUMN_TYPES: tuple[ColumnType, ...] = (
    "number", "ordinal", "category", "state", "date-time", "duration", "text",
)  # fmt: skip

_PERSON = r"(person|participant|subject|patient|proband|dyad|user|respondent|id|pid|vpn)"
_TIME = r"(time|date|datetime|timestamp|day|step|beep|occasion|week|age|t)"
_SEQUENCE = r"(sequence|session|segment|visit|interaction|seq)"
_OUTCOME = r"(state|outcome|mood|label|score|affect|class|target|bdi|phq|madrs|y)"
_SPLIT = r"(part|split|fold|set)"
_DURATION = r"(duration|dauer|latency|minutes?|hours?|seconds?|min|hrs?|sec|ms)"

#: An ordinal column holds so many different whole numbers, at most so far apart.
ORDINAL_VALUES = (3, 11)

#: A text column is a feature with slips where this share of its cells are numbers.
MOSTLY_NUMBERS = 0.5


@dataclass(frozen=True)
class Proposal:
    """A proposed role for each column; None or empty where nothing fits.

    Attributes
    ----------
    person, time, sequence, outcome : str or None
        Columns of the long table.
    features : list of str
        Columns of the long table.
    covariates : list of str
        Columns of the covariate table, and columns of the long table.
    reasons : dict of column: sentence
        Why each column has its role, or none.
    """

    person: str | None
    time: str | None
    sequence: str | None
    outcome: str | None
    features: list[str]
    covariates: list[str]
    reasons: dict[str, str] = field(default_factory=dict)

    def options(self) -> list[str]:
        """The roles as options of the command ``nme``."""
        words: list[str] = []
        for role in ("person", "outcome", "time", "sequence"):
            if (name := getattr(self, role)) is not None:
                words += [f"--{role}", name]
        return [*words, "--features", ",".join(self.features)] if self.features else words


def propose_roles(
    long: pd.DataFrame,
    covariates: pd.DataFrame | None = None,
    known: Mapping[str, str] | None = None,
) -> Proposal:
    """Propose roles from column names and from which columns repeat, vary and order.

    Parameters
    ----------
    long : DataFrame
        One row per person and occasion, as read (text or numbers).
    covariates : DataFrame, optional
        One row per person.
    known : dict of role: column, optional
        Roles (``person``, ``time``) that the layout of the file tells.
    """
    given = {role: name for role, name in (known or {}).items() if name in long.columns}
    columns = [str(name) for name in long.columns]
    why: dict[str, str] = {}
    person = given.get("person") or _find_person(long, columns, covariates)
    personal = {one.column: one.kind for one in find_personal(long) if one.column != person}
    split = _named(columns, _SPLIT)
    rest = [name for name in columns if name not in (person, split)]
    varying = [name for name in rest if person is None or _varies(long, person, name)]
    sequence = _named(rest, _SEQUENCE)
    time = given.get("time") or _find_time(long, person, [n for n in varying if n != sequence])
    usable = [name for name in varying if name not in (sequence, time, *personal)]
    outcome = _named(usable, _OUTCOME) or _few_words(long, usable)
    features = [name for name in usable if name != outcome and is_numbers(long[name])]
    constant = [name for name in rest if name not in varying and name not in (sequence, time)]
    constant = [name for name in constant if name not in personal]
    extra: list[str] = []
    if covariates is not None:
        theirs = {one.column: one.kind for one in find_personal(covariates)}
        extra = [str(c) for c in covariates.columns if c != person and str(c) not in theirs]
        personal |= {name: kind for name, kind in theirs.items() if name != person}
    chosen = list(dict.fromkeys([*extra, *constant]))
    for name in rest:
        why[name] = "no role: words that vary within a person."
    if split is not None:
        why[split] = "no role: its name is that of a part of the data."
    why |= {name: f"no role: it holds {kind}." for name, kind in personal.items()}
    why |= dict.fromkeys(constant, "covariate: constant within every person.")
    why |= dict.fromkeys(extra, "covariate: from the table with one row per person.")
    why |= {name: _why_feature(long[name]) for name in features}
    if outcome is not None:
        named = _matches(outcome, _OUTCOME)
        why[outcome] = (
            "outcome: its name is that of an outcome, and it varies within persons."
            if named
            else "outcome: the first column with a few words, which vary within persons."
        )
    if sequence is not None:
        why[sequence] = "sequence: its name is that of a session or episode."
    if time is not None:
        why[time] = f"time: {_why_time(long, person, time)}"
    if person is not None:
        counts = long[person].value_counts()
        why[person] = (
            f"person: it repeats; {len(counts)} different values, {counts.median():g} rows each "
            "in the median."
        )
    return Proposal(person, time, sequence, outcome, features, chosen, why)


def column_type(column: pd.Series, *, unit: str | None = None) -> ColumnType:
    """What a column holds, by its values and, for durations, its name or unit."""
    if is_datetime64_any_dtype(column.dtype):
        return "date-time"
    present = column.dropna()
    if not is_number(column):
        if holds_dates(column):
            return "date-time"
        words = present.astype("str").str.count(r"\S+")
        return "text" if len(words) and (words >= 4).mean() > 0.2 else "category"
    if is_bool_dtype(column.dtype):
        return "category"
    if unit is not None or _matches(str(column.name), _DURATION):
        return "duration"
    values = present.unique().astype(np.float64)
    low, high = ORDINAL_VALUES
    whole = bool(np.all(values == np.round(values)))
    if whole and len(values) == 2:
        return "category"
    if whole and low <= len(values) <= high and values.max() - values.min() < high:
        return "ordinal"
    return "number"


def is_numbers(column: pd.Series) -> bool:
    """Whether a column holds numbers, or text that is mostly numbers."""
    if is_number(column):
        return True
    present = column.dropna()
    if present.empty or is_datetime64_any_dtype(column.dtype):
        return False
    numbers = pd.to_numeric(present.astype("str"), errors="coerce")
    return bool(numbers.notna().mean() > MOSTLY_NUMBERS)


def _named(columns: Sequence[str], words: str) -> str | None:
    exact = re.compile(rf"^{words}$", re.IGNORECASE)
    for pattern in (exact, _inside(words)):
        for name in columns:
            if pattern.search(name):
                return name
    return None


def _inside(words: str) -> re.Pattern[str]:
    return re.compile(rf"(^|[_\W]){words}([_\W]?(id|nr|no|number|index))?($|[_\W\d])", re.I)


def _matches(name: str, words: str) -> bool:
    return bool(_inside(words).search(name))


def _find_person(
    long: pd.DataFrame, columns: Sequence[str], covariates: pd.DataFrame | None
) -> str | None:
    """The column both tables have, one with the name of an id, or one that stands in blocks."""
    if covariates is not None:
        both = [name for name in columns if name in covariates.columns]
        unique = [name for name in both if covariates[name].is_unique]
        shared = _named(unique, _PERSON) or (unique[0] if unique else None)
        if shared is not None:
            return shared
    return _named(columns, _PERSON) or _in_blocks(long) or _repeating_text(long)


def _in_blocks(long: pd.DataFrame) -> str | None:
    """The first column whose equal values all stand together, in blocks of three rows or more."""
    for name in long.columns:
        column = long[name]
        whole = not is_number(column) or bool((column.dropna() % 1 == 0).all())
        if not whole or column.isna().any():
            continue
        n_values = column.nunique()
        n_blocks = int((column != column.shift()).sum())
        if 3 <= n_values == n_blocks and n_values <= len(column) / 3:
            return str(name)
    return None


def _repeating_text(long: pd.DataFrame) -> str | None:
    for name in long.columns:
        column = long[name]
        if not is_numeric_dtype(column) and 2 <= column.nunique() <= len(long) / 3:
            return str(name)
    return None


def _find_time(long: pd.DataFrame, person: str | None, columns: Sequence[str]) -> str | None:
    """A column with the name of a time, else dates, else the first that rises in every person."""
    named = _named(columns, _TIME)
    if named is not None or person is None:
        return named
    dates = [name for name in columns if holds_dates(long[name])]
    if dates:
        return dates[0]
    return next((name for name in columns if _rises(long, person, name)), None)


def _rises(long: pd.DataFrame, person: str, name: str) -> bool:
    """Whether a column rises from row to row within every person."""
    if not is_number(long[name]) or long[name].isna().any():
        return False
    steps = long[name].astype("float64").groupby(long[person], sort=False).diff().dropna()
    return len(steps) > 0 and bool((steps > 0).all())


def _why_time(long: pd.DataFrame, person: str | None, name: str) -> str:
    if person is not None and _rises(long, person, name):
        return "it rises from row to row within every person."
    if holds_dates(long[name]):
        return "it holds dates."
    return "its name is that of a time."


def _why_feature(column: pd.Series) -> str:
    if is_number(column):
        return "feature: numbers that vary within persons."
    return "feature: mostly numbers that vary within persons; its words have to be mended."


def _varies(long: pd.DataFrame, person: str, name: str) -> bool:
    return bool((long.groupby(person, sort=False)[name].nunique() > 1).any())


def _few_words(long: pd.DataFrame, columns: Sequence[str]) -> str | None:
    for name in columns:
        words = not is_numbers(long[name])
        if words and 2 <= long[name].nunique() <= 12:
            return name
    return None
