"""Maxima of ℓ by a diagonal Σ, of people as quadratics: where the search of the fit is to begin.

ℓ may have several: that people stay in a state for long and that they seldom leave it are two
variances, either of which may do. With each log p_i(ψ) by its value, slope and curvature at one
place ℓ is that of a linear mixed model, whose maxima take no pass over the data.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from torch import Tensor

from nme_core.training.chain_data import ChainData
from nme_core.training.chain_modes import ChainModes, Near
from nme_core.training.chain_steps import bounded
from nme_core.training.covariance import RandomEffectsCovariance

#: Numbers of the curvatures at most: of larger studies the first people are looked at.
_LARGEST = 2**24
#: Variances to begin with, beside those that a search holds: so many times at random between these.
_TIMES, _BETWEEN = 2, (0.005, 1.5)
#: A maximum is reached where a step promises less than this; steps at most.
_PRECISE, _LONGEST = 0.3, 40
#: Maxima whose standard deviations differ by less are one; one that is lower than the highest by
#: more is left alone.
_ALIKE, _LOWER = 0.2, 6.0
#: Longest step of a log variance.
_STRIDE = 3.0
#: A step is halved down to this.
_SHORTEST = 0.02


@dataclass(frozen=True)
class Quadratics(ChainData):
    """Each log p_i about ψ_i, (P, R): its value, (P,), slope, (P, R), and curvature, (P, R, R)."""

    at: Tensor
    value: Tensor
    slope: Tensor
    curvature: Tensor

    @classmethod
    def about(cls, modes: ChainModes) -> Self:
        """About where a search is."""
        data = modes.data
        people = slice(0, min(data.n_people, max(1, _LARGEST // data.n_parameters**2)))
        at = modes.theta.repeat(people.stop, 1)
        at[:, data.places] += modes.eta[people]
        value, slope, curvature = data.derivatives(modes.theta, modes.eta, people)
        if data.missing:  # what a missing label may have been need not be concave
            values, vectors = torch.linalg.eigh(curvature)
            curvature = vectors * values.clamp_min(0).unsqueeze(1) @ vectors.transpose(1, 2)
        own = {one.name: getattr(data, one.name) for one in fields(ChainData)}
        own["chains"] = data.chains._replace(owners=data.chains.owners[: people.stop + 1])
        return cls(**own, at=at, value=value, slope=slope, curvature=curvature)

    def derivatives(
        self, theta: Tensor, eta: Tensor, people: slice, *, order: int = 2
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As `ChainData.derivatives`."""
        away = theta - self.at[people]
        away[:, self.places] += eta[people]
        curvature = self.curvature[people]
        bend = torch.einsum("nrs,ns->nr", curvature, away)
        value = self.value[people] + ((self.slope[people] - 0.5 * bend) * away).sum(1)
        return value, self.slope[people] - bend, curvature


class _Climb(ChainModes):
    """A search of a maximum by Σ among quadratics, at the highest θ and η after each step."""

    def highest(self) -> float:
        """ℓ there, from the Σ that is held."""
        by_pool = self.covariance.by_pool
        best, share = -torch.inf, 1.0
        held = by_pool(self.covariance.variances)
        change = torch.zeros_like(held)
        for _ in range(_LONGEST):
            sums = self.sums()
            shared, own = self._newton(sums)
            value = self.value(sums) + self.promised
            if value < best and share > _SHORTEST:
                share /= 2
                self._set(held * (share * change).exp())
                continue
            self.theta, self.eta = self.theta + shared, self.eta + own
            best, share, held = value, 1.0, by_pool(self.covariance.variances)
            slope, information = self.slope_by_logs(sums, self.eta)
            moving, change = ~self.at_zero, torch.zeros_like(slope)
            change[moving] = bounded(information[moving][:, moving], slope[moving], _STRIDE)
            if 0.5 * float((slope * change).abs().sum()) < _PRECISE:
                break
            self.at_zero = self.at_zero | self.fading(slope)
            self._set(held * change.exp())
        return best

    def _set(self, variances: Tensor) -> None:
        variances = torch.where(self.at_zero, 0.0, variances)
        self.covariance.update(variances[self.covariance.pools])
        self.eta = torch.where(self._moving, self.eta, 0.0)


def likely_ends(modes: ChainModes) -> list[Near]:
    """Places to begin the search at, likely ends of it, the best first."""
    data, covariance = Quadratics.about(modes), modes.covariance
    random, (low, high) = np.random.default_rng(0), np.log(_BETWEEN)
    starts = [covariance.variances]
    for _ in range(_TIMES):
        drawn = torch.from_numpy(np.exp(random.uniform(low, high, covariance.n_pools)))
        starts.append(drawn[covariance.pools])
    found: list[tuple[float, Near]] = []
    for start in starts:
        n, pools = len(covariance.pools), covariance.pools
        own = RandomEffectsCovariance(n, "diagonal", start=0.1, pools=pools)
        climb = _Climb(data, own, modes.ridge)
        climb.closed = modes.closed
        climb.begin(Near(modes.theta, modes.eta[: data.n_people], start))
        try:
            value = climb.highest()
        except (ArithmeticError, torch.linalg.LinAlgError):  # type: ignore[attr-defined]
            continue
        sd = own.variances.sqrt()
        if all(float((sd - end.sigma.sqrt()).abs().max()) > _ALIKE for _, end in found):
            eta = torch.cat([climb.eta, modes.eta[data.n_people :]])
            found.append((value, Near(climb.theta, eta, own.variances)))
    found.sort(key=lambda each: -each[0])
    ends = [near for value, near in found if value > found[0][0] - _LOWER]
    return ends or [Near(modes.theta, modes.eta, covariance.variances)]
