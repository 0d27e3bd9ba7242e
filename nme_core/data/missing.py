"""Where values are missing: over persons, columns and time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.data.study import Study

#: Most steps of time that the grids have.
MOST_STEPS = 60


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
