"""What a linear model with Gaussian outcome says of its variances once it is fitted: intervals, and
people's effects with Σ integrated out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nme_core.training.covariance import BLOCKS, FACTOR, FACTOR2
from nme_core.training.covariance_coordinates import Coordinates, FactorCoordinates
from nme_core.training.integrated_covariance import (
    MOST_NUMBERS,
    GivenCovariance,
    IntegratedCovariance,
)
from nme_core.training.linear_autocorrelation import AutocorrelatedFit, beyond_autocorrelation
from nme_core.training.linear_likelihood import Cross
from nme_core.training.linear_mixed import LinearMixedFit
from nme_core.training.linear_profiles import Beyond, residual_profile, variance_profile
from nme_core.training.profile_interval import Profile
from nme_core.training.sums import Array
from nme_core.training.variance_interval import (
    FAR,
    FAR_REMEMBERING,
    VarianceInterval,
    at_boundary,
)

#: Numbers in the sums over people, and in rows with times, up to which Σ is integrated out.
MOST_INTEGRATED = 2**17


@dataclass(frozen=True)
class GaussianVariances:
    """Intervals of variances.

    Attributes
    ----------
    fit : LinearMixedFit
        The fit.
    process : AutocorrelatedFit or None
        What was found of residuals that remember.
    random : list of int
        Columns of (inputs, 1) in which people differ.
    patterned : bool
        Whether Σ has a structure that is neither diagonal nor full.
    n_people : int
        P.
    """

    fit: LinearMixedFit
    process: AutocorrelatedFit | None
    random: list[int]
    patterned: bool
    n_people: int

    def of_random(self, direction: Array, asked: float | None = None) -> VarianceInterval:
        """Of the variance of cᵀη."""
        if not direction.any():
            return VarianceInterval(float("nan"))
        information, sigma = self.fit.information, self.fit.sigma.numpy()

        def profile(error: float) -> Profile:
            return variance_profile(
                information.point, information.elements, direction, error=error, beyond=self._beyond
            )

        return VarianceInterval.of(
            float(direction @ sigma @ direction),
            information.variance_se(direction),
            self._telling,
            None if self.patterned else profile,
            far=self._far,
            asked=asked,
        )

    def of_residuals(self, asked: float | None = None) -> VarianceInterval:
        """Of σ²: by the profile where few rows tell of it, else on the log scale.

        Where residuals are correlated, they vary within people as people vary: people tell of it.
        """
        information = self.fit.information

        def profile(error: float) -> Profile:
            return residual_profile(
                information.point, information.elements, error=error, beyond=self._beyond
            )

        alone = self.process is None
        patterned = not alone and self.patterned
        return VarianceInterval.of(
            self.fit.residual_variance,
            information.residual_variance_se,
            information.point.cross.n_rows if alone else self._telling,
            None if patterned else profile,
            far=self._far,
            asked=asked,
        )

    @property
    def _telling(self) -> int:
        """People who tell of a variance: none of one that Σ's boundary makes look well known."""
        on_boundary = self.process is not None and at_boundary(self.fit.sigma.numpy()).any()
        return 0 if on_boundary else self.n_people

    @property
    def _far(self) -> float:
        return FAR if self.process is None else FAR_REMEMBERING

    @property
    def _beyond(self) -> Beyond | None:
        """What a profile is also taken over."""
        return None if self.process is None else beyond_autocorrelation(self.process, self.random)


def integrated_gaussian(
    read: GaussianVariances, kind: str, prior: Array
) -> IntegratedCovariance | None:
    """People's effects with Σ and ρ integrated out; None where that is too much work.

    Parameters
    ----------
    kind : str
        Of Σ.
    prior : array, shape (p,)
        Precisions of the priors on β, in units of 1/σ².
    """
    fit, point, process, random = read.fit, read.fit.information.point, read.process, read.random
    coordinates: Coordinates | FactorCoordinates
    coordinates = Coordinates(np.arange(len(random)), full=kind == "full")
    if kind == FACTOR:
        coordinates = FactorCoordinates(point.scale * np.sqrt(point.variance))
    numbers = point.cross.zd.size + (0 if process is None else process.rows.rows.size)
    large = coordinates.n > MOST_NUMBERS or numbers > MOST_INTEGRATED
    if kind in (BLOCKS, FACTOR2) or large:
        return None
    variance = point.variance
    further = () if process is None else (process.correlation.free,)

    def given(sigma: Array, at: Array) -> GivenCovariance | None:
        cross, value, rho = point.cross, 0.0, 0.0
        if process is not None:
            correlation = process.correlation.moved(float(at[0]))
            rho = correlation.per_unit(process.rows.step)[0]
            cross = Cross.of(process.rows.sums(correlation), random, prior=prior)
            value = correlation.log_prior - 0.5 * process.rows.log_determinant(correlation)
        scale = np.linalg.cholesky(sigma / variance).astype(np.float64)
        there = replace(cross, reml=True).at(scale)
        return GivenCovariance(
            value - 0.5 * there.deviance,
            lambda: (there.effects, there.conditional, there.following),
            lambda: (there.fixed - point.fixed, there.variance * there.inverse),
            there.variance * scale @ scale.T,
            there.variance,
            rho,
            lambda: -0.5 * there.slope / variance,
        )

    sigma, effects = fit.sigma.numpy(), fit.effects.numpy()
    return IntegratedCovariance.of(given, coordinates, sigma, effects, further)
