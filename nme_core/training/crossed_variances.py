"""How certain the variances of a model with several grouping factors are.

With θ the numbers of all Λ_g and σ̂²(θ) the best residual variance for each,

    log σ² = log σ̂²(θ) + e,    var(e) = 2/N,    Σ_g = σ² Λ_g Λ_gᵀ,

θ with the inverse curvature of the profiled likelihood for its covariance: the delta method. The
interval of a variance near 0, or of few groups, is that of the profile (`CrossedProfile`); where
effects are correlated there is none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nme_core.training.crossed_profile import MOST_WORK, CrossedProfile
from nme_core.training.grouping import Grouping, Numbers
from nme_core.training.minimum import Minimum
from nme_core.training.profile_interval import Profile
from nme_core.training.scales import Scales, State
from nme_core.training.variance_interval import VarianceInterval, at_boundary

#: Least share of the largest eigenvalue of a guess of the information.
_LEAST = 1e-6


@dataclass(frozen=True)
class CrossedVariances:
    """Reads them off a maximum.

    Attributes
    ----------
    theta : array, shape (n,)
        The numbers of all Λ_g.
    covariance : array, shape (n, n)
        Of θ; 0 of numbers at 0.
    follows : array, shape (n,)
        ∂ log σ̂²/∂θ; 0 where there is no σ².
    rest : float
        var(e); 0 where there is no σ².
    residual_variance : float
        σ².
    scales : Scales
        Which number is where.
    grouping : Grouping
        Of the rows.
    units : list of arrays, shape (R_g,)
        By which effects are multiplied to be those of the columns as they were given.
    profile : CrossedProfile
        Of the likelihood.
    """

    theta: Numbers
    covariance: Numbers
    follows: Numbers
    rest: float
    residual_variance: float
    scales: Scales
    grouping: Grouping
    units: Sequence[Numbers]
    profile: CrossedProfile

    @classmethod
    def of(
        cls,
        found: Minimum,
        scales: Scales,
        grouping: Grouping,
        units: Sequence[Numbers],
        state_of: Callable[[Numbers], State],
        degrees: int,
    ) -> CrossedVariances:
        """Take them at a minimum of −log L whose last parameters are θ.

        `state_of` gives the state at all parameters; `degrees` is N, 0 where there is no σ².
        """
        n = scales.n
        kept = np.ix_(found.free, found.free)
        inverse = np.zeros_like(found.curvature)
        inverse[kept] = np.linalg.pinv(found.curvature[kept], hermitian=True)
        state = state_of(found.x)
        follows = np.zeros(n) if state.follows is None else state.follows * found.free
        rough = np.concatenate([np.ones(len(found.x) - n), scales.rough_errors(grouping) ** -2])
        whole = found.curvature + np.diag(np.where(found.free, 0.0, rough))
        values, vectors = np.linalg.eigh(whole)
        information = (vectors * np.maximum(values, _LEAST * values.max(initial=1.0))) @ vectors.T
        return cls(
            theta=found.x[-n:],
            covariance=inverse[-n:, -n:],
            follows=follows,
            rest=2 / degrees if degrees else 0.0,
            residual_variance=state.residual_variance,
            scales=scales,
            grouping=grouping,
            units=units,
            profile=CrossedProfile(state_of, found.x, found.value, information, n, degrees),
        )

    def interval(
        self, factor: int, direction: Numbers, asked: float | None = None
    ) -> VarianceInterval:
        """Of the variance of cᵀb of a factor, in the order of the caller; c of shape (R,)."""
        place = self.grouping.order.index(factor)
        moved = self.units[factor] * direction
        matrix = self.scales.matrices(self.theta)[place]
        turned = matrix.T @ moved
        variance = self.residual_variance * float(turned @ turned)
        if at_boundary(matrix @ matrix.T)[moved != 0].any():
            profile = self._profile(place, moved)
            levels = self.grouping.factors[place].n_levels
            return VarianceInterval.of(variance, math.nan, levels, profile, asked=asked)
        start = sum(one.n for one in self.scales.each[:place])
        own = self.scales.each[place]
        slope = variance * self.follows
        by_own = own.slope(2 * self.residual_variance * np.outer(moved, turned))
        slope[start : start + own.n] += by_own
        n_levels = self.grouping.factors[place].n_levels
        return self._interval(variance, slope, n_levels, asked, self._profile(place, moved))

    def _profile(self, place: int, moved: Numbers) -> Callable[[float], Profile | None] | None:
        """Over the variance of cᵀb, `moved` being c times the units; None where that is not one
        number of Λ.
        """
        own = self.scales.each[place]
        numbers = np.unique(own.place[np.flatnonzero(moved)])
        if len(numbers) != 1 or not own.diagonal:
            return None
        unit, work = float(np.linalg.norm(moved)), self.grouping.n_rows * len(self.profile.at)
        number = sum(one.n for one in self.scales.each[:place]) + int(numbers[0])
        variance = self.residual_variance * (unit * float(self.theta[number])) ** 2

        def profile(error: float) -> Profile | None:
            if work > MOST_WORK:
                return None
            return self.profile.of(number, unit, variance, error)

        return profile

    def residual(self, asked: float | None = None) -> VarianceInterval | None:
        """Of σ²; None where there is none."""
        if not self.rest:
            return None
        variance = self.residual_variance
        return self._interval(variance, variance * self.follows, round(2 / self.rest), asked)

    def _interval(
        self,
        variance: float,
        slope: Numbers,
        n_groups: int,
        asked: float | None,
        profile: Callable[[float], Profile | None] | None = None,
    ) -> VarianceInterval:
        square = float(slope @ self.covariance @ slope) + variance**2 * self.rest
        se = math.sqrt(square) if square > 0 else math.nan
        return VarianceInterval.of(variance, se, n_groups, profile, asked=asked)
