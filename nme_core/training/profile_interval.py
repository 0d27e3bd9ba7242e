"""Intervals by the profile of the likelihood, for parameters whose likelihood is not a parabola.

    {v : 2 (log L(v̂) − log L(v)) ≤ χ²₁(level)},    log L(v) the highest with the parameter at v

A variance near 0 has a likelihood that falls steeply on one side and slowly on the other, or is
highest at 0 itself: the interval is then lopsided, and its lower end is 0 (Bates et al. 2015,
section 5.1). Any engine can use it that can maximise its likelihood with one parameter fixed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from nme_core.exceptions import TrainingError
from nme_core.training.ascent import Floats, Objective, maximise

#: Relative precision of an end.
PRECISION = 1e-6
#: By how much log L may be above its maximum: what a search leaves.
_ABOVE = 1e-3
_DOUBLINGS, _FAR_BELOW = 60, 1e8
#: So far from 0 begins a coordinate in which the likelihood is even.
_ASIDE = 0.05
#: Least share of the largest eigenvalue of a guess of the information.
_LEAST = 1e-6


@dataclass(frozen=True)
class Profile:
    """Of the likelihood, over one parameter.

    Attributes
    ----------
    maximised : callable
        Highest log-likelihood with the parameter at a value between `lowest` and `highest`; given a
        second number, the search for it may end at any log-likelihood above that.
    estimate, best : float
        The parameter at the maximum, and the log-likelihood there.
    error : float
        Rough standard error, where the search for the ends starts; None: a tenth of the estimate.
    lowest, highest : float
        Where the parameter can lie. An end that the likelihood does not reach is there.
    level : float
        Share of samples whose interval holds the truth.
    """

    maximised: Callable[..., float]
    estimate: float
    best: float
    error: float | None = None
    lowest: float = 0.0
    highest: float = math.inf
    level: float = 0.95

    def interval(self) -> tuple[float, float]:
        """Both ends.

        Returns
        -------
        tuple of float
            `lowest` ≤ low ≤ estimate ≤ high ≤ `highest`; inf where the likelihood never falls
            enough.

        Raises
        ------
        TrainingError
            If a profiled value has a likelihood above the maximum: that was none.
        """
        # A search for the maximum that starts elsewhere ends a little elsewhere: each value is one.
        known = {self.estimate: -self._wanted}

        def excess(value: float) -> float:
            if value not in known:
                known[value] = self._excess(value)
            return known[value]

        error = self.error
        step = error if error is not None and math.isfinite(error) and error > 0 else 0.0
        step = self._wanted * step or 0.1 * abs(self.estimate) or 1e-3
        return (
            _end(excess, self.estimate, -step, self.lowest),
            _end(excess, self.estimate, step, self.highest),
        )

    def holds(self, value: float) -> bool:
        """Whether the interval holds a value, without a search for its ends.

        Raises
        ------
        TrainingError
            As `interval`.
        """
        place = min(max(value, self.lowest), self.highest)
        return self._excess(place, self.best - self._wanted**2 / 2) <= 0

    @property
    def _wanted(self) -> float:
        return float(norm.ppf(0.5 + self.level / 2))

    def _excess(self, value: float, *enough: float) -> float:
        """√(2 (log L(v̂) − log L(v))) − the normal quantile."""
        drop = self.best - self.maximised(value, *enough)
        if not drop > -_ABOVE - 1e-9 * abs(self.best):
            raise TrainingError(
                f"The profile of the likelihood rises {-drop:.2g} above its maximum: the fit had"
                " not converged.",
                remedy="Remove random effects that the data cannot tell apart.",
            )
        # out of the likelihood's reach it is −inf: far below, for the search for the root
        return math.sqrt(2 * min(max(drop, 0.0), _FAR_BELOW)) - self._wanted


def highest_given(
    objective: Objective, at: Floats, place: int, information: Floats, aside: slice
) -> Callable[..., float]:
    """The highest value of an objective with the square of one coordinate given (see `Profile`).

    Parameters
    ----------
    objective : callable
        Returns the value and the slope at all coordinates; −inf outside of its domain.
    at : array, shape (n,)
        Where it is highest, for searches to begin at; each later one begins where the last ended.
    place : int
        The coordinate.
    information : array, shape (n, n)
        About minus the second derivative, positive definite.
    aside : slice
        Coordinates in which the objective is even: they begin a little away from 0, where it has no
        slope.
    """
    whole, free = at.copy(), np.arange(len(at)) != place
    begin = at.copy()
    begin[aside] = np.where(np.abs(begin[aside]) < _ASIDE, _ASIDE, begin[aside])
    begin, information = begin[free], information[np.ix_(free, free)]

    def rest(x: Floats) -> tuple[float, Floats]:
        whole[free] = x
        value, slope = objective(whole)
        return value, slope[free]

    def highest(value: float, enough: float | None = None) -> float:
        nonlocal begin
        whole[place] = math.sqrt(max(value, 0.0))
        if not len(begin):
            return rest(begin)[0]
        found = maximise(rest, begin, information, differentiate=False, enough=enough)
        begin = found.at
        return found.value

    return highest


def positive(information: Floats) -> Floats:
    """The same, positive definite: a guess of the curvature for a search to begin with."""
    values, vectors = np.linalg.eigh(information)
    raised: Floats = (vectors * np.maximum(values, _LEAST * values.max(initial=1.0))) @ vectors.T
    return raised


def _end(excess: Callable[[float], float], estimate: float, step: float, limit: float) -> float:
    """Go from the estimate until the likelihood has fallen enough; there find the root."""
    inside = estimate
    for _ in range(_DOUBLINGS):
        outside = inside + step
        past = outside <= limit if step < 0 else outside >= limit
        if past:
            if not math.isfinite(limit) or excess(limit) <= 0:
                return limit
            outside = limit
        if past or excess(outside) > 0:
            size = max(abs(inside), abs(outside))
            found = brentq(excess, inside, outside, xtol=PRECISION * size, rtol=PRECISION)
            return float(found)
        inside, step = outside, 2 * step
    return math.copysign(math.inf, step)
