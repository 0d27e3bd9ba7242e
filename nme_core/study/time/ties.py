"""Rows of a person at one time: what they may be, and what tells them apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.study.check.report import Finding
from nme_core.study.clean.people import keep_one_of, tells_apart
from nme_core.study.clean.remedies import Remedy
from nme_core.study.columns import as_labels, label, place
from nme_core.study.roles.role_names import is_arm, is_steady

_NEEDS_ORDER = (
    "An NME-MLP takes them, and keeps rows of one time in one part of the split; NME-CRF and "
    "--residual ar1 need an order."
)

KEEP_ONE = "If they are the same people, keep one of the rows at each time."


def find_ties(
    table: pd.DataFrame,
    tied: npt.NDArray[np.bool_],
    keys: Sequence[str],
    *,
    values: Collection[str],
    groups: Sequence[str],
) -> Iterator[Finding]:
    """Tell of rows at one time, so that no remedy costs a clinic, a rater or a trial.

    Parameters
    ----------
    table : DataFrame
        The long table.
    tied : array of bool
        Rows at a time at which the person has an earlier row.
    keys : sequence of str
        Columns of the person, the sequence where there is one, and the time.
    values : collection of str
        The outcome and the features, which tell nothing apart.
    groups : sequence of str
        Columns of further grouping factors.
    """
    again = np.flatnonzero(tied)
    if not len(again):
        return
    row, time = table[list(keys)].iloc[int(again[0])], keys[-1]
    same = np.flatnonzero((table[list(keys)] == row).all(axis=1))[:5]
    people = as_labels(table[keys[0]].iloc[again]).nunique()
    rows = "1 row stands" if len(again) == 1 else f"{len(again)} rows stand"
    where = ", ".join(place(table.index, int(i)) for i in same)
    message = (
        f"{rows} at the same {time!r} as another row of the same person, in {people} "
        f"{'person' if people == 1 else 'people'}; the first: person {label(row[keys[0]])!r} at "
        f"{label(row[time])} ({where})."
    )
    repeated = table.duplicated().to_numpy()
    between = [] if repeated[tied].all() else tells_apart(table, list(keys), values, groups)
    name = between[0] if between else ""
    if name and name not in groups and is_arm(name):
        yield Finding(
            "look",
            f"{message} All of them differ in {name!r}.",
            name,
            f"If ids are numbered anew in each {name!r}, tell people apart by both. If the same "
            f"people were in each, name {name!r} as the sequence. {_NEEDS_ORDER}",
            (Remedy("join_columns", (keys[0], name)),),
        )
    elif name and (name in groups or is_steady(name)):
        yield Finding(
            "look",
            f"{message} All of them differ in {name!r}.",
            name,
            f"If ids are numbered anew in each {name!r}, tell people apart by both. {KEEP_ONE} "
            f"{_NEEDS_ORDER}",
            (Remedy("join_columns", (keys[0], name)), *keep_one_of(table, keys, name)),
        )
    elif not repeated[tied].all():
        told = f" All of them differ in {name!r}; name it as the sequence there." if name else ""
        yield Finding("info", message, time, f"{_NEEDS_ORDER}{told}")
    if repeated.any():
        count = int(repeated.sum())
        yield Finding(
            "look",
            f"{count} {'row repeats' if count == 1 else 'rows repeat'} another one in every column "
            f"of the table; the first is {place(table.index, int(np.argmax(repeated)))}.",
            time,
            "If they were exported twice, keep one of each.",
            (Remedy("drop_duplicates", tuple(map(str, table.columns))),),
        )
