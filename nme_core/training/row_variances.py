"""How certain the variances of a generalised linear mixed model with one grouping factor are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.training.ascent import Ascent, maximise
from nme_core.training.factor_numbers import FactorNumbers
from nme_core.training.marginal import LaplaceMarginal, OutOfReachError
from nme_core.training.profile_interval import profile_interval
from nme_core.training.variance_interval import VarianceInterval, at_boundary

Floats = NDArray[np.float64]
#: A number of Λ below this is at 0: its information tells nothing of the others.
AT_ZERO = 1e-4
#: Variances whose profile is taken at most: each costs about what the fit did.
MOST_PROFILED = 6
#: Rows times numbers of the model up to which it is taken.
MOST_WORK = 2**20
#: Least share of the largest eigenvalue of a guess of the information.
_LEAST = 1e-6


@dataclass
class RowVariances:
    """Reads them off a maximum.

    Parameters
    ----------
    marginal : LaplaceMarginal
        The likelihood.
    factor : FactorNumbers
        Of Λ.
    ascent : Ascent
        The maximum, over (u, the numbers of Λ).
    """

    marginal: LaplaceMarginal
    factor: FactorNumbers
    ascent: Ascent

    def __post_init__(self) -> None:
        self._d = len(self.ascent.at) - self.factor.n
        at = torch.from_numpy(self.ascent.at)
        self._scale = self.factor.matrix(at[self._d :])
        self._profiled: dict[int, tuple[float, float]] = {}

    def interval(self, direction: Floats) -> VarianceInterval:
        """Of the variance of cᵀη, c of shape (R,); that of the profile of single effects only."""
        if self.ascent.information is None:
            return VarianceInterval(math.nan)
        members = np.flatnonzero(direction)
        if len(members) != 1:
            _, se = self._known(torch.from_numpy(direction))
            return VarianceInterval(se)
        k = int(members[0])
        variance, se = self._known(torch.eye(len(direction), dtype=torch.float64)[k])
        found = VarianceInterval.of(
            variance,
            se,
            self.marginal.n_persons,
            None if self.factor.patterned else lambda error: self._profile(k, variance, error),
        )
        return found.times(float(direction[k]) ** 2)

    def _known(self, direction: Tensor) -> tuple[float, float]:
        """The variance of cᵀη and its standard error; NaN where it is 0."""
        moved = self._scale.T @ direction
        variance = float(moved @ moved)
        slope = self.factor.gather(2 * direction.unsqueeze(1) * moved).numpy()
        assert self.ascent.information is not None
        kept = np.abs(self.ascent.at) > AT_ZERO
        kept[: self._d] = True
        outside = at_boundary((self._scale @ self._scale.T).numpy())[direction.numpy() != 0]
        if variance <= AT_ZERO**2 or outside.any() or not kept[self._d :].any():
            return variance, math.nan
        inverse = np.linalg.pinv(self.ascent.information[np.ix_(kept, kept)], hermitian=True)
        n = int(kept[self._d :].sum())
        own = slope[kept[self._d :]]
        square = float(own @ inverse[-n:, -n:] @ own)
        return variance, math.sqrt(square) if square > 0 else math.nan

    def _profile(self, k: int, variance: float, error: float) -> tuple[float, float]:
        """By the profile of the likelihood; effects that share a variance have one."""
        factor = self.factor if self.factor.diagonal else self.factor.led_by(k)
        number = int(factor.pool[k]) if self.factor.diagonal else 0
        key = number if self.factor.diagonal else k
        if key not in self._profiled:
            work = self.marginal.n_rows * len(self.ascent.at)
            if len(self._profiled) == MOST_PROFILED or work > MOST_WORK:
                return math.nan, math.nan
            error = error if math.isfinite(error) else 0.3
            maximised = self._maximised(factor, number)
            self._profiled[key] = profile_interval(
                maximised, variance, maximised(variance), error=error
            )
        return self._profiled[key]

    def _maximised(self, factor: FactorNumbers, number: int) -> Callable[[float], float]:
        """Highest log-likelihood with this number of Λ at √v."""
        d, place = self._d, self._d + number
        u = torch.from_numpy(self.ascent.at[:d])
        start = torch.cat([u, factor.of_covariance(self._scale @ self._scale.T)]).numpy()
        free = np.arange(len(start)) != place
        information = self._guess(factor, start)[np.ix_(free, free)]
        # an effect of no variance is taken a little away from 0, where the slope by it is 0
        start[d:] = np.where(np.abs(start[d:]) < 0.05, 0.05, start[d:])
        begin = start[free]

        def maximised(value: float) -> float:
            nonlocal begin
            whole = start.copy()
            whole[place] = math.sqrt(max(value, 0.0))

            def objective(x: Floats) -> tuple[float, Floats]:
                whole[free] = x
                at = torch.from_numpy(whole)
                try:
                    found = self.marginal(at[:d], factor.matrix(at[d:]))
                except OutOfReachError:
                    return -math.inf, np.zeros(len(x))
                slope = torch.cat([found.shared, factor.gather(found.scale)]).numpy()
                return found.value, slope[free]

            if not free.any():
                return objective(begin)[0]
            found = maximise(objective, begin, information, differentiate=False)
            begin = found.at
            return found.value

        return maximised

    def _guess(self, factor: FactorNumbers, at: Floats) -> Floats:
        """Positive definite information of (u, numbers of Λ) for the search to start with."""
        if factor is self.factor and self.ascent.information is not None:
            values, vectors = np.linalg.eigh(self.ascent.information)
            raised = np.maximum(values, _LEAST * values.max())
            positive: Floats = (vectors * raised) @ vectors.T
            return positive
        found = self.marginal(torch.from_numpy(at[: self._d]), self._scale)
        whole = np.zeros((len(at), len(at)))
        whole[: self._d, : self._d] = found.information.numpy()
        n = len(at) - self._d
        whole[self._d :, self._d :] = self.marginal.n_persons * np.eye(n)
        return whole
