"""Where values are missing, over persons, columns and time; and what is done about features."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.exceptions import OptionError
from nme_core.study.study import Study

#: What is done about missing features: the person's last known value; the mean of the training rows
#: beside an indicator input (which models do by themselves); or the row is left out.
Missing = Literal["indicator", "carry", "drop"]
MISSING: tuple[Missing, ...] = get_args(Missing)

#: Most steps of time that the grids have.
MOST_STEPS = 60


def fill_features(study: Study, how: str = "indicator") -> Study:
    """Do something about missing features; `notes` says what, and how many values it was.

    Parameters
    ----------
    study : Study
        Rows in order of time within each person.
    how : "indicator", "carry" or "drop"
        ``"indicator"`` leaves the study as it is: models put the mean of the training rows there,
        beside an input that tells that the value was missing. ``"carry"`` writes the person's last
        known value, from earlier rows only; what has none is left to the indicator. ``"drop"``
        leaves the rows out; in a sequence their neighbours then follow each other.

    Raises
    ------
    OptionError
        There is no such way.
    DataError
        No row is complete.
    """
    check_missing(how)
    told = replace(study, recipe=replace(study.recipe, missing=how))
    empty = study.X.isna()
    n_values, n_rows = int(empty.to_numpy().sum()), int(empty.any(axis=1).sum())
    if n_values == 0:
        return told
    which = f"{n_values:,} missing feature values in {n_rows:,} rows"
    if how == "carry":
        X = carry_forward(study.X, study.groups)
        left = int(X.isna().to_numpy().sum())
        note = (
            f"{which}: {n_values - left:,} took the person's last known value (--missing carry); "
            f"{left:,} before any known value take the mean of the training rows, beside an "
            "indicator."
        )
        return replace(told, X=X, notes=(*study.notes, note))
    if how == "drop":
        kept = told.take(~empty.any(axis=1).to_numpy())
        note = f"{which}: these rows were left out (--missing drop)."
        return replace(kept, notes=(*study.notes, note))
    note = (
        f"{which}: they take the mean of the training rows, beside an indicator that the value was "
        "missing (--missing indicator, the default)."
    )
    return replace(told, notes=(*study.notes, note))


def check_missing(how: str) -> None:
    """Raise OptionError where there is no such way of dealing with missing features."""
    if how not in MISSING:
        raise OptionError(
            f"No way of dealing with missing features is called {how!r}.",
            remedy=f"Choose {', '.join(MISSING[:-1])} or {MISSING[-1]}.",
        )


def carry_forward(X: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Features with each missing value replaced by the person's last known one before it."""
    return X.groupby(groups, sort=False).ffill()[list(X.columns)]


def missing_grid(study: Study, by: Literal["person", "column"]) -> pd.DataFrame:
    """Share of missing cells of outcome and features in each step of time.

    Parameters
    ----------
    study : Study
        The study.
    by : "person" or "column"
        What the rows of the grid are.

    Returns
    -------
    DataFrame
        One row per person or column; the columns of the grid are the beginnings of equally long
        steps of time since the person's first row (days where the times are dates; numbers of rows
        where there is no time). NaN: nobody has a row there.
    """
    empty = pd.concat([study.y.to_frame(), study.X], axis=1).isna()
    step, starts = _steps(_since_first(study))
    if by == "column":
        grid = empty.groupby(step).mean().T
    else:
        share = empty.mean(axis=1)
        grid = share.groupby([study.groups, step], sort=False).mean().unstack()
        grid = grid.reindex(list(study.persons))
    grid = grid.reindex(columns=range(len(starts)))
    grid.columns = pd.Index(starts)
    return grid.rename_axis(index=by, columns="since_first")


def _since_first(study: Study) -> npt.NDArray[np.float64]:
    """Time of each row since its person's first: days, units of the time column, or rows."""
    if study.time is None:
        rows = study.groups.groupby(study.groups).cumcount()
        return np.asarray(rows, dtype=np.float64)
    since = study.time - study.time.groupby(study.groups).transform("min")
    if is_datetime64_any_dtype(study.time.dtype):
        since = since.dt.total_seconds() / 86_400
    return np.asarray(since, dtype=np.float64)


def _steps(
    since: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Number of each row's step, and where the steps begin."""
    longest = float(since.max())
    if longest == 0:
        return np.zeros(len(since), dtype=np.intp), np.zeros(1)
    whole = bool(np.all(since == np.round(since)))
    width = longest / MOST_STEPS
    if whole:
        width = float(np.ceil((longest + 1) / MOST_STEPS))
    step = np.floor(since / width).astype(np.intp)
    step = np.minimum(step, int(np.floor(longest / width)) if whole else MOST_STEPS - 1)
    return step, np.arange(step.max() + 1) * width
