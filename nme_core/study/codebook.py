"""The codebook of a study: what each of its columns is, in which unit, and what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype

from nme_core.exceptions import DataError
from nme_core.study.column_types import COLUMN_TYPES, column_type
from nme_core.study.columns import as_labels, is_number
from nme_core.study.formats.result import Labels
from nme_core.study.reading import read_table

if TYPE_CHECKING:
    from nme_core.study.study import Study

#: Columns of a codebook, in order.
COLUMNS = ("name", "label", "type", "unit", "range", "missing", "role")

#: Roles of columns that hold ids.
_IDS = ("person", "sequence", "group")

#: Values that are listed; more are counted.
_MOST_LISTED = 12


def make_codebook(
    long: pd.DataFrame,
    covariates: pd.DataFrame | None,
    roles: Mapping[str, str],
    labels: Labels | None = None,
    *,
    states: bool = False,
) -> pd.DataFrame:
    """Describe the columns of a study.

    Parameters
    ----------
    long : DataFrame
        One row per person and occasion.
    covariates : DataFrame or None
        One row per person; its columns that `long` has too are described once.
    roles : dict of column: role
        ``"person"``, ``"time"``, ``"sequence"``, ``"outcome"``, ``"feature"``, ``"covariate"``.
    labels : Labels, optional
        Words that came with the file.
    states : bool
        Whether the outcome's values are states.

    Returns
    -------
    DataFrame
        One row per column that has a role, all text, with the columns `COLUMNS`. ``range`` holds
        the lowest and highest number, or the values with what they mean where they are few;
        ``missing`` the number of empty cells.
    """
    labels = labels or Labels()
    rows = []
    for column in _columns(long, covariates):
        name = str(column.name)
        role = roles.get(name)
        if role is None:
            continue
        unit = labels.units.get(name)
        kind = column_type(column, unit=unit)
        if role == "outcome" and states:
            kind = "state"
        if role in _IDS:
            kind = "category"
        rows.append(
            (
                name,
                labels.columns.get(name, ""),
                kind,
                unit or "",
                _range(column, labels.values.get(name, {}), as_id=role in _IDS),
                str(int(column.isna().sum())),
                role,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def study_codebook(study: Study, given: pd.DataFrame | None = None) -> pd.DataFrame:
    """Describe the columns of a study that have a role, as `make_codebook` does.

    Parameters
    ----------
    study : Study
        As it is analysed: after changes to the table.
    given : DataFrame, optional
        A codebook that was written or edited by hand: its rows stand in place of those that are
        made here. Columns that have no role in the study are left out.

    Raises
    ------
    DataError
        Where what is given is no codebook.
    """
    roles = study.roles
    long = pd.DataFrame({roles.person: study.groups})
    if roles.time is not None:
        long[roles.time] = study.time
    if roles.sequence is not None:
        long[roles.sequence] = study.sequence_ids
    long[roles.outcome] = study.y
    for name, column in study.further_groups.items():
        long[name] = column
    role_of = dict.fromkeys(roles.features, "feature") | {
        roles.person: "person",
        roles.outcome: "outcome",
        **dict.fromkeys(roles.groups, "group"),
        **dict.fromkeys(roles.covariates, "covariate"),
        **({} if roles.time is None else {roles.time: "time"}),
        **({} if roles.sequence is None else {roles.sequence: "sequence"}),
    }
    states = study.outcome_kind == "class"
    parts = [
        make_codebook(table, None, role_of, study.labels, states=states)
        for table in (long, study.X, study.covariates)
    ]
    made = pd.concat(parts, ignore_index=True).drop_duplicates("name", ignore_index=True)
    if given is None:
        return made
    if list(given.columns) != list(COLUMNS):
        raise DataError(
            "This is no codebook.", remedy=f"It needs the columns {', '.join(COLUMNS)}."
        )
    rows = given.drop_duplicates("name").set_index("name")
    own = made.set_index("name")
    own.update(rows.loc[rows.index.intersection(own.index)])
    return check_codebook(own.reset_index()[list(COLUMNS)], made["name"].tolist())


def read_codebook(path: str | os.PathLike[str]) -> pd.DataFrame:
    """A codebook from a file, all text; errors are those of `read_table`."""
    table = read_table(path, text=COLUMNS)
    return table.astype("object").where(table.notna(), "").astype("str")


def check_codebook(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """A codebook that was edited: its columns in order, as text without line breaks.

    Raises
    ------
    DataError
        It has other columns, other names than `names`, or a type that does not exist.
    """
    if list(table.columns) != list(COLUMNS) or list(table["name"].astype("str")) != names:
        raise DataError(
            "This is not the codebook of the study.",
            remedy=f"It needs the columns {', '.join(COLUMNS)} and one row per column.",
        )
    text = table.astype("object").where(table.notna(), "").astype("str")
    text = text.map(lambda cell: " ".join(cell.split()))
    unknown = text.loc[~text["type"].isin(COLUMN_TYPES), "type"]
    if len(unknown):
        raise DataError(
            f"No type is called {unknown.iloc[0]!r}.", remedy=f"Choose {', '.join(COLUMN_TYPES)}."
        )
    checked: pd.DataFrame = text
    return checked


def _columns(long: pd.DataFrame, covariates: pd.DataFrame | None) -> Iterator[pd.Series]:
    for name in long.columns:
        yield long[name]
    if covariates is not None:
        for name in covariates.columns:
            if name not in long.columns:
                yield covariates[name]


def _range(column: pd.Series, meanings: Mapping[str, str], *, as_id: bool) -> str:
    present = column.dropna()
    if present.empty:
        return ""
    if as_id:
        return f"{present.nunique()} different"
    if is_number(column) and not is_bool_dtype(column.dtype) and not meanings:
        numbers = present.to_numpy(dtype=np.float64)
        return f"{numbers.min():g} to {numbers.max():g}"
    texts = sorted(set(as_labels(present.drop_duplicates())))
    if meanings and len(texts) <= _MOST_LISTED:
        return "; ".join(
            f"{text} = {meanings[text]}" if text in meanings else text for text in texts
        )
    if is_number(column) and not is_bool_dtype(column.dtype):
        numbers = present.to_numpy(dtype=np.float64)
        return f"{numbers.min():g} to {numbers.max():g}"
    if len(texts) <= _MOST_LISTED:
        return "; ".join(texts)
    return f"{len(texts)} different"
