"""A first guess at what each column of an uploaded table is; the user can change all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_numeric_dtype

from nme_core.data.columns import OutcomeKind, as_outcome, label
from nme_core.exceptions import DataError

__all__ = ["OutcomeGuess", "OutcomeKind", "RoleGuess", "guess_outcome", "guess_roles"]

_PERSON = r"(person|participant|subject|patient|proband|dyad|user|respondent|id|pid|vpn)"
_TIME = r"(time|date|datetime|timestamp|day|step|beep|occasion|week|age|t)"
_SEQUENCE = r"(sequence|session|segment|visit|interaction|seq)"
_OUTCOME = r"(state|outcome|mood|label|score|affect|class|target|bdi|phq|madrs|y)"
_SPLIT = r"(part|split|fold|set)"

#: Most distinct whole numbers that are proposed as states.
_MOST_STATES = 5


@dataclass(frozen=True)
class RoleGuess:
    """A proposed role for each column; None or empty where nothing fits."""

    person: str | None
    time: str | None
    sequence: str | None
    outcome: str | None
    features: list[str]
    covariates: list[str]


def guess_roles(long: pd.DataFrame, covariates: pd.DataFrame | None = None) -> RoleGuess:
    """Propose roles from column names and from which columns vary within a person.

    Parameters
    ----------
    long : DataFrame
        One row per person and occasion, as read (text or numbers).
    covariates : DataFrame, optional
        One row per person.
    """
    columns = [str(name) for name in long.columns]
    person = _shared(columns, covariates) or _named(columns, _PERSON) or _repeating_text(long)
    split = _named(columns, _SPLIT)
    rest = [name for name in columns if name not in (person, split)]
    varying = [name for name in rest if person is None or _varies(long, person, name)]
    sequence = _named(rest, _SEQUENCE)
    time = _named([name for name in varying if name != sequence], _TIME)
    open_columns = [name for name in varying if name not in (sequence, time)]
    outcome = _named(open_columns, _OUTCOME) or _few_words(long, open_columns)
    features = [name for name in open_columns if name != outcome and is_numeric_dtype(long[name])]
    constant = [name for name in rest if name not in varying and name not in (sequence, time)]
    extra = [] if covariates is None else [str(c) for c in covariates.columns if c != person]
    chosen = list(dict.fromkeys([*extra, *constant]))
    return RoleGuess(person, time, sequence, outcome, features, chosen)


@dataclass(frozen=True)
class OutcomeGuess:
    """Whether an outcome is proposed as a number or as states, and what it holds.

    ``reason`` is ``"words"``, ``"two values"``, ``"few whole numbers"``, ``"numbers"`` or
    ``"unclear"`` (constant, or numbers with a few cells of text: loading says what is wrong).
    ``values`` are the distinct values as text where they are few, otherwise empty.
    """

    kind: OutcomeKind
    reason: str
    n_values: int
    values: tuple[str, ...]


def guess_outcome(column: pd.Series) -> OutcomeGuess:
    """Propose what an outcome is: as `Study` decides, but few whole numbers are states."""
    values = column.dropna().unique()
    try:
        _, kind = as_outcome(column, None)
    except DataError:
        return OutcomeGuess("number", "unclear", len(values), ())
    if not is_numeric_dtype(column):
        return OutcomeGuess(kind, "words", len(values), ())
    texts = tuple(label(value) for value in sorted(values)) if len(values) <= _MOST_STATES else ()
    if kind == "class":
        return OutcomeGuess(kind, "two values", len(values), texts)
    if texts and all(float(value).is_integer() for value in values):
        return OutcomeGuess("class", "few whole numbers", len(values), texts)
    return OutcomeGuess(kind, "numbers", len(values), texts)


def _named(columns: list[str], words: str) -> str | None:
    exact = re.compile(rf"^{words}$", re.IGNORECASE)
    inside = re.compile(rf"(^|[_\W]){words}([_\W]?(id|nr|no|number|index))?($|[_\W\d])", re.I)
    for pattern in (exact, inside):
        for name in columns:
            if pattern.search(name):
                return name
    return None


def _shared(columns: list[str], covariates: pd.DataFrame | None) -> str | None:
    """The column both tables have, where it names each person once in the second."""
    if covariates is None:
        return None
    both = [name for name in columns if name in covariates.columns]
    unique = [name for name in both if covariates[name].is_unique]
    return _named(unique, _PERSON) or (unique[0] if unique else None)


def _varies(long: pd.DataFrame, person: str, name: str) -> bool:
    return bool((long.groupby(person, sort=False)[name].nunique() > 1).any())


def _repeating_text(long: pd.DataFrame) -> str | None:
    for name in long.columns:
        column = long[name]
        if not is_numeric_dtype(column) and 2 <= column.nunique() <= len(long) / 3:
            return str(name)
    return None


def _few_words(long: pd.DataFrame, columns: list[str]) -> str | None:
    for name in columns:
        if not is_numeric_dtype(long[name]) and 2 <= long[name].nunique() <= 12:
            return name
    return None
