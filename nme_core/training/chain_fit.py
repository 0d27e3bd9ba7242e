"""The fit of a CRF with linear emissions: which searches a structure of Σ takes.

A diagonal Σ is found on the way to the modes (`ChainSearch`). Any other Σ = ΛΛᵀ, full or D + L Lᵀ:
one or two traits that show in all of a person's numbers, is found by quasi-Newton steps in the
numbers of Λ, a lower triangle or (D^½, L): where θ and η are highest at Σ, ℓ has the slope
2 (∂ℓ/∂Σ) Λ by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.training.ascent import maximise
from nme_core.training.boundary import RUNS_AWAY
from nme_core.training.chain_data import ChainData
from nme_core.training.chain_modes import TOLERANCE, ChainFit, ChainModes, Near
from nme_core.training.chain_quadratics import likely_ends
from nme_core.training.chain_search import ENOUGH, ChainSearch
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.factor_numbers import FactorNumbers

Floats = NDArray[np.float64]
#: Steps at most.
_LONGEST = 200
#: A search goes on beyond its tolerance for at most so many steps.
_FURTHER = 25
#: Correlation with a factor of the effect that has the largest, to begin with.
_CORRELATION = 0.7
#: Least share of a variance that the rows are taken to tell, for the first steps.
_LEAST_TOLD = 0.05
#: Precision of the prior on Σ where it has no maximum: standard deviations are half-normal, 1.
WEAK = 1.0
#: No variance is looked at beyond this.
_OUT_OF_REACH = 100.0
#: So often modes may not be found on the way.
_MOST_FAILURES = 6
#: ℓ at one Σ is known to this, so that its slope is known to the root of it; steps at most.
_PRECISE, _MOST_STEPS = 1e-13, 60
#: Added to every variance on the way to a Σ that is not diagonal: next to a singular one rounding
#: hides the slope.
_LEAST = 1e-4
#: Least variance to begin with.
_APART = 0.02
#: A search that began next to its end, as of a simulated study at its truth, has arrived where a
#: step promises less than this: numbers are within some .5 % of a standard error then.
_NEAR_ENOUGH = 1e-6
#: Another search is given up where a step promises less than the first, and so many times what it
#: promises would bring it no further than this above the best.
_CLOSE, _SO_MUCH_MORE, _HIGHER = 0.05, 5.0, 0.1
#: A search in Λ has arrived where a step promises less than this of ℓ.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class _Task:
    """What is to be fitted; see `fit_chain`. `weak`: see `ChainModes`."""

    data: ChainData
    covariance: RandomEffectsCovariance
    ridge: Tensor
    follow: Callable[[float], None] | None
    near: Near | None
    weak: float = 0.0
    enough: float = ENOUGH
    known: float = -torch.inf  # ℓ at the end of another search


def fit_chain(
    data: ChainData,
    covariance: RandomEffectsCovariance,
    ridge: Tensor,
    follow: Callable[[float], None] | None = None,
    near: Near | None = None,
) -> ChainFit:
    """Maximise the marginal likelihood; Σ is filled in place.

    Where scoring steps for Σ do not arrive, quasi-Newton steps follow; where these do not either,
    or run away, as with a few steps of each person, Σ has a weak prior (`WEAK`).

    Parameters
    ----------
    ridge : Tensor, shape (R,)
        Precisions of priors on parameters that no label can tell; the search adds to them where it
        finds more.
    follow : callable, optional
        Called at each step with ℓ.
    near : Near, optional
        Where to begin with a diagonal Σ; the search ends at the tolerance then.
    """
    task = _Task(data, covariance, ridge, follow, near)
    return _fitted(task) if len(data.places) else _fit_diagonal(task)


def _fitted(task: _Task) -> ChainFit:
    covariance, start = task.covariance, task.covariance.value
    ways = [(_fit_numbers, 0.0), (_fit_numbers, WEAK)]
    if covariance.kind == "diagonal":
        ways = [(_fit_diagonal, 0.0), *ways]
    for way, weak in ways:
        covariance.update(start)
        try:
            fit = way(replace(task, weak=weak))
        except (ArithmeticError, torch.linalg.LinAlgError):  # type: ignore[attr-defined]
            if weak:
                raise
            continue
        if fit.converged and float(covariance.variances.max()) < RUNS_AWAY:
            break
    return fit


def _fit_diagonal(task: _Task) -> ChainFit:
    if not len(task.data.places):
        return _searched(task, ChainSearch(task.data, task.covariance, task.ridge))
    if task.near is not None:
        return _begun(replace(task, enough=_NEAR_ENOUGH), task.near)
    first = _first(task)
    fits: list[tuple[bool, float, Tensor, ChainFit]] = []

    def follow(value: float) -> None:
        if task.follow is not None:  # of several searches, how high they have come
            task.follow(max([value, *(height for _, height, *_ in fits)]))

    for near in likely_ends(first):
        try:
            known = max((height for converged, height, *_ in fits if converged), default=-torch.inf)
            fit = _begun(replace(task, ridge=first.ridge, follow=follow, known=known), near)
        except (ArithmeticError, torch.linalg.LinAlgError):  # type: ignore[attr-defined]
            continue
        fits.append((fit.converged, fit.log_likelihood, task.covariance.variances, fit))
    if not fits:
        raise FloatingPointError
    *_, variances, best = max(fits, key=lambda each: each[:2])
    task.covariance.update(variances)
    return best


def _first(task: _Task) -> ChainSearch:
    """θ and the modes at the Σ to begin with."""
    first = ChainSearch(task.data, task.covariance, task.ridge)
    for _ in range(_LONGEST):
        first.step()
        if task.follow is not None:
            task.follow(first.log_likelihood)
        if first.exact:
            break
    return first


def _begun(task: _Task, near: Near) -> ChainFit:
    search = ChainSearch(task.data, task.covariance, task.ridge)
    search.begin(near)
    return _searched(task, search)


def _searched(task: _Task, search: ChainSearch) -> ChainFit:
    further = 0
    for _ in range(_LONGEST):
        search.step()
        if task.follow is not None:
            task.follow(search.log_likelihood)
        may_reach = search.log_likelihood + _SO_MUCH_MORE * search.promised
        if search.promised < _CLOSE and may_reach < task.known + _HIGHER:
            break  # where another search has been, or lower
        further += search.promised < TOLERANCE
        if search.promised < task.enough or further > _FURTHER:
            break
    return replace(search.result(), tolerance=max(TOLERANCE, task.enough))


def _fit_numbers(task: _Task) -> ChainFit:
    """By quasi-Newton steps in the numbers of Λ; but for a diagonal Σ, from the best one such."""
    covariance = task.covariance
    numbers = FactorNumbers.of(covariance, covariance.kind)
    if covariance.kind == "diagonal":
        first = ChainSearch(task.data, covariance, task.ridge)
        for _ in range(_LONGEST):
            if not first.alone:
                break
            first.step()
        begin, ridge = Near(first.theta, first.eta, covariance.variances), task.ridge
    else:
        own = RandomEffectsCovariance(
            numbers.n_random, "diagonal", start=0.1, pools=covariance.pools
        )
        simple = replace(task, covariance=own)
        near = _fit_numbers(simple) if task.weak else _fitted(simple)
        if near.weak > task.weak:
            raise FloatingPointError
        begin = Near(near.theta, near.eta, own.variances.clamp_min(_APART))
        ridge = near.ridge
    modes = ChainModes(task.data, covariance, ridge, weak=task.weak)
    modes.begin(begin)
    return _Numbers(task, modes, numbers).fit()


@dataclass
class _Numbers:
    """ℓ by the numbers of Λ."""

    task: _Task
    modes: ChainModes
    numbers: FactorNumbers
    failures: int = 0

    def fit(self) -> ChainFit:
        """Find the highest."""
        numbers, covariance = self.numbers, self.task.covariance
        variances = covariance.variances.clone()
        _, by_sigma = _highest(self.modes)
        told = 1 - self.modes.sums().spread.diagonal() / (self.task.data.n_people * variances)
        guess = 2 * self.task.data.n_people * told.clamp_min(_LEAST_TOLD).square() / variances
        every = guess.unsqueeze(1).expand(-1, numbers.n_random + numbers.n_factors)

        def follow(value: float, _: Floats) -> None:
            if float(covariance.variances.max()) > RUNS_AWAY:
                raise FloatingPointError
            if self.task.follow is not None:
                self.task.follow(value)

        found = maximise(
            self._at,
            numbers.mean(_start(variances, by_sigma, numbers.n_factors)).numpy(),
            numbers.gather(every).diag().numpy(),
            differentiate=False,
            follow=follow,
        )
        self._at(found.at, least=0.0)
        fit = self.modes.result()
        return replace(
            fit,
            n_parameters=fit.closed.shape[1] + numbers.n,
            promised=found.promised,
            tolerance=_TOLERANCE,
            scale=numbers.matrix(torch.from_numpy(found.at)) if numbers.n_factors else None,
        )

    def _at(self, at: Floats, least: float | None = None) -> tuple[float, Floats]:
        """ℓ and its slope, with so much added to every variance."""
        scale = self.numbers.matrix(torch.from_numpy(at))
        before = self.modes.theta, self.modes.eta
        if least is None:
            least = 0.0 if self.numbers.diagonal else _LEAST
        sigma = scale @ scale.T + least * torch.eye(len(scale), dtype=scale.dtype)
        try:
            if float(sigma.diagonal().max()) > _OUT_OF_REACH:
                raise FloatingPointError
            self.task.covariance.update(sigma)
            value, by_sigma = _highest(self.modes)
        except (ArithmeticError, torch.linalg.LinAlgError):  # type: ignore[attr-defined]
            self.modes.theta, self.modes.eta = before
            self.failures += 1
            if self.failures > _MOST_FAILURES:
                raise
            return -np.inf, np.zeros(len(at))
        return value, self.numbers.gather(2 * by_sigma @ scale).numpy()


def _highest(modes: ChainModes) -> tuple[float, Tensor]:
    """ℓ with Σ as it is, highest over θ, and its slope by Σ."""
    modes.promised = torch.inf
    for _ in range(_MOST_STEPS):
        modes.step()
        if modes.promised < _PRECISE:
            break
    else:
        raise FloatingPointError
    sums = modes.sums()
    return modes.value(sums), modes.slope_by_sigma(sums)


def _start(variances: Tensor, by_sigma: Tensor, n_factors: int) -> Tensor:
    """Λ with these variances, and factors along which ℓ rises most at a diagonal Σ."""
    sd = variances.sqrt()
    if not n_factors:
        return sd.diag()
    axes = torch.linalg.eigh(sd.unsqueeze(1) * by_sigma * sd)[1][:, -n_factors:].flip(1)
    loads = _CORRELATION * axes / axes.abs().amax(0) / n_factors**0.5
    turn, _ = torch.linalg.qr(loads[:n_factors].T)
    own = (1 - loads.square().sum(1)).sqrt()
    return sd.unsqueeze(1) * torch.cat([own.diag(), loads @ turn], dim=1)
