"""What a model says of the residuals of one person: whether they remember, and for how long."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nme_core.estimators.inputs import Labels
from nme_core.exceptions import DataError, FallbackWarning
from nme_core.nn import Gaussian
from nme_core.training import AutocorrelatedFit, ResidualMemory

RESIDUALS = ("auto", "iid", "ar1")
#: What is said of people whose rows have no order.
TIED = "has two rows at the same time"
#: Nanoseconds.
_DAY = 86_400e9


@dataclass(frozen=True)
class ResidualProcess:
    """Residual autocorrelation ρ for one unit of time (a day where times are dates).

    Attributes
    ----------
    rho, se : float
        ρ and its standard error; NaN where it was not estimated.
    low, high : float
        95 % interval.
    p : float
        Of the likelihood-ratio test against independent residuals.
    """

    rho: float = np.nan
    se: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan

    @classmethod
    def of(cls, found: AutocorrelatedFit | ResidualMemory | None) -> ResidualProcess:
        """Read it off a fit; None: it was not estimated."""
        if found is None:
            return cls()
        return cls(found.rho, found.rho_se, *found.rho_interval, found.p_independent)

    @classmethod
    def mixed(cls, several: Sequence[tuple[float, ResidualProcess]]) -> ResidualProcess:
        """That of a mixture: the mean over candidates, (weight, process) each."""
        known = [(weight, one) for weight, one in several if np.isfinite(one.rho)]
        if not known:
            return cls()
        weights = [weight for weight, _ in known]
        values = np.array([list(vars(one).values()) for _, one in known])
        return cls(*np.average(values, axis=0, weights=weights).tolist())

    @property
    def family(self) -> Gaussian:
        """The family of outcomes with such residuals."""
        return Gaussian(self._share if np.isfinite(self.rho) and self.rho != 0 else None)

    def _share(self, gaps: Tensor) -> Tensor:
        """Correlation of rows so far apart; of a negative ρ over equal steps, 0 at inf."""
        share: Tensor = torch.as_tensor(abs(self.rho), dtype=torch.float64) ** gaps.double()
        return math.copysign(1.0, self.rho) * share


def read_times(times: ArrayLike | None) -> NDArray[np.float64] | None:
    """Times as numbers; dates as days.

    Raises
    ------
    DataError
        If a time is missing, or neither a number nor a date.
    """
    if times is None:
        return None
    column: Any = pd.Series(times).reset_index(drop=True)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    values: NDArray[np.float64]
    if column.dtype.kind in "mM":
        nanoseconds = column.to_numpy(f"{column.dtype.kind}8[ns]").astype(np.int64)
        values = np.where(column.isna(), np.nan, nanoseconds / _DAY)
    else:
        values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    missing = ~np.isfinite(values)
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(
            f"The time of row {row + 1} is missing, or neither a number nor a date.",
            remedy='Give times for every row, or residual="iid" and no times.',
            row=row,
        )
    return values


def rows_before(
    persons: NDArray[np.int64], times: NDArray[np.float64], steps: int
) -> NDArray[np.int64]:
    """The person's row so many before each in time, shape (n,); −1 where it has none."""
    order = np.lexsort((times, persons))
    before = np.full(len(order), -1)
    same = persons[order][steps:] == persons[order][:-steps]
    before[order[steps:][same]] = order[:-steps][same]
    return before


def usable(
    times: NDArray[np.float64], codes: NDArray[np.int64], levels: Sequence[str], *, needed: bool
) -> bool:
    """Whether no person has two rows at one time, and one has two rows.

    Raises
    ------
    DataError
        If that is not so although it is `needed`.

    Warns
    -----
    FallbackWarning
        If two rows of a person have the same time and it is not needed.
    """
    order = np.lexsort((times, codes))
    same = codes[order][1:] == codes[order][:-1]
    tied = np.flatnonzero(same & (np.diff(times[order]) == 0))
    if len(tied):
        whose = codes[order][tied]
        person, n_people = str(levels[int(whose[0])]), len(np.unique(whose))
        what = f"Person {person!r} {TIED}"
        scale = "" if len(tied) == 1 else (
            f" In all, {len(tied):,} rows of {n_people:,} people stand at the time of another."
        )  # fmt: skip
        if needed:
            raise DataError(
                f"{what}, so that the residuals' autocorrelation has no order to follow.{scale}",
                remedy='Correct the times, or use residual="iid".',
                person=person,
            )
        warnings.warn(
            f"{what}: residuals count as independent, so that intervals are too narrow where they"
            f" are not.{scale} Correct the times to have their autocorrelation estimated.",
            FallbackWarning,
            stacklevel=3,
        )
        return False
    if not same.any():
        if needed:
            raise DataError(
                "No person has two rows, so that residuals have no autocorrelation.",
                remedy='Use residual="iid".',
            )
        return False
    return True


def usable_times(
    times: ArrayLike | None, factors: Sequence[Labels], *, needed: bool, quiet: bool
) -> ArrayLike | None:
    """Times where the residuals' autocorrelation can follow them; see `usable`.

    `quiet`: beeps of several days at one time are no fault of theirs.
    """
    if times is None or len(factors) > 1:
        return None
    with warnings.catch_warnings():
        if quiet:
            warnings.simplefilter("ignore", FallbackWarning)
        known = usable(np.asarray(times), factors[0].codes, factors[0].levels, needed=needed)
    return times if known else None


def restored(outcome: dict[str, Any]) -> ResidualProcess:
    """Undo ``vars`` of what a file holds; models of before have none."""
    given = outcome.get("residuals")
    return ResidualProcess() if given is None else ResidualProcess(**given)
