"""Where one person's moves differ from the population's: one finding for every surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nme_core.analysis.support import may_lead, supported
from nme_core.io import POPULATION


@dataclass(frozen=True)
class Move:
    """One transition of a person with its 95 % interval, beside the population's.

    ``leads`` says whether the person was in ``start`` often enough for a headline; ``count`` how
    often the move was observed and ``visits`` out of how many (NaN where that is not known).
    """

    start: str
    end: str
    own: float
    shared: float
    low: float
    high: float
    count: float
    visits: float
    leads: bool

    @property
    def apart(self) -> bool | None:
        """Whether the interval excludes the population's value; None without an interval."""
        if np.isnan(self.low):
            return None
        return not self.low <= self.shared <= self.high


def person_rows(transitions: pd.DataFrame, person: str, readout: str) -> pd.DataFrame:
    """Rows of ``transitions`` of a person and read-out, with how often each move was observed."""
    rows = transitions[transitions["person"] == person]
    own, counted = (rows[rows["readout"] == name] for name in (readout, "observed"))
    return own.drop(columns="count").merge(
        counted[["from", "to", "count"]], on=["from", "to"], how="left"
    )


def person_moves(transitions: pd.DataFrame, person: str, readout: str) -> list[Move]:
    """A person's moves in one read-out of the table ``transitions``; see `moves_beside`."""
    own, shared = (person_rows(transitions, who, readout) for who in (person, POPULATION))
    return moves_beside(own, shared)


def moves_beside(own: pd.DataFrame, shared: pd.DataFrame) -> list[Move]:
    """A person's rows beside the population's, the largest difference first.

    Without moves from states that the person was never in.
    """
    rows = supported(own).assign(leads=may_lead(own)).dropna(subset=["value"])
    both = rows.merge(shared[["from", "to", "value"]], on=["from", "to"], suffixes=("", "_all"))
    if "count" not in both:
        both["count"] = np.nan
    both["of"] = both.groupby("from")["count"].transform(lambda counts: counts.sum(min_count=1))
    gap = (both["value"] - both["value_all"]).abs()
    names = ["from", "to", "value", "value_all", "ci_low", "ci_high", "count", "of", "leads"]
    ordered = both.loc[gap.sort_values(ascending=False, kind="stable").index, names]
    return [Move(*row) for row in ordered.itertuples(index=False)]


def headline(moves: Sequence[Move]) -> Move | None:
    """The move that differs most, of those that may lead; None where none differs."""
    return next((move for move in moves if move.leads and move.own != move.shared), None)


def n_apart(moves: Sequence[Move]) -> int | None:
    """How many intervals exclude the population's value; None without intervals."""
    known = [move.apart for move in moves if move.apart is not None]
    return sum(known) if known else None
