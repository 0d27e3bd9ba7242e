"""The fit of a CRF with linear emissions and a diagonal Σ, by scoring.

log Σ goes by Fisher's information of η̂ (Lange 1987), with θ and the modes on their way (see
`ChainModes`), so that one pass over the data is one step of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from scipy.optimize import nnls
from torch import Tensor

from nme_core.training.chain_data import ChainData
from nme_core.training.chain_modes import (
    NOTHING_TO_GAIN,
    SETTLED,
    SMALL,
    ChainModes,
    Near,
)
from nme_core.training.chain_steps import STRIDE, Mixing, bounded, solved
from nme_core.training.chain_sums import Sums
from nme_core.training.covariance import SMALLEST, RandomEffectsCovariance

#: A search goes on to this, that rounding on the way leaves no trace.
ENOUGH = 1e-10
#: Whether a variance of 0 should be more is looked at where a step promises less than this.
_LOOK = 1e-3
#: Least and largest variance at the start, and largest of one that was 0.
_START, _WOKEN = (0.005, 0.5), 0.05
#: So much of a step of Σ is gone at least.
_LEAST_SHARE = 0.02
#: Steps of Σ are accelerated where one promises less than this.
_SMOOTH = 0.5
#: A step of Σ may lower ℓ by as much as it promises, up to this.
_LOWER = 1e-3
#: An accelerated step of Σ may be this long whether ℓ rises along it or not.
_NEXT = 0.5


@dataclass(frozen=True)
class _Held:
    """A state to go back to where Σ went too far."""

    theta: Tensor
    eta: Tensor
    sigma: Tensor
    at_zero: Tensor
    value: float
    slack: float


class ChainSearch(ChainModes):
    """A search on its way; see `fit_chain` for what it takes."""

    def __init__(self, data: ChainData, covariance: RandomEffectsCovariance, ridge: Tensor) -> None:
        super().__init__(data, covariance, ridge)
        self.looked = self.at_zero
        self.held: _Held | None = None
        self.mixing = Mixing()
        self.share = 1.0  # of a step of log Σ that is gone
        self.looks = 0  # at variances of 0
        self.alone = len(data.places) > 0  # whether θ goes alone, all η at 0
        if self.alone:
            shares = (data.counts() + 0.5).double().log()
            self.theta[data.n_emission :] = (shares - shares.mean(1, keepdim=True)).reshape(-1)

    def begin(self, near: Near) -> None:
        """Begin there, with everything; a variance of 0 stays until it is looked at."""
        variances = near.sigma if near.sigma.dim() == 1 else near.sigma.diagonal()
        self.at_zero = self.at_zero | (self.covariance.by_pool(variances) < 2 * SMALLEST)
        super().begin(near)
        self.eta = torch.where(self._moving, self.eta, 0.0)
        self.alone, self.exact = False, True

    def step(self) -> None:
        """Go one step: of θ alone at first, then with the modes at one Σ, then with Σ."""
        if self.alone:
            self._go_alone()
        elif self.exact:
            self._go_with_covariance()
        else:
            super().step()

    def _go_with_covariance(self) -> None:
        """Go one step with everything: Σ only where the modes for it are (almost) reached."""
        looked = self.promised < _LOOK or not self.looks
        idle = self.at_zero & ~self.looked & looked
        sums = self.sums(self.data.places[idle[self.covariance.pools]])
        self.log_likelihood = self.value(sums)
        if self.promised < SETTLED and self._look_for_open(sums.curvature):
            self.held = None
        shared, own = self._newton(sums)
        value = self.log_likelihood + self.promised - 0.5 * sums.tilt
        if self.promised < SETTLED and self._went_too_far(value):
            self.promised = torch.inf
            return
        modes, before = self.promised, self.theta
        self._go(sums, shared, own, 2 * modes)
        if modes > SETTLED:
            return
        if looked and self._wake(sums, idle):
            self.promised = torch.inf
            return
        slope, information = self.slope_by_logs(sums, self.eta)
        change, gain = self._change(slope, information)
        self.promised += gain
        lower = modes + min(gain, _LOWER)
        self.held = _Held(self.theta, self.eta, self.covariance.value, self.at_zero, value, lower)
        further = None
        if self.promised < _SMOOTH:
            further = self._mix(sums, before, change, slope, information)
        factor = (self.share * change).exp()[self.covariance.pools]
        self.follow(sums, (self.covariance.variances * factor).diag(), further)

    def _mix(
        self, sums: Sums, before: Tensor, change: Tensor, slope: Tensor, information: Tensor
    ) -> Tensor | None:
        """Accelerate the steps of θ, which was there before, and of log Σ, filled in place.

        Returns how much further θ goes; None where the step leads to where ℓ is lowest.
        """
        assert self.closed is not None
        closed, moving, n = self.closed, ~self.at_zero, self.closed.shape[1]
        known = self.covariance.by_pool(self.covariance.variances).log()
        x = torch.cat([closed.T @ before, known[moving]])
        f = torch.cat([closed.T @ (self.theta - before), change[moving]])
        metric = torch.zeros(len(x), len(x), dtype=torch.float64)
        metric[:n, :n] = closed.T @ (sums.curvature + self.ridge.diag()) @ closed
        metric[n:, n:] = information[moving][:, moving]
        mixed = self.mixing(x, f, moving, metric)
        of_sigma = mixed[n:].clamp(-STRIDE, STRIDE)
        if not (bool((of_sigma.abs() < _NEXT).all()) or float(slope[moving] @ of_sigma) > 0):
            return None
        change[moving] = of_sigma
        further: Tensor = closed @ (mixed - f)[:n]
        return further

    def _go_alone(self) -> None:
        """Go a step of θ with all η at 0; it need not arrive where the people differ."""
        data, eta = replace(self.data, places=self.data.places[:0]), self.eta[:, :0]
        found = Sums.at(data, self.theta, eta, self.covariance.precision, exact=False)
        sums = self._knowing(found)
        self.log_likelihood = sums.log_likelihood - self._prior
        assert self.closed is not None
        self.theta = self.closed @ (self.closed.T @ self.theta)
        score = self.closed.T @ (sums.score - self.ridge * self.theta)
        move = solved(self.closed.T @ (sums.curvature + self.ridge.diag()) @ self.closed, score)
        self._go(sums, self.closed @ move, torch.zeros_like(self.eta), float(score @ move))
        self.alone = float(score @ move) > self.near
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

    def _wake(self, sums: Sums, idle: Tensor) -> bool:
        """Whether a variance of 0 would gain by being more: at first, and once of each later."""
        self.looks += 1
        if self.looks > 1:
            self.looked = self.looked | idle
        pools = self.covariance.pools
        one = torch.nn.functional.one_hot(pools, self.covariance.n_pools).double()
        one = one[idle[pools]]  # (E, pools)
        slope = 0.5 * one.T @ sums.rise
        information = 0.5 * (one.T @ sums.idle_squares @ one).diagonal().clamp_min(1e-300)
        awake = (slope > 0) & (slope.square() / (2 * information) > NOTHING_TO_GAIN)
        if not bool(awake.any()):
            return False
        sigma = self.covariance.by_pool(self.covariance.variances)
        sigma = torch.where(awake, (slope / information).clamp(SMALL, _WOKEN), sigma)
        self.at_zero = self.at_zero & ~awake
        self.covariance.update(sigma[pools])
        self.held, self.mixing = None, Mixing()
        return True

    def _change(self, slope: Tensor, information: Tensor) -> tuple[Tensor, float]:
        """Scoring step of the log variances, by pool, and how much of ℓ it promises."""
        moving = ~self.at_zero
        change = torch.zeros_like(slope)
        change[moving] = bounded(information[moving][:, moving], slope[moving])
        done = self.fading(slope)
        self.at_zero = self.at_zero | done
        gain = 0.5 * float((slope * change).abs().sum())
        return torch.where(done, -torch.inf, change), gain

    def _went_too_far(self, now: float) -> bool:
        """Whether ℓ is less than before Σ moved; then go back and half as far."""
        held = self.held
        if held is None:
            return False
        slack = self.promised + held.slack  # modes that are not quite reached
        if now > held.value - slack or self.share < _LEAST_SHARE:
            self.share = min(1.0, 2 * self.share)
            return False
        self.share /= 2
        self.mixing, self.held = Mixing(), None
        self.at_zero = held.at_zero
        self.theta, self.eta = held.theta, torch.where(self._moving, held.eta, 0.0)
        self.covariance.update(torch.where(self._moving, held.sigma, 0.0))
        return True
