"""Maximising a smooth function of few numbers to full precision: BFGS, then Newton."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: A function's value and its slope.
Objective = Callable[[Floats], tuple[float, Floats]]

#: Steps at most, and halvings of one.
LONGEST, HALVINGS = 300, 40
#: BFGS ends where its next step promises less than this of the value; without Newton's method
#: after it, than that. Newton ends where a step promises less than the last: a place is known to
#: the root of what is promised.
ROUGH, FINE, FINEST = 1e-5, 1e-13, 1e-19
#: Newton's steps at most.
POLISHING = 6
#: Steps of the differences, in standard errors.
DIFFERENCE = 1e-4


@dataclass(frozen=True)
class Ascent:
    """Where a search ended.

    Attributes
    ----------
    at : array, shape (d,)
        The maximum.
    value : float
        There.
    slope : array, shape (d,)
        There.
    information : array, shape (d, d), or None
        Minus the second derivative there; None where it was not taken.
    promised : float
        What a further Newton step would add to the value.
    converged : bool
        Whether that is next to nothing.
    """

    at: Floats
    value: float
    slope: Floats
    information: Floats | None
    promised: float
    converged: bool


def maximise(
    objective: Objective,
    start: Floats,
    information: Floats,
    *,
    differentiate: bool,
    follow: Callable[[float, Floats], None] | None = None,
    enough: float | None = None,
) -> Ascent:
    """Maximise a function whose value may be −inf outside of its domain.

    Parameters
    ----------
    objective : callable
        Returns the value and the slope at x, (d,).
    start : array, shape (d,)
        Where to begin.
    information : array, shape (d, d)
        A guess of minus the second derivative, positive definite.
    differentiate : bool
        Whether to take minus the second derivative at the maximum, by differences of the slope,
        and to end with Newton's method; else BFGS goes on to the end.
    follow : callable, optional
        Called with the value and the place after every step.
    enough : float, optional
        It is only asked whether the maximum is above this: the search ends where it is, or is
        surely not.
    """
    asked = math.inf if enough is None else enough
    rough = ROUGH if differentiate or enough is not None else FINE
    found, inverse = _bfgs(objective, start, information, rough, follow, asked)
    at, value, slope = found
    if not differentiate:
        promised = float(slope @ inverse @ slope) / 2
        return Ascent(at, value, slope, None, promised, promised < 1e-6)
    taken = _differences(objective, at, slope, inverse)
    promised = np.inf
    for _ in range(POLISHING):
        step = _newton_step(taken, slope)
        promised = float(slope @ step) / 2
        if promised < FINEST * max(1.0, abs(value)):
            break
        moved = _line(objective, at, value, step, float(slope @ step))
        if moved is None:
            break
        at, value, slope = moved
        if follow is not None:
            follow(value, at)
    # a slope is known to some 1e-12 of the value's size only
    return Ascent(at, value, slope, taken, promised, promised < 1e-9 * max(1.0, abs(value)))


def _bfgs(
    objective: Objective,
    at: Floats,
    information: Floats,
    tolerance: float,
    follow: Callable[[float, Floats], None] | None,
    enough: float,
) -> tuple[tuple[Floats, float, Floats], Floats]:
    """Return place, value and slope, and the inverse information that was learned."""
    first: Floats = np.linalg.inv(information).astype(np.float64)
    inverse = first
    value, slope = objective(at)
    for _ in range(LONGEST):
        step = inverse @ slope
        if float(slope @ step) / 2 < tolerance or value > enough:
            break
        moved = _line(objective, at, value, step, float(slope @ step))
        if moved is None:
            inverse = first  # what was learned may have gone bad
            step = inverse @ slope
            moved = _line(objective, at, value, step, float(slope @ step))
            if moved is None:
                break
        s, y = moved[0] - at, slope - moved[2]
        at, value, slope = moved
        if follow is not None:
            follow(value, at)
        inverse = _updated(inverse, s, y)
    return (at, value, slope), inverse


def _updated(inverse: Floats, s: Floats, y: Floats) -> Floats:
    curvature = float(s @ y)
    if curvature <= 1e-10 * np.sqrt(float(s @ s) * float(y @ y)):
        return inverse
    left = np.eye(len(s)) - np.outer(s, y) / curvature
    updated: Floats = left @ inverse @ left.T + np.outer(s, s) / curvature
    return updated


def _line(
    objective: Objective, at: Floats, value: float, step: Floats, promised: float
) -> tuple[Floats, float, Floats] | None:
    """Go a step, halved until the value rises as it should (Armijo); None where it never does."""
    length = 1.0
    for _ in range(HALVINGS):
        place = at + length * step
        found, slope = objective(place)
        small = 1e-13 * (1 + abs(value))
        if np.isfinite(found) and found >= value + 1e-4 * length * promised - small:
            return place, found, slope
        length /= 2
    return None


def _differences(objective: Objective, at: Floats, slope: Floats, inverse: Floats) -> Floats:
    """Minus the second derivative by differences of the slope."""
    size = DIFFERENCE * np.sqrt(np.clip(np.diag(inverse), 1e-12, 1e6))
    columns = [
        (slope - objective(at + size[k] * one)[1]) / size[k]
        for k, one in enumerate(np.eye(len(at)))
    ]
    result: Floats = np.array(columns)
    symmetric: Floats = (result + result.T) / 2
    return symmetric


def _newton_step(information: Floats, slope: Floats) -> Floats:
    """H⁻¹ g, along directions in which H is positive."""
    values, vectors = np.linalg.eigh(information)
    kept = values > 1e-10 * values.max(initial=0.0)
    along = vectors[:, kept]
    step: Floats = along @ ((along.T @ slope) / values[kept])
    return step
