"""Random effects of one grouping factor, as tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nme_core.estimators.posterior import Posterior
from nme_core.estimators.uncertainty import Z
from nme_core.estimators.units import DataUnits
from nme_core.training.boundary import ZERO


@dataclass(frozen=True)
class Effects:
    """Random effects of the groups of one factor.

    Attributes
    ----------
    estimate : DataFrame, group × parameter
        η̂. In units of the data for a network without hidden layers, else standardised.
    se : DataFrame, group × parameter
        Posterior standard deviation of η; NaN for a point estimate.
    variance : Series
        Diagonal of Σ, by parameter; 0 where groups do not differ.
    error : DataFrame, group × parameter
        Standard deviation of η̂ − η with the uncertainty of the shared parameters, which `se` takes
        as known; `se` where that uncertainty was not taken.
    differs : Series of bool
        By parameter: whether its variance is more than the 0 that a search ends at.
    """

    estimate: pd.DataFrame
    se: pd.DataFrame
    variance: pd.Series
    error: pd.DataFrame
    differs: pd.Series

    @classmethod
    def of(
        cls, posterior: Posterior, units: DataUnits, groups: pd.Index[str], factor: int
    ) -> Effects:
        """Read the effects of the factor with this number off a posterior."""
        mixed, names = posterior.mixed, units.random_labels()
        own = mixed.by_factor(mixed.deviations)[factor].double().numpy()
        estimate = pd.DataFrame(units.deviations(own), index=groups, columns=names)
        se = pd.DataFrame(np.nan, index=groups, columns=names)
        covariance = posterior.marginal_covariance
        if covariance is not None:
            spread = mixed.by_factor(covariance)[factor].double().numpy()
            se[:] = np.sqrt(units.variances(spread))
        error = se.copy()
        if posterior.uncertainty is not None:
            counted = mixed.by_factor(posterior.uncertainty.effects)[factor]
            error[:] = np.sqrt(units.variances(counted.double().numpy()))
        sigma = posterior.sigma[factor : factor + 1].numpy()
        variance = pd.Series(units.variances(sigma)[0], index=names)
        unit = units.variances(np.ones((1, mixed.n_random)))[0]
        differs = variance.gt(ZERO * unit)
        return cls(estimate, se, variance.where(differs, 0.0), error, differs)

    def interval(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Lower and upper ends of the 95 % intervals of η, group × parameter: η̂ ± 1.96 errors."""
        return self.estimate - Z * self.error, self.estimate + Z * self.error

    @property
    def reliability(self) -> pd.DataFrame:
        """1 − S_i[k,k]/Σ[k,k], group × parameter: 0 nothing learned of the group, 1 all.

        S_i of a group that nothing is known of is Σ up to noise; what falls below 0 by it is 0, as
        is the reliability of a parameter in which groups do not differ: there is nothing to know.
        """
        known = (1 - self.se.pow(2).div(self.variance, axis="columns")).clip(lower=0)
        return known.where(self.differs | self.se.isna(), 0.0)
