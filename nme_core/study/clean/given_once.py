"""Columns whose values stand only in the first of their rows, the cells below left empty."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy, apply_remedies
from nme_core.study.columns import as_labels, place
from nme_core.study.roles.role_names import is_age, is_no_person, is_sequence, is_time, person_score

#: Share of empty cells from which on a column other than the person's is given once.
_EMPTY = 0.5


def is_given_once(column: pd.Series, ids: pd.Series | None = None) -> bool:
    """Whether the first row has a value, and most of the others are empty below one.

    Of a person's column (no `ids`) every value stands once; of another each person's first row has
    one.
    """
    labels = as_labels(column)
    empty = (labels.isna() | (labels == "")).to_numpy()
    if not len(empty) or empty[0] or empty.mean() < _EMPTY or empty.sum() > len(empty) - 2:
        return False
    if ids is None:
        return not labels[~empty].duplicated().any()
    firsts = (ids != ids.shift()).to_numpy()
    return not empty[firsts].any()


def find_given_once(
    table: pd.DataFrame, name: str, role: str, person: str | None = None
) -> Finding | None:
    """What to say of a column with a role that is given once, and the remedy that fills it down."""
    if not is_given_once(table[name], None if person is None else as_labels(table[person])):
        return None
    labels = as_labels(table[name])
    empty = (labels.isna() | (labels == "")).to_numpy()
    return Finding(
        "stop",
        f"{int(empty.sum())} of {len(table)} rows have no {role} in column {name!r} (the first is "
        f"{place(table.index, int(np.argmax(empty)))}): each value stands only in the first of its "
        "rows, as where cells were merged.",
        name,
        "Fill the empty cells with the value above them.",
        (Remedy("fill_down", (name,)),),
    )


def fill_given_once(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Remedy, ...]]:
    """The table with the person's column filled down where it is given once, and times as well."""
    names = [str(name) for name in table.columns]
    told = [name for name in names if person_score(name) > 0]
    told = told or [name for name in names[:1] if not is_no_person(name)]
    once = [name for name in told if is_given_once(table[name])][:1]
    remedies = [Remedy("fill_down", (name,)) for name in once]
    table, _ = apply_remedies(table, remedies)
    ids = next((as_labels(table[name]) for name in told if table[name].notna().all()), None)
    times = [name for name in names if is_sequence(name) or (is_time(name) and not is_age(name))]
    if ids is not None:
        filled = [name for name in times if is_given_once(table[name], ids)]
        remedies += [Remedy("fill_down", (name,)) for name in filled]
    return apply_remedies(table, remedies[len(once) :])[0], tuple(remedies)
