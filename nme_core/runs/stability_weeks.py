"""Weeks that are left out one after the other: does one of them make what is read off people?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.study import Study
from nme_core.study.time.occasions import DAYS_OF

#: Parts of people's rows where there are no weeks.
PARTS = 7
#: Share of the people whose rows have to reach over more than two weeks.
_LONG = 0.5

#: Numbers of people from some rows, given the rows and their pieces of sequences.
Estimate = Callable[[NDArray[np.bool_], pd.Series], pd.DataFrame]


@dataclass(frozen=True)
class Weeks:
    """Every person's rows in parts that follow each other.

    Attributes
    ----------
    number : array of int, shape (n_rows,)
        Part of each row, from 1.
    label : str
        What a part is, in words.
    """

    number: NDArray[np.int64]
    label: str

    @classmethod
    def of(cls, study: Study) -> Weeks:
        """Weeks from a person's first row on; else, or of short studies, sevenths of the rows."""
        days = _days(study)
        if days is not None:
            since = days - days.groupby(study.groups).transform("min")
            if (since.groupby(study.groups).max() > 14).mean() >= _LONG:
                return cls((since // 7).to_numpy(dtype=np.int64) + 1, "week")
        rows = study.groups.groupby(study.groups)
        place, size = rows.cumcount().to_numpy(), rows.transform("size").to_numpy()
        return cls(PARTS * place // size + 1, "seventh of the rows")


def _days(study: Study) -> pd.Series | None:
    """Time of each row in days; None where the unit of times is not known."""
    if study.time is None or study.time.isna().any():
        return None
    if pd.api.types.is_datetime64_any_dtype(study.time):
        return pd.Series((study.time - study.time.min()) / pd.Timedelta(days=1))
    if study.time_unit is None:
        return None
    return study.time.astype(float) * DAYS_OF[study.time_unit]


def agreement_without(
    study: Study,
    estimate: Estimate,
    agreement: Callable[[pd.DataFrame, pd.DataFrame], NDArray[np.float64]],
    least: int,
    say: Callable[[str, float], None],
) -> pd.DataFrame:
    """Lowest agreement of people's numbers without one part of their rows with those from all.

    Parameters
    ----------
    study : Study
        The study.
    estimate : callable
        Reads people, see `Estimate`.
    agreement : callable
        Correlation of two tables over people by parameter, the last one of all together.
    least : int
        People at least who have rows both in a part and outside of it: else it is passed over.
    say : callable
        Told what is being done, and the part of the way behind.

    Returns
    -------
    DataFrame
        Columns ``week_agreement``, ``week`` (the part without which it is lowest), ``n_weeks``
        and ``weeks`` (what a part is); one row by parameter and one for all together.
    """
    parts = Weeks.of(study)
    observed = study.y.notna().to_numpy()
    every = estimate(np.ones(len(observed), dtype=bool), study.sequence_ids)
    found, numbers = [], np.unique(parts.number)
    for number in numbers:
        say(f"Leaving out {parts.label} {number}", float(number / numbers[-1]))
        inside = parts.number == number
        counts = [
            pd.Series(rows & observed).groupby(study.groups.to_numpy()).any()
            for rows in (inside, ~inside)
        ]
        both = counts[0] & counts[1]
        persons = [who for who in study.persons if both.get(who, False)]
        if len(persons) < least:
            continue
        after = np.where(parts.number > number, "\x1fafter", "")
        kept = ~inside & study.groups.isin(persons).to_numpy()
        less = estimate(kept, study.sequence_ids + after)
        found.append((number, agreement(less.loc[persons], every.loc[persons])))
    if not found:
        return pd.DataFrame({"week_agreement": [np.nan], "week": [np.nan], "n_weeks": [0],
                             "weeks": [parts.label]}).iloc[[0] * (every.shape[1] + 1)]  # fmt: skip
    table = np.array([values for _, values in found])
    lowest = np.where(np.isnan(table), np.inf, table).argmin(axis=0)
    names = np.array([number for number, _ in found])
    return pd.DataFrame(
        {
            "week_agreement": table[lowest, np.arange(table.shape[1])],
            "week": names[lowest],
            "n_weeks": len(found),
            "weeks": parts.label,
        }
    )
