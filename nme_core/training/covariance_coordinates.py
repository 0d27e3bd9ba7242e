"""Free coordinates of Σ, in which a posterior is nearly normal, and their prior.

Logarithms of standard deviations and Fisher's z of the partial correlations that Σ is made of
(Lewandowski, Kurowicka & Joe 2009), or of its correlations with a factor. The prior is wide:
half-Cauchy with scale 1 on each standard deviation (Gelman 2006), standardised, and even over all
correlation matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nme_core.training.sums import Array

#: Least standard deviation, and largest z, to start from.
_LEAST_SD, _LARGEST_Z = 0.1, 1.0
#: Standard deviation of an effect that nobody has.
_NOBODY = 1e-4


@dataclass(frozen=True)
class Coordinates:
    """Free coordinates of Σ.

    Attributes
    ----------
    pool : array of int, shape (R,)
        Standard deviation of each effect, by number: effects may share one; -1: nobody has it.
    full : bool
        Whether effects are correlated; each has a standard deviation of its own then.
    known : bool
        Whether second derivatives are those that `GivenCovariance` knows, not differences.
    """

    pool: NDArray[np.int64]
    full: bool
    known: bool = False

    @property
    def n_deviations(self) -> int:
        """Standard deviations."""
        return int(self.pool.max()) + 1

    @property
    def n(self) -> int:
        """How many numbers Σ is made of."""
        r = len(self.pool)
        return r + r * (r - 1) // 2 if self.full else self.n_deviations

    def sigma(self, at: Array) -> Array:
        """Σ."""
        sd = np.append(np.exp(at[: self.n_deviations]), _NOBODY)[self.pool]
        if not self.full:
            return np.asarray(np.diag(np.square(sd)))
        lower = sd[:, None] * _correlation_factor(np.tanh(at[self.n_deviations :]), len(sd))
        return np.asarray(lower @ lower.T)

    def start(self, sigma: Array) -> Array:
        """Coordinates of Σ, or inside its boundary."""
        sd = np.sqrt(np.diag(sigma).clip(min=0))
        own = np.array([sd[self.pool == k].mean() for k in range(self.n_deviations)])
        logs: Array = np.log(own.clip(min=_LEAST_SD)).astype(np.float64)
        if not self.full:
            return logs
        size = np.outer(sd, sd)
        correlation = np.where(size > 0, sigma / np.where(size > 0, size, 1.0), 0.0)
        z = np.arctanh(_partial_correlations(correlation).clip(-0.999, 0.999))
        return np.concatenate([logs, z.clip(-_LARGEST_Z, _LARGEST_Z)])

    def log_prior(self, at: Array) -> float:
        """log p of the coordinates, up to a constant."""
        logs, z = at[: self.n_deviations], at[self.n_deviations :]
        found = float((logs - np.log1p(np.exp(2 * logs))).sum())
        if not self.full:
            return found
        r = len(self.pool)
        column = np.tril_indices(r, -1)[1]
        power = 1 + (r - 2 - column) / 2  # with the Jacobian of tanh
        return found - float((power * 2 * np.log(np.cosh(z))).sum())

    def information(self, at: Array, by_log_sd: Array) -> Array:
        """Minus the second derivative of the log posterior of a diagonal Σ, from that of the
        likelihood by the logarithms of all effects' standard deviations, (R, R).
        """
        one = np.eye(self.n + 1, self.n)[self.pool]
        return np.asarray(one.T @ by_log_sd @ one + np.diag(np.cosh(at) ** -2.0))


@dataclass(frozen=True)
class FactorCoordinates:
    """Free coordinates of Σ = l lᵀ + D: log sd of each effect, Fisher's z of its correlation with
    the factor.

    Attributes
    ----------
    scale : array, shape (R, R + 1)
        (D^½, l), as it is estimated.
    """

    scale: Array

    @property
    def n(self) -> int:
        """How many numbers Σ is made of."""
        return 2 * len(self.scale)

    def sigma(self, at: Array) -> Array:
        """Σ."""
        sd, load = np.exp(at[: self.n // 2]), np.tanh(at[self.n // 2 :])
        correlation = np.outer(load, load)
        np.fill_diagonal(correlation, 1.0)
        return np.asarray(correlation * sd * sd[:, None])

    def start(self, sigma: Array) -> Array:
        """Coordinates of Σ, or inside its boundary."""
        sd = np.sqrt(np.diag(sigma)).clip(min=_LEAST_SD)
        z = np.arctanh((self.scale[:, -1] / sd).clip(-0.999, 0.999))
        return np.concatenate([np.log(sd), z.clip(-_LARGEST_Z, _LARGEST_Z)])

    def log_prior(self, at: Array) -> float:
        """log p of the coordinates, up to a constant; correlations with the factor are even."""
        logs, z = at[: self.n // 2], at[self.n // 2 :]
        return float((logs - np.log1p(np.exp(2 * logs)) - 2 * np.log(np.cosh(z))).sum())


def _correlation_factor(partial: Array, r: int) -> Array:
    """Lower Cholesky factor of the correlation matrix with these partial correlations."""
    lower, k = np.eye(r), 0
    for row in range(1, r):
        left = 1.0
        for column in range(row):
            lower[row, column] = partial[k] * math.sqrt(left)
            left -= lower[row, column] ** 2
            k += 1
        lower[row, row] = math.sqrt(max(left, 0.0))
    return lower


def _partial_correlations(correlation: Array) -> Array:
    """Undo `_correlation_factor`, also where the matrix is singular."""
    r = len(correlation)
    inner = (1 - 1e-6) * correlation + 1e-6 * np.eye(r)
    np.fill_diagonal(inner, 1.0)
    lower, found = np.linalg.cholesky(inner), []
    for row in range(1, r):
        left = 1.0
        for column in range(row):
            found.append(lower[row, column] / math.sqrt(max(left, 1e-12)))
            left -= lower[row, column] ** 2
    return np.array(found)
