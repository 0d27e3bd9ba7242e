"""Profile of a linear mixed model's likelihood: its maximum with one variance fixed.

The variance of a combination cᵀb of the random effects is fixed at v through the factor of the
absolute Σ = Λ Λᵀ: with full Σ the effects are turned so that cᵀb comes first, Λ₁₁ = √v; with a
diagonal one the members of c share √v in proportions that are free.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from nme_core.training.linear_curvature import Elements
from nme_core.training.linear_likelihood import Cross, Point
from nme_core.training.linear_search import sizes
from nme_core.training.profile_interval import Profile
from nme_core.training.sums import Array

#: σ² of a search lies within this factor of where it started.
_REACH = 1e6


def variance_profile(
    point: Point,
    elements: Elements,
    direction: Array,
    *,
    error: float | None = None,
    beyond: Beyond | None = None,
) -> Profile:
    """Profile of the likelihood over the variance of cᵀb.

    Parameters
    ----------
    point : Point
        The maximum of the likelihood.
    elements : Elements
        What of Λ is free.
    direction : array, shape (R,)
        c.
    error : float, optional
        Standard error of the variance, where there is one.
    beyond : Beyond, optional
        What the profile is also taken over.
    """
    sigma = point.variance * point.scale @ point.scale.T
    estimate = float(direction @ sigma @ direction)
    diagonal = bool(elements.on_diagonal.all())
    fixed = _Diagonal(point, direction) if diagonal else _Turned(point, direction)
    return _profile(fixed, point, beyond, estimate, error)


def residual_profile(
    point: Point,
    elements: Elements,
    *,
    error: float,
    beyond: Beyond | None = None,
) -> Profile:
    """Profile of the likelihood over σ².

    Parameters
    ----------
    point, elements
        See `variance_profile`.
    error : float
        Standard error of σ².
    beyond : Beyond, optional
        What the profile is also taken over.
    """
    fixed = _Residual(point, elements)
    # At 0 there is no likelihood; so far below the estimate it has fallen, whatever the rows.
    lowest = point.variance / _REACH
    return _profile(fixed, point, beyond, point.variance, error, lowest)


def _profile(
    fixed: FixedLikelihood,
    point: Point,
    beyond: Beyond | None,
    estimate: float,
    error: float | None,
    lowest: float = 0.0,
) -> Profile:
    if beyond is None:
        best = -0.5 * point.deviance
        return Profile(fixed.log_likelihood, estimate, best, error, lowest)
    return Profile(beyond.highest(fixed), estimate, beyond.best, error, lowest)


class FixedLikelihood:
    """The likelihood with something fixed: Λ and log σ² as functions of what is free.

    Starts each search from where the one before ended.
    """

    cross: Cross
    bounds: list[tuple[float | None, float | None]]
    start: Array
    first: Array

    def _parameters(
        self, free: Array, value: float
    ) -> tuple[Array, float, Callable[[Array, float], Array]]:
        """Λ, log σ², and what takes derivatives by them to those by what is free."""
        raise NotImplementedError

    def use(self, cross: Cross) -> None:
        """Go on with other sums of the same study."""
        self.cross = cross

    def log_likelihood(
        self, value: float, enough: float | None = None, *, anew: bool = True
    ) -> float:
        """Highest with what is fixed at `value`; not `anew`: near where the last search ended.

        Where more than `enough` is found, that will do.
        """
        # per row; near where the last search ended, 1e-5 of the whole is enough to go on from
        ftol, gtol = (1e-15, 1e-8) if anew and enough is None else (1e-10, 1e-6)

        def objective(free: Array) -> tuple[float, Array]:
            scale, log_variance, back = self._parameters(free, value)
            variance = math.exp(log_variance)
            point = self.cross.at(scale / math.sqrt(variance))
            slope = point.slope_at(variance)
            by_scale = 2 * slope @ scale / variance
            by_variance = self.cross.degrees - point.rest / variance
            by_variance -= float((slope * (point.scale @ point.scale.T)).sum())
            gradient = back(by_scale, by_variance)
            return point.deviance_at(variance) / self.cross.n_rows, gradient / self.cross.n_rows

        def search(start: Array) -> OptimizeResult[Any]:
            return cast(
                "OptimizeResult[Any]",
                minimize(
                    objective,
                    start,
                    jac=True,
                    method="L-BFGS-B",
                    bounds=self.bounds,
                    options={"ftol": ftol, "gtol": gtol, "maxiter": 500, "maxls": 40},
                ),
            )

        # From the maximum, and from where the last search ended: the likelihood is even in what is
        # bounded by 0, so that what has got there does not leave it by itself.
        ends = [search(self._from_maximum(value) if anew else self.start)]
        if enough is not None and -0.5 * float(ends[0].fun) * self.cross.n_rows > enough:
            anew = False
        if anew:
            ends.append(search(self._lifted()))
        best = min(ends, key=lambda found: float(found.fun))
        again = search(np.asarray(best.x)) if anew else best  # with a curvature gathered afresh
        self.start = np.asarray(again.x, dtype=np.float64)
        return -0.5 * min(float(again.fun), float(best.fun)) * self.cross.n_rows

    def _from_maximum(self, value: float) -> Array:
        """Where the maximum would be if nothing else had changed."""
        return self.first

    def _lifted(self) -> Array:
        bounded = np.array([bound[0] == 0.0 for bound in self.bounds])
        return np.where(bounded, np.maximum(self.start, 0.1 * self.first), self.start)


@dataclass(frozen=True)
class Beyond:
    """A parameter beyond those of `FixedLikelihood`: the residual autocorrelation.

    Attributes
    ----------
    highest : callable
        Makes of a likelihood at one of its values the highest over all.
    best : float
        The log-likelihood at the maximum.
    """

    highest: Callable[[FixedLikelihood], Callable[..., float]]
    best: float


def _log_bounds(variance: float) -> tuple[float, float]:
    return math.log(variance / _REACH), math.log(variance * _REACH)


class _Turned(FixedLikelihood):
    """Full Σ, with cᵀb as the first effect."""

    def __init__(self, point: Point, direction: Array) -> None:
        n_random, largest = len(direction), int(np.abs(direction).argmax())
        others = [k for k in range(n_random) if k != largest]
        self._turn = turn = np.vstack([direction, np.eye(n_random)[others]])
        self.use(point.cross)
        elements = Elements.of(n_random, "full")
        self._row, self._column = elements.row[1:], elements.column[1:]
        sigma = point.variance * turn @ point.scale @ point.scale.T @ turn.T
        least = (0.1 / sizes(self.cross)) ** 2 * point.variance
        factor = np.linalg.cholesky(sigma + np.diag(np.maximum(least, 0.01 * np.diag(sigma))))
        self._own = factor[0, 0]
        self.first = np.append(factor[self._row, self._column], math.log(point.variance))
        self.start = self.first
        on_diagonal = self._row == self._column
        self.bounds = [(0.0, None) if own else (None, None) for own in on_diagonal]
        self.bounds.append(_log_bounds(point.variance))

    def use(self, cross: Cross) -> None:
        """Go on with other sums of the same study."""
        self.cross = cross.turned(self._turn)

    def _from_maximum(self, value: float) -> Array:
        """With the other effects following cᵀb as they did."""
        following = np.append(self._column == 0, False)
        return np.where(following, self.first * math.sqrt(value) / self._own, self.first)

    def _parameters(
        self, free: Array, value: float
    ) -> tuple[Array, float, Callable[[Array, float], Array]]:
        scale = np.zeros((self.cross.n_random, self.cross.n_random))
        scale[0, 0] = math.sqrt(value)
        scale[self._row, self._column] = free[:-1]

        def back(by_scale: Array, by_variance: float) -> Array:
            return np.append(by_scale[self._row, self._column], by_variance)

        return scale, float(free[-1]), back


class _Diagonal(FixedLikelihood):
    """Diagonal Σ: λ_k = √v λ'_k/‖c λ'‖ for the members of c."""

    def __init__(self, point: Point, direction: Array) -> None:
        self.cross = point.cross
        self._of = np.where(direction != 0, direction, 0.0)
        self._members = direction != 0
        scale = np.sqrt(point.variance) * np.diag(point.scale)
        least = 0.1 / sizes(point.cross) * math.sqrt(point.variance)
        self.first = self.start = np.append(np.maximum(scale, least), math.log(point.variance))
        self.bounds = [(0.0, None)] * len(direction) + [_log_bounds(point.variance)]

    def _parameters(
        self, free: Array, value: float
    ) -> tuple[Array, float, Callable[[Array, float], Array]]:
        shares, members = free[:-1], self._members
        length = max(float(np.linalg.norm(self._of * shares)), 1e-150)
        factor = math.sqrt(value) / length
        scale = np.where(members, factor * shares, shares)

        def back(by_scale: Array, by_variance: float) -> Array:
            by = np.diag(by_scale)
            along = float((by * shares * members).sum()) / length**2
            inner = factor * (by - along * self._of**2 * shares)
            return np.append(np.where(members, inner, by), by_variance)

        return np.diag(scale), float(free[-1]), back


class _Residual(FixedLikelihood):
    """σ² fixed, Λ free."""

    def __init__(self, point: Point, elements: Elements) -> None:
        self.cross, self._elements = point.cross, elements
        scale = point.scale[elements.row, elements.column]
        lifted = scale + elements.on_diagonal * 0.1 / sizes(point.cross)[elements.row]
        self.first = self.start = math.sqrt(point.variance) * lifted
        self.bounds = [(0.0, None) if own else (None, None) for own in elements.on_diagonal]

    def _parameters(
        self, free: Array, value: float
    ) -> tuple[Array, float, Callable[[Array, float], Array]]:
        elements = self._elements

        def back(by_scale: Array, by_variance: float) -> Array:
            return np.asarray(by_scale[elements.row, elements.column])

        return elements.fill(free), math.log(value), back
