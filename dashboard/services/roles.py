"""A first guess at what each column of an uploaded table is; the user can change all of it."""

from __future__ import annotations

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
    "propose_roles",
]

#: Most distinct whole numbers that are proposed as states.
_MOST_STATES = 5


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
