"""The fit of a CRF with linear emissions and a diagonal Σ, by scoring.

log Σ goes by Fisher's information of η̂ (Lange 1987), with θ and the modes on their way (see
`ChainModes`), so that one pass over the data is one step of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from scipy.optimize import nnls
from torch import Tensor

from nme_core.training.chain_modes import NEAR, SETTLED, SMALL, TOLERANCE, ChainModes, Near
from nme_core.training.chain_steps import STRIDE, Mixing, bounded, solved
from nme_core.training.chain_sums import ChainData, Sums
from nme_core.training.covariance import RandomEffectsCovariance

#: A search goes on to this, that rounding on the way leaves no trace.
_ENOUGH = 1e-11
#: Whether a variance of 0 should be more is looked at where a step promises less than this.
_LOOK = 1e-4
#: Least and largest variance at the start.
_START = 0.005, 0.5
#: So much of a step of Σ is gone at least.
_LEAST_SHARE = 0.02
#: Steps of Σ are accelerated where one promises less than this.
_SMOOTH = 0.5
#: An accelerated step of Σ may be this long whether ℓ rises along it or not.
_NEXT = 0.5
#: A small variance that can gain less than this of ℓ from moving goes to 0.
_NOTHING_TO_GAIN = 1e-3


@dataclass(frozen=True)
class _Held:
    """A state to go back to, and the change of log Σ that was tried from it."""

    theta: Tensor
    eta: Tensor
    sigma: Tensor
    at_zero: Tensor
    change: Tensor
    spread: Tensor
    value: float
    promised: float


class ChainSearch(ChainModes):
    """A search on its way; see `fit_chain` for what it takes."""

    def __init__(self, data: ChainData, covariance: RandomEffectsCovariance, ridge: Tensor) -> None:
        super().__init__(data, covariance, ridge)
        self.looked = self.at_zero
        self.held: _Held | None = None
        self.mixing = Mixing()
        self.enough = _ENOUGH
        self.share = 1.0  # of a step of log Σ that is gone
        self.alone = len(data.places) > 0  # whether θ goes alone, all η at 0

    def begin(self, near: Near) -> None:
        """Begin there, with everything."""
        super().begin(near)
        self.alone = False

    def step(self) -> None:
        """Go one step with everything: Σ only where the modes for it are (almost) reached."""
        if self.alone:
            self._go_alone()
            return
        sums = self.sums()
        self.log_likelihood = self.value(sums)
        if self.promised < SETTLED and self._look_for_open(sums.curvature):
            self.held = None
        shared, own = self._newton(sums)
        value = self.log_likelihood + self.promised - 0.5 * sums.tilt
        if self.promised < SETTLED and self._went_too_far(value):
            self.promised = torch.inf
            return
        settled = self.promised < SETTLED
        self._go(sums, shared, own, 2 * self.promised)
        if not len(self.data.places):
            return
        if not settled:
            self.promised = max(self.promised, 2 * TOLERANCE)
            return
        if self.exact and self.promised < _LOOK and self._wake():
            self.promised = torch.inf
            return
        change, gain = self._change(sums)
        modes = self.promised
        self.promised += gain
        if self.exact:
            at = self.theta, self.eta, self.covariance.value, self.at_zero
            self.held = _Held(*at, change, sums.spread, value, modes)
        self._move_covariance(self.share * change, sums.spread)
        if not self.exact:
            self.exact = self.promised < NEAR
            self.promised = torch.inf

    def _go_alone(self) -> None:
        """Go a step of θ with all η at 0; it need not arrive where the people differ."""
        data, eta = replace(self.data, places=self.data.places[:0]), self.eta[:, :0]
        found = Sums.at(data, self.theta, eta, self.covariance.precision, exact=False)
        sums = self._knowing(found)
        self.log_likelihood = sums.log_likelihood - self._prior
        assert self.closed is not None
        score = self.closed.T @ (sums.score - self.ridge * self.theta)
        move = solved(self.closed.T @ (sums.curvature + self.ridge.diag()) @ self.closed, score)
        self._go(sums, self.closed @ move, torch.zeros_like(self.eta), float(score @ move))
        self.alone = float(score @ move) > NEAR
        if not self.alone:
            self._start_covariance()

    def _start_covariance(self) -> None:
        """Start Σ where the squares of the people's slopes at η = 0 are what they should be.

        E aaᵀ = H + H Σ H, of its diagonal: equations by pool, of which Σ takes what is positive.
        """
        data, places, pools = self.data, self.data.places, self.covariance.pools
        q = len(places)
        square, known = torch.zeros(q, dtype=torch.float64), torch.zeros(q, q, dtype=torch.float64)
        for people in data.parts():
            _, gradient, curvature = data.derivatives(self.theta, self.eta, people)
            inner = curvature[:, places][:, :, places]
            square += (gradient[:, places].square() - inner.diagonal(dim1=1, dim2=2)).sum(0)
            known += inner.square().sum(0)
        one = torch.nn.functional.one_hot(pools).double()
        scale = known.diagonal().clamp_min(1e-300).sqrt()
        left = one.T @ (known / scale.unsqueeze(1)) @ one
        right = one.T @ (square / scale)
        found = torch.from_numpy(nnls(left.numpy(), right.numpy())[0])
        start = found.clamp(*_START)
        variances = torch.where(self.at_zero, 0.0, start)[pools]
        self.covariance.update(variances)

    def _wake(self) -> bool:
        """Whether a variance of 0 would gain by being more, which each may do once."""
        idle = self.at_zero & ~self.looked
        if not bool(idle.any()):
            return False
        self.looked = self.looked | idle
        sums = self._sums_of(torch.ones_like(self._moving))
        slope, information = self._slope(sums, self.eta + sums.own)
        information = information.diagonal()
        gain = slope.square() / (2 * information.clamp_min(1e-300))
        awake = idle & (slope > 0) & (gain > _NOTHING_TO_GAIN)
        if not bool(awake.any()):
            return False
        sigma = self.covariance.by_pool(self.covariance.variances)
        step = sigma * (slope / information.clamp_min(1e-300)).clamp_max(1e6)
        sigma = torch.where(awake, step.clamp(SMALL, 0.05), sigma)
        self.at_zero = self.at_zero & ~awake
        self.covariance.update(sigma[self.covariance.pools])
        self.held, self.mixing = None, Mixing()
        return True

    def _slope(self, sums: Sums, eta: Tensor) -> tuple[Tensor, Tensor]:
        """Slope of ℓ by the log variances, (pools,), and its information, with these η."""
        one = torch.nn.functional.one_hot(self.covariance.pools).double()  # (q, pools)
        variances = self.covariance.variances
        second = eta.square() - sums.bend * eta
        second = second.sum(0) + sums.spread.diagonal()
        slope = 0.5 * one.T @ (second / variances - self.data.n_people)
        return slope, 0.5 * one.T @ sums.squares @ one

    def _change(self, sums: Sums) -> tuple[Tensor, float]:
        """Scoring step of the log variances, by pool, and how much of ℓ it promises."""
        slope, information = self._slope(sums, self.eta)
        moving = ~self.at_zero
        change = torch.zeros_like(slope)
        change[moving] = bounded(information[moving][:, moving], slope[moving])
        small = self.covariance.by_pool(self.covariance.variances) < SMALL
        done = moving & small & (slope < 0) & (-slope < _NOTHING_TO_GAIN) & self.exact
        self.at_zero = self.at_zero | done
        gain = 0.5 * float((slope * change).abs().sum())
        if self.exact and gain < _SMOOTH:
            known = self.covariance.by_pool(self.covariance.variances).log()
            mixed = self.mixing(known[moving], change[moving], moving).clamp(-STRIDE, STRIDE)
            if bool((mixed.abs() < _NEXT).all()) or float(slope[moving] @ mixed) > 0:
                change[moving] = mixed  # else it leads to where ℓ is lowest
        return torch.where(done, -torch.inf, change), gain

    def _move_covariance(self, change: Tensor, spread: Tensor) -> None:
        """Change log Σ, and η as its mode will follow: dη = C Σ⁻¹ dΣ Σ⁻¹ η."""
        factor = change.exp()[self.covariance.pools]
        variances = self.covariance.variances
        left = (spread.diagonal() / self.data.n_people / variances).clamp(0.01, 1.0)
        self.eta = self.eta * factor / (factor * (1 - left) + left)
        self.covariance.update(variances * factor)

    def _went_too_far(self, now: float) -> bool:
        """Whether ℓ is less than before Σ moved; then go back and half as far."""
        held = self.held
        if held is None:
            return False
        slack = 0.5 * (self.promised + held.promised) + 1e-8  # modes that are not quite reached
        if now > held.value - slack or self.share < _LEAST_SHARE:
            self.share = min(1.0, 2 * self.share)
            return False
        self.share /= 2
        self.mixing = Mixing()
        self.theta, self.eta, self.at_zero = held.theta, held.eta, held.at_zero
        self.covariance.update(held.sigma)
        self._move_covariance(self.share * held.change, held.spread)
        return True
