"""A first guess at what each column of an uploaded table is; the user can change all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_numeric_dtype

from nme_core.exceptions import DataError
from nme_core.study.columns import OutcomeKind, as_outcome, label
from nme_core.study.roles.proposal import COLUMN_TYPES, Proposal, propose_roles

__all__ = [
    "COLUMN_TYPES",
    "OutcomeGuess",
    "OutcomeKind",
    "Proposal",
    "guess_outcome",
    "outcome_codes",
    "propose_roles",
]

#: Most distinct whole numbers that are proposed as states.
_MOST_STATES = 5
#: States that are asked for their names, at most.
_MOST_CODES = 12
_CODE = re.compile(r"[+-]?\d+(?:\.\d+)?|[^\W\d_]")


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


def outcome_codes(column: pd.Series, kind: OutcomeKind | None) -> tuple[str, ...]:
    """States of an outcome that are codes, not words: numbers, or single letters."""
    if (kind or guess_outcome(column).kind) == "number":
        return ()
    codes = sorted({label(value) for value in column.dropna().unique()}, key=_in_order)
    coded = all(_CODE.fullmatch(code) for code in codes)
    return tuple(codes) if coded and 1 < len(codes) <= _MOST_CODES else ()


def _in_order(code: str) -> tuple[float, str]:
    return (float(code), "") if code.lstrip("+-")[:1].isdigit() else (float("inf"), code)


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
