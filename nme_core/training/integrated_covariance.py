"""People's effects with Σ integrated out: what is not known of Σ is not known of a person either.

With every shared parameter integrated out of the likelihood too,

    cov(η_i − η̂_i) = E[ V_i(Σ) + (η̂_i(Σ) − η̂_i)(η̂_i(Σ) − η̂_i)ᵀ ],    p(Σ | y) ∝ p(y | Σ) p(Σ),

η̂_i what is reported, V_i(Σ) the covariance given Σ, shared parameters φ counted: with C_i that
given φ, G_i = ∂η̂_i/∂φ and V(Σ) that of φ, V_i = C_i + G_i V G_iᵀ; cov(η_i, φ) likewise from G_i V.
The expectation is taken over a few points around the mode, in coordinates in which the posterior is
nearly normal (`covariance_coordinates`; Rue, Martino & Chopin 2009, section 6.5). Where Σ̂ is at its
boundary the mode is not: no point is at it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import hadamard
from scipy.optimize import minimize

from nme_core.training.covariance_coordinates import Coordinates, FactorCoordinates
from nme_core.training.other_fits import OtherFits
from nme_core.training.sums import Array

#: Numbers of Σ up to which it is integrated out.
MOST_NUMBERS = 10
#: Step of the second derivative, by values and by slopes; least curvature: a coordinate's spread is
#: not above 1/√ of it; and that for the first step of a search.
_STEP, _SLOPE_STEP, _LEAST_CURVATURE, _FIRST_CURVATURE = 0.1, 0.02, 0.25, 4.0
#: Coordinates of Σ beyond this are out of reach.
_FARTHEST = 50.0
#: Steps of the derivative of Σ by a coordinate, and of the likelihood by a further one.
_NEAR, _APART = 1e-5, 1e-3
#: Coordinates up to which there is a grid; beyond, most that the log weight of a point is lifted.
_GRID, _MOST_LIFTED = 2, 2.0
#: Points further below the mode than this do not count.
_DEEPEST = 12.0


@dataclass(frozen=True)
class GivenCovariance:
    """What the rows say at one Σ.

    Attributes
    ----------
    value : float
        log p(y | Σ) up to a constant, shared parameters integrated out.
    effects : callable
        Returns η̂_i(Σ), shape (P, R), C_i(Σ), (P, R, R), and G_i(Σ), (P, R, p).
    shared : callable
        Returns how far the shared parameters lie from their estimates, (p,), and V(Σ), (p, p).
    sigma : array, shape (R, R)
        Σ, where that is not exactly what was asked for,
    variance, rho : float
        with its σ² and ρ (see `OtherFits`).
    by_sigma : callable, optional
        Returns the derivative of `value` by Σ, (R, R); None: differences are taken.
    information : callable, optional
        Returns minus the second derivative of `value` by the logarithms of all effects' standard
        deviations, (R, R), Σ being diagonal.
    """

    value: float
    effects: Callable[[], tuple[Array, Array, Array]]
    shared: Callable[[], tuple[Array, Array]]
    sigma: Array
    variance: float = 1.0
    rho: float = 0.0
    by_sigma: Callable[[], Array] | None = None
    information: Callable[[], Array] | None = None


@dataclass(frozen=True)
class IntegratedCovariance:
    """The expectation.

    Attributes
    ----------
    error : array, shape (P, R, R)
        cov(η_i − η̂_i).
    across : array, shape (P, R, p)
        cov(η_i − η̂_i, φ − φ̂).
    fits : OtherFits
        Over what it was taken.
    """

    error: Array
    across: Array
    fits: OtherFits

    @classmethod
    def of(
        cls,
        given: Callable[[Array, Array], GivenCovariance | None],
        coordinates: Coordinates | FactorCoordinates,
        sigma: Array,
        effects: Array,
        further: Sequence[float] = (),
    ) -> Self | None:
        """Integrate; None where the likelihood cannot be had around its mode.

        Parameters
        ----------
        given : callable
            Takes Σ and further coordinates of the likelihood, such as the residuals'
            autocorrelation, whose prior it counts itself; None where they are out of reach.
        coordinates : Coordinates
            Of Σ.
        sigma : array, shape (R, R)
            Σ̂.
        effects : array, shape (P, R)
            η̂, as reported.
        further : sequence of float
            The further coordinates' estimates.
        """
        n = coordinates.n
        last: tuple[Array, tuple[float, GivenCovariance | None]] | None = None

        def height(at: Array) -> tuple[float, GivenCovariance | None]:
            nonlocal last
            if last is None or not np.array_equal(last[0], at):
                last = at.copy(), evaluated(at)
            return last[1]

        def evaluated(at: Array) -> tuple[float, GivenCovariance | None]:
            inside = bool((np.abs(at[:n]) < _FARTHEST).all())
            found = given(coordinates.sigma(at[:n]), at[n:]) if inside else None
            if found is None or not math.isfinite(found.value):
                return -math.inf, None
            return found.value + coordinates.log_prior(at[:n]), found

        def gradient(at: Array) -> Array:
            found = height(at)[1]
            if found is None or found.by_sigma is None:
                return np.full(len(at), np.nan)
            by_sigma = found.by_sigma()

            def along(place: Array) -> float:
                """To first order."""
                by = float((by_sigma * coordinates.sigma(place[:n])).sum())
                return by + coordinates.log_prior(place[:n])

            own, rest = np.split(np.eye(len(at)), [n])
            near = [along(at + _NEAR * one) - along(at - _NEAR * one) for one in own]
            far = [
                evaluated(at + _APART * one)[0] - evaluated(at - _APART * one)[0] for one in rest
            ]
            return np.concatenate([np.array(near) / (2 * _NEAR), np.array(far) / (2 * _APART)])

        begin = np.concatenate([coordinates.start(sigma), np.asarray(further, dtype=np.float64)])
        first = height(begin)[1]
        known = None if first is None or first.by_sigma is None else gradient

        def information(at: Array) -> Array | None:
            found = height(at)[1]
            if not isinstance(coordinates, Coordinates) or not coordinates.known:
                return None
            if found is None or found.information is None:
                return None
            return coordinates.information(at, found.information())

        mode = _mode(lambda at: height(at)[0], begin, known, information(begin))
        if mode is None:
            return None
        bent = information(mode)
        root = _spread(lambda at: height(at)[0], mode, known) if bent is None else _root(bent)
        if root is None:
            return None
        top = height(mode)[0]

        def points() -> Iterator[tuple[float, GivenCovariance]]:
            for step, weight in _points(len(mode)):
                value, found = height(mode + root @ step)
                drop = value - top + 0.5 * float(step @ step)
                if found is not None and value - top >= -_DEEPEST:
                    lifted = drop if len(mode) <= _GRID else min(drop, _MOST_LIFTED)
                    yield weight * math.exp(lifted), found

        return cls._over(points(), effects)

    @classmethod
    def _over(cls, points: Iterable[tuple[float, GivenCovariance]], effects: Array) -> Self:
        """Take the expectation over weighted points."""
        error, across = np.zeros((*effects.shape, effects.shape[1])), np.zeros(())
        kept: list[tuple[Array | float, ...]] = []
        for weight, found in points:
            (shift, shared), (moved, conditional, coupling) = found.shared(), found.effects()
            apart, pull = moved - effects, coupling @ shared
            each = conditional + pull @ coupling.swapaxes(1, 2)
            error += weight * (each + apart[:, :, None] * apart[:, None, :])
            across = across + weight * (pull + apart[:, :, None] * shift)
            kept.append((weight, found.sigma, found.variance, found.rho, shift, shared))
        weights, *rest = (torch.from_numpy(np.array(part)) for part in zip(*kept, strict=True))
        total = float(weights.sum())
        return cls(error / total, across / total, OtherFits(weights / total, *rest))

    def among(self, own: NDArray[np.int64], n_random: int) -> IntegratedCovariance:
        """The same where these are the places of the effects among all; the others are 0."""
        n, p = len(self.error), self.across.shape[2]
        error, across = np.zeros((n, n_random, n_random)), np.zeros((n, n_random, p))
        error[:, own[:, None], own], across[:, own] = self.error, self.across
        sigma = self.fits.sigma.new_zeros(len(self.fits.weight), n_random, n_random)
        sigma[:, own[:, None], own] = self.fits.sigma
        return IntegratedCovariance(error, across, replace(self.fits, sigma=sigma))


def _mode(
    height: Callable[[Array], float],
    begin: Array,
    gradient: Callable[[Array], Array] | None,
    information: Array | None,
) -> Array | None:
    """Where it is highest; `information` at the beginning, where it is known."""
    if not math.isfinite(height(begin)):
        return None
    options: dict[str, Any] = {"gtol": 0.02, "maxiter": 40}
    if gradient is None:
        options["eps"] = 1e-3
    if information is not None:
        root = _root(information, _FIRST_CURVATURE)
        options["hess_inv0"] = root @ root.T
    found = minimize(  # type: ignore[call-overload]
        lambda at: min(-height(at), 1e10),
        begin,
        method="BFGS",
        jac=None if gradient is None else lambda at: -gradient(at),
        options=options,
    )
    at = np.asarray(found.x, dtype=np.float64)
    return at if height(at) >= height(begin) else begin


def _spread(
    height: Callable[[Array], float], mode: Array, gradient: Callable[[Array], Array] | None
) -> Array | None:
    """L with LLᵀ the inverse of minus the second derivative at the mode."""
    eye = np.eye(len(mode))
    if gradient is not None:
        here = gradient(mode)
        rows = [gradient(mode + _SLOPE_STEP * one) - here for one in eye]
        second = (np.array(rows) + np.transpose(rows)) / (2 * _SLOPE_STEP)
    else:
        second = _second_differences(height, mode, _STEP * eye)
    return _root(-second) if np.isfinite(second).all() else None


def _root(information: Array, least: float = _LEAST_CURVATURE) -> Array:
    """L with LLᵀ the inverse; no curvature counts as less than that."""
    values, vectors = np.linalg.eigh(information)
    return np.asarray(vectors / np.sqrt(values.clip(min=least)))


def _second_differences(height: Callable[[Array], float], mode: Array, steps: Array) -> Array:
    m, top = len(mode), height(mode)
    sides = [[height(mode + side * step) for side in (1, -1)] for step in steps]
    second = np.empty((m, m))
    for k in range(m):
        second[k, k] = (sum(sides[k]) - 2 * top) / _STEP**2
        for j in range(k):
            both = sum(height(mode + side * (steps[k] + steps[j])) for side in (1, -1))
            mixed = both - sum(sides[k]) - sum(sides[j]) + 2 * top
            second[k, j] = second[j, k] = mixed / (2 * _STEP**2)
    return second


def _points(m: int) -> list[tuple[Array, float]]:
    """Points in units of standard deviations with their weights under the normal density.

    One and two coordinates have a grid, that of one reaching far to where a variance is next to 0;
    more have a central composite design, on a sphere whose second and fourth moments are the
    normal's.
    """
    if m <= _GRID:
        axis = np.arange(-6.0, 4.01, 0.5) if m == 1 else np.arange(-3.0, 3.01)
        grid = np.stack(np.meshgrid(*[axis] * m), axis=-1).reshape(-1, m)
        chosen = grid if m == 1 else grid[np.square(grid).sum(1) <= 10.01]
        return [(one, math.exp(-0.5 * float(one @ one))) for one in chosen]
    square = (m + 2) / m
    size = 2 ** math.ceil(math.log2(m + 1))
    corners = hadamard(size)[:, 1 : m + 1].astype(np.float64)
    directions = np.concatenate(
        [math.sqrt(m) * np.eye(m), -math.sqrt(m) * np.eye(m), corners, -corners]
    )
    each = 1 / (square * len(directions))
    found = [(math.sqrt(square) * one, each) for one in directions]
    return [(np.zeros(m), 1 - 1 / square), *found]
