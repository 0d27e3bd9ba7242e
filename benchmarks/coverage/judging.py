"""Whether intervals hold the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Held:
    """Intervals of one quantity in one study.

    Attributes
    ----------
    n, covered : int
        Intervals, and how many hold the truth; those without ends do not count.
    width : float
        Median width; NaN where there is none.
    error : float
        Σ (estimate − truth) truth/Σ truth²: −.2 where estimates are a fifth too small; NaN where
        the truth is 0.
    """

    n: int
    covered: int
    width: float
    error: float

    @classmethod
    def told(cls, held: ArrayLike) -> Held:
        """Of intervals that say themselves whether they hold the truth: 1, 0, or NaN."""
        known = np.asarray(held, dtype=np.float64).ravel()
        known = known[np.isfinite(known)]
        return cls(len(known), int(known.sum()), float("nan"), float("nan"))

    @classmethod
    def of(cls, low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> Held:
        """Judge intervals, arrays of one shape; an estimate is the middle of its interval."""
        ends = [np.asarray(end, dtype=np.float64).ravel() for end in (low, high, truth)]
        known = np.isfinite(ends[0]) & np.isfinite(ends[1])
        lower, upper, true = (end[known] for end in ends)
        if not known.any():
            return cls(0, 0, float("nan"), float("nan"))
        inside = (lower <= true) & (true <= upper)
        size, off = np.square(true).sum(), (lower + upper) / 2 - true
        error = float((off * true).sum() / size) if size > 0 else float("nan")
        return cls(len(true), int(inside.sum()), float(np.median(upper - lower)), error)
