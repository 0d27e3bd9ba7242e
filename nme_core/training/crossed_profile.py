"""The profile of the likelihood over one variance of a model with several grouping factors.

A number θ_k of Λ stands for the variance v = u² σ² θ_k² of an effect, u its unit. The likelihood of
others is highest over all else with θ_k = √v/u. That of numbers with residual variance σ² = exp(s),

    −log L = L*(θ) + N/2 ( s − log σ̂² + σ̂² exp(−s) − 1 ),    θ_k = √v/u exp(−s/2),

L* the one that is profiled over σ² and σ̂²(θ) its σ², is highest over s too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.linalg import block_diag

from nme_core.training.grouping import Numbers
from nme_core.training.profile_interval import Profile, highest_given
from nme_core.training.scales import State

#: Rows times parameters up to which a profile is taken.
MOST_WORK = 2**17


@dataclass(frozen=True)
class CrossedProfile:
    """What profiles are taken of.

    Attributes
    ----------
    state_of : callable
        Takes all parameters, θ last; returns the state there.
    at : array, shape (n,)
        Where −log L is lowest.
    lowest : float
        It, there.
    information : array, shape (n, n)
        About its second derivatives, positive definite.
    n_numbers : int
        Numbers in θ.
    degrees : int
        N of numbers; 0 of others.
    """

    state_of: Callable[[Numbers], State]
    at: Numbers
    lowest: float
    information: Numbers
    n_numbers: int
    degrees: int

    def of(self, number: int, unit: float, variance: float, error: float) -> Profile:
        """Over the variance of an effect with this unit and number of Λ."""
        error = error if math.isfinite(error) and error > 0 else 0.3 * variance or 0.1 * unit**2
        start, information = self.at, self.information
        place, own = len(start) - self.n_numbers + number, slice(-self.n_numbers, None)
        if self.degrees:  # s is the last coordinate, and that of the variance is √v
            start = np.append(start, math.log(self.state_of(start).residual_variance))
            information = block_diag(information, [self.degrees / 2])
            own = slice(-1 - self.n_numbers, -1)
        scaled = np.ones(len(start))
        scaled[place] = unit * (math.exp(start[-1] / 2) if self.degrees else 1.0)
        information = information / np.outer(scaled, scaled)
        highest = highest_given(
            partial(self._value, place, unit), scaled * start, place, information, own
        )
        return Profile(highest, variance, -self.lowest, error)

    def _value(self, place: int, unit: float, x: Numbers) -> tuple[float, Numbers]:
        """log L and its slope, x[place] being √v."""
        try:
            shrunk = math.exp(-x[-1] / 2) / unit if self.degrees else 1 / unit
            whole = x[: len(self.at)].copy()
            whole[place] *= shrunk
            state = self.state_of(whole)
            beyond = math.log(state.residual_variance) - x[-1] if self.degrees else 0.0
            ratio = math.exp(beyond)
        except (np.linalg.LinAlgError, OverflowError):
            return -math.inf, np.zeros(len(x))
        value, slope = state.value, state.slope
        if self.degrees:
            assert state.follows is not None
            value += self.degrees / 2 * (ratio - 1 - beyond)
            slope = slope + self.degrees / 2 * (ratio - 1) * state.follows
            by_s = self.degrees / 2 * (1 - ratio) - slope[place] * whole[place] / 2
            slope = np.append(slope, by_s)
        slope[place] *= shrunk
        return -value, -slope
