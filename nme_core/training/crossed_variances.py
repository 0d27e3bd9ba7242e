"""How certain the variances of a model with several grouping factors are.

With θ the numbers of all Λ_g and σ̂²(θ) the best residual variance for each,

    log σ² = log σ̂²(θ) + e,    var(e) = 2/N,    Σ_g = σ² Λ_g Λ_gᵀ,

θ with the inverse curvature of the profiled likelihood for its covariance: the delta method. There
is no profile of the likelihood here: a variance near 0 has no interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nme_core.training.grouping import Grouping, Numbers
from nme_core.training.minimum import Minimum
from nme_core.training.scales import Scales
from nme_core.training.variance_interval import VarianceInterval, at_boundary

#: Step of the differences of log σ̂².
_STEP = 1e-4


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
    """

    theta: Numbers
    covariance: Numbers
    follows: Numbers
    rest: float
    residual_variance: float
    scales: Scales
    grouping: Grouping
    units: Sequence[Numbers]

    @classmethod
    def of(
        cls,
        found: Minimum,
        scales: Scales,
        grouping: Grouping,
        units: Sequence[Numbers],
        residual: Callable[[Numbers], float] | None,
        degrees: int,
    ) -> CrossedVariances:
        """Take them at a minimum of −log L whose last parameters are θ.

        `residual` gives σ̂² at all parameters, None where there is none; `degrees` is N.
        """
        n = scales.n
        kept = np.ix_(found.free, found.free)
        inverse = np.zeros_like(found.curvature)
        inverse[kept] = np.linalg.pinv(found.curvature[kept], hermitian=True)
        follows, variance = np.zeros(n), 1.0
        if residual is not None:
            variance = residual(found.x)
            for k in np.flatnonzero(found.free[-n:]):
                step = np.zeros(len(found.x))
                step[len(found.x) - n + k] = _STEP
                ends = [math.log(residual(found.x + side * step)) for side in (1, -1)]
                follows[k] = (ends[0] - ends[1]) / (2 * _STEP)
        return cls(
            theta=found.x[-n:],
            covariance=inverse[-n:, -n:],
            follows=follows,
            rest=0.0 if residual is None else 2 / degrees,
            residual_variance=variance,
            scales=scales,
            grouping=grouping,
            units=units,
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
            return VarianceInterval(math.nan)
        start = sum(one.n for one in self.scales.each[:place])
        own = self.scales.each[place]
        slope = variance * self.follows
        by_own = own.slope(2 * self.residual_variance * np.outer(moved, turned))
        slope[start : start + own.n] += by_own
        return self._interval(variance, slope, self.grouping.factors[place].n_levels, asked)

    def residual(self, asked: float | None = None) -> VarianceInterval | None:
        """Of σ²; None where there is none."""
        if not self.rest:
            return None
        variance = self.residual_variance
        return self._interval(variance, variance * self.follows, round(2 / self.rest), asked)

    def _interval(
        self, variance: float, slope: Numbers, n_groups: int, asked: float | None
    ) -> VarianceInterval:
        square = float(slope @ self.covariance @ slope) + variance**2 * self.rest
        se = math.sqrt(square) if square > 0 else math.nan
        return VarianceInterval.of(variance, se, n_groups, None, asked=asked)
