"""Minimum of a smooth function of a few parameters whose gradient is exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Numbers = NDArray[np.float64]
Function = Callable[[Numbers], tuple[float, Numbers]]
Curvature = Callable[[Numbers], Numbers]
#: How `scipy.optimize.minimize` searches where it knows the gradient alone.
_BY_SLOPE: dict[str, Any] = {
    "method": "L-BFGS-B",
    "options": {"ftol": 1e-13, "gtol": 1e-3, "maxiter": 500, "maxls": 40},
}
#: A signless parameter nearer to 0 than the first lies there; the search starts again from the
#: second, and what it finds counts where the function is lower by more than the third.
_AT_ZERO, _LIFTED, _BETTER = 1e-3, 0.1, 1e-7
_LIFTS = 2
#: Step of the differences of the gradient, and eigenvalues of the curvature below which a direction
#: counts as flat, both in units in which the curvature is about 1.
_STEP, _FLAT = 1e-3, 1e-7
_POLISHES, _LOOKS = 12, 3
#: What a Newton step would still gain, in log-likelihood, at convergence; and where to stop.
CONVERGED, _SMALL = 1e-8, 1e-18


@dataclass(frozen=True)
class Minimum:
    """Where the function is lowest.

    Attributes
    ----------
    x : array, shape (n,)
        The parameters; signless ones that are lowest at 0 are exactly 0.
    value : float
        The function.
    gradient : array, shape (n,)
        0 where a parameter lies at 0.
    curvature : array, shape (n, n)
        Second derivatives; rows and columns of parameters at 0 are 0.
    free : array of bool, shape (n,)
        Parameters that are not at 0.
    gain : float
        What one more Newton step would gain.
    converged : bool
        Whether that is less than 1e-8, and no direction leads further down.
    """

    x: Numbers
    value: float
    gradient: Numbers
    curvature: Numbers
    free: NDArray[np.bool_]
    gain: float
    converged: bool


def find_minimum(
    function: Function,
    start: Numbers,
    *,
    signless: NDArray[np.bool_],
    units: Numbers,
    curvature: Curvature | None = None,
    follow: Callable[[Numbers], None] | None = None,
) -> Minimum:
    """Search by L-BFGS, or in a region of trust where something like the curvature is known.

    Then by Newton steps, with differences of the exact gradient if it is not known.

    Parameters
    ----------
    function : callable
        Gives the value and the gradient.
    start : array, shape (n,)
        Where to start.
    signless : array of bool, shape (n,)
        Parameters in which the function is even, so that 0 is stationary, minimum or not.
    units : array, shape (n,)
        Rough standard error of each parameter.
    curvature : callable, optional
        Gives about the second derivatives; the answer has these then, see `with_differences`.
    follow : callable, optional
        Called with the parameters after each step.
    """

    in_units = _in_units(function, units)

    def bent_in_units(u: Numbers) -> Numbers:
        assert curvature is not None
        return curvature(u * units) * np.outer(units, units)

    bent = None if curvature is None else bent_in_units

    def search(u: Numbers) -> tuple[float, Numbers]:
        found = minimize(
            in_units,
            u,
            jac=True,
            hess=bent,
            callback=None if follow is None else lambda now: follow(np.asarray(now) * units),
            **(_BY_SLOPE if bent is None else _by_curvature(u)),
        )
        return float(found.fun), np.asarray(found.x, dtype=np.float64)

    if not len(start):
        value, slope = function(start)
        empty = np.zeros((0, 0))
        return Minimum(start, value, slope, empty, np.zeros(0, dtype=bool), 0.0, True)
    value, u = search(start / units)
    for _ in range(_LIFTS):
        at_zero = signless & (np.abs(u) * units < _AT_ZERO)
        if not at_zero.any() or (bent is not None and _is_lowest(bent(u))):
            break
        # The slope at 0 is 0, whether it is a minimum or not.
        again, lifted = search(np.where(at_zero, _LIFTED / units, u))
        if again > value - _BETTER:
            break
        value, u = again, lifted
    return _polish(in_units, u, signless, units, bent)


def _in_units(function: Function, units: Numbers) -> Function:
    """The function of parameters over `units`."""

    def scaled(u: Numbers) -> tuple[float, Numbers]:
        value, slope = function(u * units)
        return value, slope * units

    return scaled


def with_differences(found: Minimum, function: Function, units: Numbers) -> Minimum:
    """Return the minimum with the second derivatives that its exact gradient has there."""
    curvature = _curvature(_in_units(function, units), found.x / units, found.free)
    curvature /= np.outer(units, units)
    free = np.outer(found.free, found.free)
    return replace(found, curvature=np.where(free, curvature, 0.0))


def _by_curvature(start: Numbers) -> dict[str, Any]:
    """How `scipy.optimize.minimize` searches where it knows the curvature."""
    reach = max(1.0, 0.25 * float(np.linalg.norm(start)))
    options = {"gtol": 1e-2, "initial_trust_radius": reach, "max_trust_radius": 1e6}
    return {"method": "trust-exact", "options": options}


def _is_lowest(curvature: Numbers) -> bool:
    return bool(np.linalg.eigvalsh(curvature)[0] > 0)


def _polish(
    function: Function,
    u: Numbers,
    signless: NDArray[np.bool_],
    units: Numbers,
    bent: Curvature | None,
) -> Minimum:
    """Take Newton steps, so that where the search has stopped does not show in the answer."""
    at_zero = signless & (np.abs(u) * units < _AT_ZERO)
    value, slope = function(u)
    if at_zero.any():
        lowered = np.where(at_zero, 0.0, u)
        lower, its_slope = function(lowered)
        # an element that is small but not 0 has a minimum of its own
        if lower <= value + _BETTER:
            u, value, slope = lowered, lower, its_slope
        else:
            at_zero[:] = False
    free = ~at_zero
    curvature = np.zeros((len(u), len(u)))
    gain, lowest = np.inf, 1.0
    for look in range(_LOOKS):
        curvature = bent(u) if bent and not look else _curvature(function, u, free)
        curvature = np.where(np.outer(free, free), curvature, 0.0)
        lowest, step, gain = _newton(curvature, slope, free)
        for _ in range(_POLISHES):
            if gain < _SMALL:
                break
            moved = u + step
            its_value, its_slope = function(moved)
            _, its_step, its_gain = _newton(curvature, its_slope, free)
            if not its_gain < 0.5 * gain or not np.isfinite(its_value):
                break
            u, value, slope, step, gain = moved, its_value, its_slope, its_step, its_gain
        if gain < CONVERGED:
            break
    return Minimum(
        x=u * units,
        value=value,
        gradient=np.where(free, slope / units, 0.0),
        curvature=curvature / np.outer(units, units),
        free=free,
        gain=gain,
        converged=bool(gain < CONVERGED and lowest > -_FLAT * 100),
    )


def _newton(
    curvature: Numbers, slope: Numbers, free: NDArray[np.bool_]
) -> tuple[float, Numbers, float]:
    """Return the lowest eigenvalue, the step and its gain, over directions that are not flat."""
    values, vectors = np.linalg.eigh(curvature[np.ix_(free, free)])
    steep = np.abs(values) > _FLAT * max(1.0, float(np.abs(values).max(initial=0)))
    along = vectors[:, steep].T @ slope[free]
    step = np.zeros(len(slope))
    step[free] = -vectors[:, steep] @ (along / np.abs(values[steep]))
    gain = 0.5 * float((along**2 / np.abs(values[steep])).sum())
    return float(values.min(initial=1.0)), step, gain


def _curvature(function: Function, u: Numbers, free: NDArray[np.bool_]) -> Numbers:
    """Central differences of the gradient."""
    result = np.zeros((len(u), len(u)))
    for k in np.flatnonzero(free):
        step = np.zeros(len(u))
        step[k] = _STEP
        result[k] = (function(u + step)[1] - function(u - step)[1]) / (2 * _STEP)
    return (result + result.T) / 2
