"""How certain a variance is: its standard error, and a 95 % interval that stays above 0.

    exp( log v ± z se(v)/v ),    se(v)² = gᵀ A g,    g = ∂v/∂ω,

A the inverse information of the parameters ω that v is made of: on the log scale the likelihood of
a variance is nearly a parabola where it is well known. Where v is less than three standard errors
from 0, or few people tell of it, it is not, and the interval is that of the profile of the
likelihood (`Profile`), whose lower end may be 0. Variances beside a residual
autocorrelation need eight: with few rows of each person one can stand for the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from nme_core.exceptions import TrainingError
from nme_core.training.profile_interval import Profile
from nme_core.training.sums import Array

#: Standard errors from 0, and people, below which the profile is taken.
FAR, FEW = 3.0, 30
#: The same where the likelihood is also over a residual autocorrelation: it bends more.
FAR_REMEMBERING = 8.0
#: Smallest eigenvalue of the random effects' correlations from which on Σ is not singular.
_SINGULAR = 1e-6
_Z = float(norm.ppf(0.975))


def at_boundary(sigma: Array) -> NDArray[np.bool_]:
    """Which random effects have a variance at the boundary of Σ, shape (R,).

    Those of no variance, and all where effects are perfectly correlated: no standard error of
    theirs is defined.
    """
    sd = np.sqrt(np.diag(sigma).clip(min=0))
    found: NDArray[np.bool_] = ~(sd > 0)
    left = np.flatnonzero(~found)
    if len(left):
        own = sigma[np.ix_(left, left)] / np.outer(sd[left], sd[left])
        found[left] = np.linalg.eigvalsh(own)[0] < _SINGULAR
    return found


@dataclass(frozen=True)
class VarianceInterval:
    """Of one variance.

    Attributes
    ----------
    se : float
        Standard error; NaN at the boundary, where it is not defined.
    low, high : float
        95 % interval; NaN where it was not taken.
    held : float
        1 where the interval holds the value that was asked about, 0 where not; NaN: none was, or
        there is no interval.
    """

    se: float
    low: float = math.nan
    high: float = math.nan
    held: float = math.nan

    @classmethod
    def of(
        cls,
        variance: float,
        se: float,
        n_groups: int,
        profile: Callable[[float], Profile | None] | None,
        *,
        far: float = FAR,
        asked: float | None = None,
    ) -> VarianceInterval:
        """Take the interval by the profile or on the log scale.

        Parameters
        ----------
        variance, se : float
            Estimate and standard error.
        n_groups : int
            People who tell of it; of σ² rows.
        profile : callable, optional
            Gives the profile, from the standard error; None: there is none, and no interval where
            it would be needed for a variance near 0.
        far : float
            Standard errors from 0 below which the profile is taken where there is one.
        asked : float, optional
            A value: does the interval hold it? Ends by the profile are not searched for then.
        """
        known = math.isfinite(se) and variance >= FAR * se > 0
        if known and (profile is None or (n_groups >= FEW and variance >= far * se)):
            half = _Z * se / variance
            low, high = variance * math.exp(-half), variance * math.exp(half)
            return cls(se, low, high, math.nan if asked is None else float(low <= asked <= high))
        found = None if profile is None else profile(se)
        if found is None:
            return cls(se)
        try:
            if asked is not None:
                return cls(se, held=float(found.holds(asked)))
            return cls(se, *found.interval())
        except (TrainingError, np.linalg.LinAlgError):
            # a fit that had not converged has said so; it has no interval
            return cls(se)

    def times(self, factor: float) -> VarianceInterval:
        """The same of `factor` times the variance."""
        return replace(self, se=self.se * factor, low=self.low * factor, high=self.high * factor)


def asked_of_each(asked: Array | None, factor: int, n: int) -> list[float | None]:
    """What is asked of each of a factor's n variances; None where nothing is."""
    return [None] * n if asked is None else asked[factor].tolist()


@runtime_checkable
class KnowsVariances(Protocol):
    """A trained problem that knows how certain its variances are."""

    def variance_intervals(
        self, directions: Array, asked: Array | None = None
    ) -> list[list[VarianceInterval]]:
        """Of the variances of cᵀη for each row c of `directions`, (m, R); by factor.

        `asked`, (n_factors, m): values of which is asked whether the intervals hold them.
        """
        ...

    def residual_interval(self, asked: float | None = None) -> VarianceInterval | None:
        """Of σ²; None where there is none."""
        ...
