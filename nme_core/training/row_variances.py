"""How certain the variances of a generalised linear mixed model with one grouping factor are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from nme_core.training.ascent import Ascent, Floats
from nme_core.training.covariance_coordinates import Coordinates, FactorCoordinates
from nme_core.training.factor_numbers import FactorNumbers
from nme_core.training.glmm_search import GLMMFit
from nme_core.training.integrated_covariance import (
    MOST_NUMBERS,
    GivenCovariance,
    IntegratedCovariance,
)
from nme_core.training.marginal import LaplaceMarginal, OutOfReachError
from nme_core.training.profile_interval import Profile, highest_given, positive
from nme_core.training.sums import Array
from nme_core.training.variance_interval import VarianceInterval, at_boundary

#: A number of Λ below this is at 0: its information tells nothing of the others.
AT_ZERO = 1e-4
#: Variances whose profile is taken at most: each costs about what the fit did.
MOST_PROFILED = 6
#: Rows times numbers of the model up to which it is taken.
MOST_WORK = 2**20
#: Rows times numbers of the model up to which Σ is integrated out of people's intervals.
MOST_INTEGRATED = 2**16


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
        self._profiled: dict[int, VarianceInterval] = {}
        self._n_profiles = 0

    def interval(self, direction: Floats, asked: float | None = None) -> VarianceInterval:
        """Of the variance of cᵀη, c of shape (R,); that of the profile of one variance only.

        `asked`: a value of which is asked whether the interval holds it.
        """
        if self.ascent.information is None:
            return VarianceInterval(math.nan)
        members = np.flatnonzero(direction)
        shared = self.factor.diagonal and len(torch.unique(self.factor.pool[members])) == 1
        if len(members) != 1 and not shared:
            _, se = self._known(torch.from_numpy(direction))
            return VarianceInterval(se)
        k, square = int(members[0]), float(direction @ direction)
        return self._of_one(k, None if asked is None else asked / square).times(square)

    def error(self, k: int) -> float:
        """Rough standard error of the variance of effect k, at the boundary too; NaN: not known."""
        if self.ascent.information is None:
            return math.nan
        direction = torch.eye(len(self._scale), dtype=torch.float64)[k]
        return self._known(direction, inside=False)[1]

    def _of_one(self, k: int, asked: float | None) -> VarianceInterval:
        """Of the variance of effect k; effects that share a variance have one interval."""
        diagonal = self.factor.diagonal
        key = int(self.factor.pool[k]) if diagonal else k
        if key not in self._profiled:
            variance, se = self._known(torch.eye(len(self._scale), dtype=torch.float64)[k])

            def profile(error: float) -> Profile | None:
                factor = self.factor if diagonal else self.factor.led_by(k)
                return self._profile(factor, key if diagonal else 0, variance, error)

            self._profiled[key] = VarianceInterval.of(
                variance,
                se,
                self.marginal.n_persons,
                None if self.factor.patterned else profile,
                asked=asked,
            )
        return self._profiled[key]

    def _known(self, direction: Tensor, *, inside: bool = True) -> tuple[float, float]:
        """The variance of cᵀη and its standard error; NaN where it is 0, and with `inside` at the
        boundary of Σ.
        """
        moved = self._scale.T @ direction
        variance = float(moved @ moved)
        slope = self.factor.gather(2 * direction.unsqueeze(1) * moved).numpy()
        assert self.ascent.information is not None
        kept = np.abs(self.ascent.at) > AT_ZERO
        kept[: self._d] = True
        outside = at_boundary((self._scale @ self._scale.T).numpy())[direction.numpy() != 0]
        if variance <= AT_ZERO**2 or (inside and outside.any()) or not kept[self._d :].any():
            return variance, math.nan
        inverse = np.linalg.pinv(self.ascent.information[np.ix_(kept, kept)], hermitian=True)
        n = int(kept[self._d :].sum())
        own = slope[kept[self._d :]]
        square = float(own @ inverse[-n:, -n:] @ own)
        return variance, math.sqrt(square) if square > 0 else math.nan

    def _profile(
        self, factor: FactorNumbers, number: int, variance: float, error: float
    ) -> Profile | None:
        """Over the square of one number of Λ; None where it would take too long."""
        work = self.marginal.n_rows * len(self.ascent.at)
        if self._n_profiles == MOST_PROFILED or work > MOST_WORK:
            return None
        self._n_profiles += 1
        error = error if math.isfinite(error) else 0.3
        return Profile(self._maximised(factor, number), variance, self.ascent.value, error)

    def _maximised(self, factor: FactorNumbers, number: int) -> Callable[..., float]:
        """Highest log-likelihood with this number of Λ at √v (see `Profile`)."""
        d = self._d
        u = torch.from_numpy(self.ascent.at[:d])
        start = torch.cat([u, factor.of_covariance(self._scale @ self._scale.T)]).numpy()

        def objective(x: Floats) -> tuple[float, Floats]:
            at = torch.from_numpy(x)
            try:
                found = self.marginal(at[:d], factor.matrix(at[d:]))
            except OutOfReachError:
                return -math.inf, np.zeros(len(x))
            slope = torch.cat([found.shared, factor.gather(found.scale)])
            return found.value, slope.numpy()

        information = self._guess(factor, start)
        return highest_given(objective, start, d + number, information, slice(d, None))

    def _guess(self, factor: FactorNumbers, at: Floats) -> Floats:
        """Positive definite information of (u, numbers of Λ) for the search to start with."""
        if factor is self.factor and self.ascent.information is not None:
            return positive(self.ascent.information)
        found = self.marginal(torch.from_numpy(at[: self._d]), self._scale)
        whole = np.zeros((len(at), len(at)))
        whole[: self._d, : self._d] = found.information.numpy()
        n = len(at) - self._d
        whole[self._d :, self._d :] = self.marginal.n_persons * np.eye(n)
        return whole


def integrated_rows(
    variances: RowVariances, fit: GLMMFit, *, one_factor: bool
) -> IntegratedCovariance | None:
    """People's effects with Σ integrated out; None where that is too much work.

    Parameters
    ----------
    one_factor : bool
        Whether Σ is a diagonal one and that of one factor.
    """
    factor, marginal = variances.factor, variances.marginal
    if not len(fit.scale):
        return None
    coordinates: Coordinates | FactorCoordinates
    coordinates = Coordinates(np.arange(len(fit.scale)), full=True)
    if factor.diagonal:
        coordinates = Coordinates(factor.pool.numpy(), full=False)
    if one_factor:
        coordinates = FactorCoordinates(fit.scale.numpy())
    work = marginal.n_rows * (len(fit.fixed) + factor.n)
    if coordinates.n > MOST_NUMBERS or work > MOST_INTEGRATED or factor.patterned != one_factor:
        return None
    given, sigma = partial(_given, marginal, fit.fixed), fit.scale @ fit.scale.T
    return IntegratedCovariance.of(given, coordinates, sigma.numpy(), fit.effects.numpy())


def _given(marginal: LaplaceMarginal, u: Tensor, sigma: Array, _: Array) -> GivenCovariance | None:
    """What the rows say at Σ, by one Newton step of the shared parameters from u, (D,)."""
    scale, layout = torch.linalg.cholesky(torch.from_numpy(sigma)), marginal.layout
    try:
        found = marginal(u, scale)
        shared = torch.linalg.inv(found.information)
        step = shared @ found.shared
    except (OutOfReachError, torch.linalg.LinAlgError):  # type: ignore[attr-defined]
        return None
    value = found.value + 0.5 * float(found.shared @ step)
    value += 0.5 * float(torch.linalg.slogdet(shared)[1])
    slope = layout.slope(u + step)

    def effects() -> tuple[Array, Array, Array]:
        own, conditional, coupling = marginal.effects_following(u + step, scale)
        coupling = coupling @ torch.linalg.inv(slope)
        return own.numpy().copy(), conditional.numpy(), coupling.numpy()

    def of_shared() -> tuple[Array, Array]:
        shift = layout.parameters(u + step) - layout.parameters(u)
        return shift.numpy(), (slope @ shared @ slope.T).numpy()

    return GivenCovariance(value, effects, of_shared, sigma)
