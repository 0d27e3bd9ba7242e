"""Where the likelihood of a linear mixed model is highest: quasi-Newton, then Newton's steps.

The end is judged by Newton's decrement √(½ gᵀH⁻¹g), how many standard errors the maximum is away:
a measure without units, the same for one row and for a million.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from nme_core.exceptions import TrainingError
from nme_core.training.linear_curvature import Curvature, Elements
from nme_core.training.linear_likelihood import Cross, Point
from nme_core.training.sums import Array

#: Standard errors to the maximum that count as having reached it.
CONVERGED = 1e-3
_CLOSE, _NEWTON_STEPS = 1e-10, 20
#: A diagonal element of Λ below the first may lie at 0, which is tried; the search starts again
#: from the second, and what it finds counts where −2 log L is lower by more than the third.
_NEAR_ZERO, _LIFTED, _BETTER = 1e-3, 0.1, 1e-6
_LIFTS = 2
#: Searches for factors at most, and the largest correlation of an effect with one in the beginning.
_FACTOR_STARTS, _LARGEST_LOAD = 8, 0.95
#: Share of the largest eigenvalue of a scaled curvature below which there is none.
FLAT = 1e-10


class NoResidualError(TrainingError):
    """The model fits every row: the likelihood grows without end as σ² goes to 0."""

    def __init__(self) -> None:
        super().__init__(
            "The outcome does not vary about what the person and the features say of it: no"
            " residual variance is left to estimate.",
            remedy="Check whether the outcome is the same in all rows of a person, or is computed"
            " from the features.",
        )


@dataclass(frozen=True)
class Maximum:
    """What a search has found.

    Attributes
    ----------
    point : Point
        The likelihood there.
    distance : float
        Standard errors to the maximum, by the curvature.
    curvature : Curvature
        There.
    saddle : bool
        Whether the likelihood bends upwards there in some direction.
    """

    point: Point
    distance: float
    curvature: Curvature
    saddle: bool = False

    @property
    def converged(self) -> bool:
        """Whether the maximum is reached."""
        return self.distance < CONVERGED


def maximise(
    cross: Cross,
    elements: Elements,
    near: Array | None = None,
    report: Callable[[Point], None] | None = None,
) -> Maximum:
    """Find Λ, with β and σ² at their best for each.

    Parameters
    ----------
    cross : Cross
        The data.
    elements : Elements
        What of Λ is free.
    near : array, shape (R, R), optional
        Λ at the maximum for data that are much the same: Newton's steps from there are tried first.
    report : callable, optional
        Told of every step.
    """
    if not len(elements):
        point = cross.at(np.zeros((0, 0)))
        if report is not None:
            report(point)
        return Maximum(point, 0.0, Curvature.of(point, elements, point.variance))
    # In units in which every random effect moves the outcome alike.
    unit = sizes(cross)[elements.row]
    if near is not None and (np.diag(near) > 0).all():
        best = _polished(cross, elements, near[elements.row, elements.column])
        theta = best.point.scale[elements.row, elements.column] * unit
        away = not (elements.on_diagonal & (theta < _NEAR_ZERO)).any()
        if away and best.converged and not best.saddle:
            if report is not None:
                report(best.point)
            return best
    begins = [elements.on_diagonal.astype(np.float64)]
    if elements.n_factors:
        begins = _loadings(cross, elements)
    tried = [_found(cross, elements, unit, begin, report) for begin in begins]
    best = min(tried, key=lambda one: one.point.deviance)
    for _ in range(_LIFTS):
        theta = best.point.scale[elements.row, elements.column] * unit
        at_zero = elements.on_diagonal & (theta < _NEAR_ZERO)
        if not at_zero.any():
            break
        # The likelihood is even in a diagonal element of Λ: its slope at 0 is 0, whether 0 is
        # the maximum or not.
        starts = [np.where(at_zero, _LIFTED, theta)]
        if not elements.on_diagonal.all() and not elements.n_factors:
            # a full Σ can also be a maximum along its boundary alone: begin away from all of it
            now = elements.fill(theta)
            wide = np.linalg.cholesky(now @ now.T + _LIFTED**2 * np.eye(len(now)))
            starts.append(wide[elements.row, elements.column].astype(np.float64))
        found = [_found(cross, elements, unit, start, report) for start in starts]
        again = min(found, key=lambda one: one.point.deviance)
        if again.point.deviance > best.point.deviance - _BETTER:
            break
        best = again
    return best


def _loadings(cross: Cross, elements: Elements) -> list[Array]:
    """Where searches for factors begin, of which there are several: L = 0 is a saddle.

    Each takes an effect for the first factor, with the correlations that the full Ψ has.
    """
    scale = maximise(cross, Elements.of(elements.n_random, "full")).point.scale
    size = sizes(cross)
    starts = factor_starts(scale @ scale.T * size * size[:, None], elements.n_factors)
    return [start[elements.row, elements.column] for start in starts]


def factor_starts(psi: Array, n_factors: int) -> list[Array]:
    """Λ = (D^½, L), each with an effect for the first factor, whose ΛΛᵀ come near Ψ."""
    sd = np.sqrt(np.diag(psi).clip(min=_LIFTED**2))
    correlations, found = psi / sd / sd[:, None], []
    for first in np.argsort(-np.square(correlations).sum(0))[:_FACTOR_STARTS]:
        loads = correlations[:, [first]].clip(-_LARGEST_LOAD, _LARGEST_LOAD)
        values, axes = np.linalg.eigh(correlations - loads * loads.T)
        further = np.arange(len(psi))[::-1][: n_factors - 1]
        loads = np.hstack([loads, axes[:, further] * np.sqrt(values[further].clip(min=0) / 2)])
        loads = loads @ np.linalg.qr(loads[:n_factors].T)[0]  # zeros above the diagonal
        left = np.sqrt((1 - np.square(loads).sum(1)).clip(min=1 - _LARGEST_LOAD**2))
        found.append(sd[:, None] * np.hstack([np.diag(left), loads]))
    return found


def sizes(cross: Cross) -> Array:
    """Root mean squares of the columns of Z, shape (R,); 1 of an empty one."""
    found = np.sqrt(cross.zz.sum(2).diagonal() / cross.n_rows)
    return np.where(found > 0, found, 1.0)


def _found(
    cross: Cross,
    elements: Elements,
    unit: Array,
    begin: Array,
    report: Callable[[Point], None] | None,
) -> Maximum:
    """Search with the gradient in these units of Λ's elements; then by Newton's steps.

    What is next to 0 then is put at 0 where that is no worse.
    """
    theta = _search(cross, elements, unit, begin, report)
    near = elements.on_diagonal & (theta < _NEAR_ZERO)
    if near.any():
        rounded = np.where(near, 0.0, theta)
        here, there = (cross.at(elements.fill(values / unit)) for values in (theta, rounded))
        if there.deviance <= here.deviance + _BETTER:
            theta = rounded
    return _polished(cross, elements, theta / unit)


def _search(
    cross: Cross,
    elements: Elements,
    unit: Array,
    begin: Array,
    report: Callable[[Point], None] | None,
) -> Array:
    last: Point | None = None

    def objective(values: Array) -> tuple[float, Array]:
        nonlocal last
        last = cross.at(elements.fill(values / unit))
        slope = elements.of_factor(last.slope, last.scale) / unit
        return last.deviance / cross.degrees, slope / cross.degrees

    def told(_: Array) -> None:
        if report is not None and last is not None:
            report(last)

    found = minimize(  # type: ignore[call-overload]
        objective,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None) if own else (None, None) for own in elements.on_diagonal],
        options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 1000, "maxls": 40},
        callback=told,
    )
    return np.asarray(cast("OptimizeResult[Any]", found).x, dtype=np.float64)


def _polished(cross: Cross, elements: Elements, theta: Array) -> Maximum:
    """Go on by Newton's steps."""
    point = cross.at(elements.fill(theta))
    if not point.variance > 0:  # every row is fitted: there is no curvature to go by
        raise NoResidualError
    for _ in range(_NEWTON_STEPS):
        curvature = Curvature.of(point, elements, point.variance)
        step, distance, saddle = _newton(point, elements, curvature)
        if distance < _CLOSE:
            break
        after = _moved(point, elements, step)
        if after is None:
            break
        point = after
    else:
        curvature = Curvature.of(point, elements, point.variance)
        step, distance, saddle = _newton(point, elements, curvature)
    return Maximum(point, distance, curvature, saddle)


def _newton(point: Point, elements: Elements, curvature: Curvature) -> tuple[Array, float, bool]:
    """Newton's step in Λ, how many standard errors it is, and whether the point is a saddle.

    Elements at 0 stay.
    """
    whole = curvature.by_factor(point, elements, point.variance)
    across = whole[:-1, -1]
    profiled = whole[:-1, :-1] - np.outer(across, across) / whole[-1, -1]
    theta = point.scale[elements.row, elements.column]
    slope = elements.of_factor(point.slope, point.scale)
    free = ~(elements.on_diagonal & (theta == 0))
    step = np.zeros(len(theta))
    if not free.any():
        return step, 0.0, False
    matrix = profiled[np.ix_(free, free)]
    size = np.sqrt(np.abs(np.diag(matrix)).clip(min=1e-300))
    values, vectors = np.linalg.eigh(matrix / size / size[:, None])
    by = vectors.T @ (slope[free] / size)
    told = np.abs(values) > FLAT * max(float(np.abs(values).max()), 1e-300)
    saddle = bool((values[told] < 0).any())
    by, values = by[told], np.abs(values[told])  # away from a saddle, too, it goes down
    step[free] = -(vectors[:, told] @ (by / values)) / size
    return step, float(np.sqrt(0.5 * (by**2 / values).sum())), saddle


def _moved(point: Point, elements: Elements, step: Array) -> Point | None:
    """Go along a step as far as the likelihood rises; None where it does not."""
    noise = 1e-13 * (abs(point.deviance) + point.cross.n_rows)
    steepness = np.abs(elements.of_factor(point.slope, point.scale)).max()
    for share in 0.5 ** np.arange(12):
        scale = point.scale + share * elements.fill(step)
        own = slice(len(scale))
        scale[:, own] *= np.where(np.diag(scale) < 0, -1.0, 1.0)  # the sign of a column is free
        after = point.cross.at(scale)
        if after.deviance < point.deviance - noise:
            return after
        if after.deviance <= point.deviance + noise:
            slope = np.abs(elements.of_factor(after.slope, after.scale)).max()
            if slope < 0.5 * steepness:
                return after
    return None
