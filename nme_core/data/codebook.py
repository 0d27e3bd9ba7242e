"""The codebook of a study: what each of its columns is, in which unit, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype

from nme_core.data.columns import as_labels, is_number
from nme_core.data.formats.result import Labels
from nme_core.data.proposal import COLUMN_TYPES, column_type
from nme_core.exceptions import DataError

#: Columns of a codebook, in order.
COLUMNS = ("name", "label", "type", "unit", "range", "missing", "role")

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
        if role in ("person", "sequence"):
            kind = "category"
        rows.append(
            (
                name,
                labels.columns.get(name, ""),
                kind,
                unit or "",
                _range(column, labels.values.get(name, {}), as_id=role in ("person", "sequence")),
                str(int(column.isna().sum())),
                role,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


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
            f"There is no type {unknown.iloc[0]!r}.", remedy=f"Choose {', '.join(COLUMN_TYPES)}."
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
    texts = sorted(set(as_labels(present)))
    if as_id:
        return f"{len(texts)} different"
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
