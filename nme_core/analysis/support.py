"""Rows of ``transitions`` as matrices, and which of them may be shown: no support, no statement."""

from __future__ import annotations

import pandas as pd

#: Visits of a state from which what follows it may be named first, as the largest difference.
LEADING = 5
_VALUES = ["value", "ci_low", "ci_high"]


def supported(transitions: pd.DataFrame) -> pd.DataFrame:
    """The table ``transitions`` without what is said of states that a person was never in.

    Value and interval are missing there; the population's rows, and tables of before without
    ``visits``, stay.
    """
    if "visits" not in transitions:
        return transitions
    never = (transitions["person"] != "") & (transitions["visits"] == 0)
    left = transitions[_VALUES].mask(never)
    return transitions.assign(**{name: left[name] for name in _VALUES})


def may_lead(transitions: pd.DataFrame) -> pd.Series:
    """Whether a row of a person may be a headline or be counted among the furthest, row by row."""
    if "visits" not in transitions:
        return pd.Series(True, index=transitions.index)
    return ~(transitions["visits"] < LEADING)


def as_matrix(rows: pd.DataFrame, column: str = "value") -> pd.DataFrame:
    """A column of one person's rows of one read-out, from × to, states in the order written."""
    states = list(dict.fromkeys(rows["from"]))
    wide = rows.pivot(index="from", columns="to", values=column)
    return wide.reindex(index=states, columns=states).astype(float)


def of_persons(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the people, where a table has other grouping factors too: the first are theirs."""
    if "group" not in table or table.empty:
        return table
    own: pd.DataFrame = table[table["group"] == table["group"].iloc[0]]
    return own
