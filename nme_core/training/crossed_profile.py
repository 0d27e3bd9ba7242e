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

import numpy as np

from nme_core.training.ascent import maximise
from nme_core.training.grouping import Codes, Numbers
from nme_core.training.profile_interval import Profile
from nme_core.training.scales import State

#: Rows times parameters up to which a profile is taken.
MOST_WORK = 2**17
#: A number of Λ is taken so far away from 0, where the slope by it is 0.
_ASIDE = 0.05


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
        return Profile(self._highest(number, unit), variance, -self.lowest, error)

    def _highest(self, number: int, unit: float) -> Callable[..., float]:
        """Highest log-likelihood with the variance at a value (see `Profile`)."""
        n, place = len(self.at), len(self.at) - self.n_numbers + number
        free = np.delete(np.arange(n), place)
        start = self.at.copy()
        own = np.arange(n) >= n - self.n_numbers
        start[own & (np.abs(start) < _ASIDE)] = _ASIDE
        begin, information = start[free], self.information[np.ix_(free, free)]
        if self.degrees:
            begin = np.append(begin, math.log(self.state_of(self.at).residual_variance))
            wider = np.zeros((n, n))
            wider[: n - 1, : n - 1], wider[-1, -1] = information, self.degrees / 2
            information = wider

        def highest(value: float, enough: float | None = None) -> float:
            nonlocal begin
            scale = math.sqrt(max(value, 0.0)) / unit

            def objective(x: Numbers) -> tuple[float, Numbers]:
                whole = np.empty(n)
                whole[free] = x[: n - 1]
                try:
                    whole[place] = scale * (math.exp(-x[-1] / 2) if self.degrees else 1.0)
                    return self._value(whole, free, place, x)
                except (np.linalg.LinAlgError, OverflowError):
                    return -math.inf, np.zeros(len(x))

            found = maximise(objective, begin, information, differentiate=False, enough=enough)
            begin = found.at
            return found.value

        return highest

    def _value(self, whole: Numbers, free: Codes, place: int, x: Numbers) -> tuple[float, Numbers]:
        """log L and its slope by the free parameters, and by s."""
        state = self.state_of(whole)
        value, slope = state.value, state.slope
        if not self.degrees:
            return -value, -slope[free]
        assert state.follows is not None
        ratio = state.residual_variance * math.exp(-x[-1])
        value += self.degrees / 2 * (ratio - 1 - math.log(ratio))
        slope = slope + self.degrees / 2 * (ratio - 1) * state.follows
        by_s = self.degrees / 2 * (1 - ratio) - slope[place] * whole[place] / 2
        return -value, -np.append(slope[free], by_s)
