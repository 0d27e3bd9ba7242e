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
from nme_core.training.profile_interval import Profile, positive
from nme_core.training.scales import Scales, State
from nme_core.training.variance_interval import VarianceInterval, at_boundary


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
        information = positive(whole)
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
        place, moved = self.grouping.order.index(factor), self.units[factor] * direction
        matrix = self.scales.matrices(self.theta)[place]
        outside = at_boundary(matrix @ matrix.T)[moved != 0].any()
        variance, error = self.known(factor, direction)
        return VarianceInterval.of(
            variance,
            math.nan if outside else error,
            self.grouping.factors[place].n_levels,
            self._profile(place, moved, variance),
            asked=asked,
        )

    def known(self, factor: int, direction: Numbers) -> tuple[float, float]:
        """The variance of cᵀb, and its standard error by the delta method, at the boundary too."""
        place, moved = self.grouping.order.index(factor), self.units[factor] * direction
        turned = self.scales.matrices(self.theta)[place].T @ moved
        variance = self.residual_variance * float(turned @ turned)
        own, slope = self.scales.each[place], variance * self.follows
        start = self._before(place)
        by_own = own.slope(2 * self.residual_variance * np.outer(moved, turned))
        slope[start : start + own.n] += by_own
        return variance, self._error(variance, slope)

    def residual(self, asked: float | None = None) -> VarianceInterval | None:
        """Of σ²; None where there is none."""
        if not self.rest:
            return None
        variance = self.residual_variance
        error = self._error(variance, variance * self.follows)
        return VarianceInterval.of(variance, error, round(2 / self.rest), None, asked=asked)

    def _before(self, place: int) -> int:
        """Numbers of Λ of the factors before one."""
        return sum(one.n for one in self.scales.each[:place])

    def _error(self, variance: float, slope: Numbers) -> float:
        square = float(slope @ self.covariance @ slope) + variance**2 * self.rest
        return math.sqrt(square) if square > 0 else math.nan

    def _profile(
        self, place: int, moved: Numbers, variance: float
    ) -> Callable[[float], Profile | None] | None:
        """Over the variance of cᵀb, `moved` being c times the units; None where that is not one
        number of Λ, and where it would take too long.
        """
        own = self.scales.each[place]
        numbers = np.unique(own.place[np.flatnonzero(moved)])
        work = self.grouping.n_rows * len(self.profile.at)
        if len(numbers) != 1 or not own.diagonal or work > MOST_WORK:
            return None
        number, unit = self._before(place) + int(numbers[0]), float(np.linalg.norm(moved))
        return lambda error: self.profile.of(number, unit, variance, error)
