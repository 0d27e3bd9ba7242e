"""The fit of a CRF with linear emissions: Newton's method over people, and Σ by scoring.

θ (shared) and Σ maximise the Laplace approximation of the marginal likelihood,

    ℓ(θ, Σ) = Σ_i log p(y_i | θ, η̂_i) − ½ η̂_iᵀ Σ⁻¹ η̂_i − ½ log|Σ| − ½ log|M_i|,

η̂_i the mode, by its exact derivatives: with t_i the slope of log|M_i| by ψ,

    ∂ℓ/∂θ = Σ_i g_i[θ] − ½ ( t_i[θ] − G_iᵀ M_i⁻¹ t_i[η] )
    ∂ℓ/∂Σ = ½ Σ⁻¹ ( Σ_i η̂_i η̂_iᵀ + C_i − C_i t_i[η] η̂_iᵀ − Σ ) Σ⁻¹,      C_i = M_i⁻¹.

θ goes by the Schur complement S, log Σ by Fisher's information of η̂ (Lange 1987); both with the
modes on their way, so that one pass over the data is one step of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from scipy.optimize import nnls
from torch import Tensor

from nme_core.training.chain_steps import (
    STRIDE,
    Mixing,
    bounded,
    solved,
    told,
)
from nme_core.training.chain_sums import ChainData, Sums
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.likelihood import n_variances
from nme_core.training.weak_prior import SPREAD

#: Steps at most, and halvings of one.
LONGEST, HALVINGS = 200, 30
#: The search has arrived where a step promises less than this of the log-likelihood.
TOLERANCE = 1e-9
#: It goes on to this, that rounding on the way leaves no trace.
_ENOUGH = 1e-15
#: Σ moves where a step of the modes promises less than the first; the slopes of log|M_i| are taken
#: from where a step of everything promised less than the second.
SETTLED, NEAR = 1.0, 5.0
#: Whether a variance of 0 should be more is looked at where a step promises less than this.
_LOOK = 1e-4
#: A step that promises less than this is gone without a look at what it brings.
_SURE = 1e-3
#: Steps of the modes alone at the end.
_POLISHES = 2
#: Least and largest variance at the start.
_START = 0.005, 0.5
#: So much of a step of Σ is gone at least.
_LEAST_SHARE = 0.02
#: Steps of Σ are accelerated where one promises less than this.
_SMOOTH = 0.5
#: A variance below the first that can gain less than the second of ℓ from moving goes to 0.
SMALL, _NOTHING_TO_GAIN = 1e-3, 1e-3

#: Standard deviation of the prior of moves that nobody makes: their share is then about that of
#: half a move.
NEVER_SPREAD = 5.0


@dataclass(frozen=True)
class ChainFit:
    """Maximum of the marginal likelihood.

    Attributes
    ----------
    theta : Tensor, shape (R,)
        Shared parameters, of the smallest norm among those that say the same.
    eta : Tensor, shape (P, q)
        Modes of the people's.
    conditional : Tensor, shape (P, q, q)
        C_i.
    coupling : Tensor, shape (P, q, R)
        M_i⁻¹ G_i, by which η̂_i goes back where θ goes ahead; float32.
    closed : Tensor, shape (R, n)
        Orthonormal basis of what θ may move in: the other directions change no probability.
    ridge : Tensor, shape (R,)
        Precisions of the priors of parameters that the data leave open; 0 for all others.
    curvature : Tensor, shape (R, R)
        S, with these priors.
    log_likelihood : float
        ℓ, without these priors.
    n_parameters : int
        Numbers in θ, but for the directions that change nothing, and in Σ.
    promised, tolerance : float
        How much of ℓ one more step promises, and how much it may.
    scale : Tensor, shape (q, q + F), optional
        Λ, Σ = ΛΛᵀ, where Σ has F factors.
    weak : float
        Precision of a prior on Σ (see `ChainSearch`), without which it has no maximum.
    """

    theta: Tensor
    eta: Tensor
    conditional: Tensor
    coupling: Tensor
    closed: Tensor
    ridge: Tensor
    curvature: Tensor
    log_likelihood: float
    n_parameters: int
    promised: float
    tolerance: float
    scale: Tensor | None = None
    weak: float = 0.0

    @property
    def converged(self) -> bool:
        """Whether the search arrived."""
        return self.promised < self.tolerance

    @property
    def shared_covariance(self) -> Tensor:
        """Covariance of θ, given Σ; (R, R)."""
        inside = torch.linalg.inv(self.closed.T @ self.curvature @ self.closed)
        result: Tensor = self.closed @ ((inside + inside.T) / 2) @ self.closed.T
        return result


@dataclass(frozen=True)
class Near:
    """A place to begin at: θ (R,), η (P, q) and Σ, (q, q) or the variances (q,)."""

    theta: Tensor
    eta: Tensor
    sigma: Tensor


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


class ChainSearch:
    """A search on its way; see `fit_chain` for what it takes.

    `still`: Σ stays as it is. `weak`: precision of a prior on Σ, log p = −½ weak tr Σ: each
    standard deviation is half-normal.
    """

    def __init__(
        self,
        data: ChainData,
        covariance: RandomEffectsCovariance,
        ridge: Tensor,
        *,
        still: bool = False,
        weak: float = 0.0,
    ) -> None:
        self.still, self.weak = still, weak
        self.data, self.covariance, self.ridge = data, covariance, ridge.clone()
        self.theta = torch.zeros(data.n_parameters, dtype=torch.float64)
        self.eta = torch.zeros(data.n_people, len(data.places), dtype=torch.float64)
        self.log_likelihood, self.promised = -torch.inf, torch.inf
        self.closed: Tensor | None = None  # orthonormal, what θ may move in
        self.at_zero = self.looked = torch.zeros(covariance.n_pools, dtype=torch.bool)
        if covariance.kind == "diagonal" and len(data.places):
            # how people differ in a move that nobody makes
            untold = covariance.by_pool((ridge[data.places] > 0).double()) == 1
            self.at_zero = self.looked = untold
            start = torch.where(untold[covariance.pools], 0.0, covariance.variances)
            covariance.update(start)
        self.exact = False  # whether the slopes of log|M_i| count
        self.held: _Held | None = None
        self.mixing = Mixing()
        self.tolerance, self.enough = TOLERANCE, _ENOUGH
        self.share = 1.0  # of a step of log Σ that is gone
        self.alone = len(data.places) > 0  # whether θ goes alone, all η at 0

    def begin(self, near: Near) -> None:
        """Begin there, with no variance at 0 but those of which nothing can be known."""
        self.theta, self.eta, self.alone = near.theta, near.eta, False
        if not len(self.data.places):
            return
        whole = near.sigma.diag() if near.sigma.dim() == 1 else near.sigma
        lacking = (SMALL - whole.diagonal()).clamp_min(0)
        if self.covariance.kind == "diagonal":
            lacking = torch.where(self._moving, lacking, -whole.diagonal())
        self.covariance.update(whole + lacking.diag())

    def sums(self, *, keep: bool = False) -> Sums:
        """What the people add up to, here; `keep`: each C_i too."""
        if self.alone:
            data, eta = replace(self.data, places=self.data.places[:0]), self.eta[:, :0]
            sums = Sums.at(data, self.theta, eta, self.covariance.precision, exact=False)
        else:
            sums = self._sums_of(self._moving, keep=keep)
        if self.closed is None:
            layer = self.ridge.clone()
            layer[self.data.n_emission :] = 0.0  # a prior on moves tells not what changes nothing
            self.closed = told(sums.total + layer.diag())
        return sums

    @property
    def _moving(self) -> Tensor:
        """Which effects differ between people, shape (q,): those with a variance."""
        return ~self.at_zero[self.covariance.pools]

    def _sums_of(self, moving: Tensor, *, keep: bool = False) -> Sums:
        """Sums with all other effects known to be 0."""
        precision = self.covariance.precision
        if bool(moving.all()):
            args = self.data, self.theta, self.eta, precision
            return Sums.at(*args, exact=self.exact, keep=keep)
        data = replace(self.data, places=self.data.places[moving])
        eta, inner = self.eta[:, moving].contiguous(), precision[moving][:, moving]
        sums = Sums.at(data, self.theta, eta, inner, exact=self.exact, keep=keep)
        return sums.among(moving, self.covariance.variances)

    def value(self, sums: Sums) -> float:
        """ℓ, and the priors."""
        n = self.data.n_people if len(self.data.places) and not self.alone else 0
        log_sigma = float(self.covariance.log_determinant) if n else 0.0
        own = sums.penalty + sums.log_determinant + 0.5 * n * log_sigma
        return sums.log_likelihood - own - self._prior

    @property
    def _prior(self) -> float:
        """Minus the log of the priors."""
        of_sigma = self.weak * float(self.covariance.variances.sum())
        return 0.5 * float((self.ridge * self.theta.square()).sum()) + 0.5 * of_sigma

    def step(self) -> None:
        """Go one step with everything: Σ only where the modes for it are (almost) reached."""
        sums = self.sums()
        self.log_likelihood = self.value(sums)
        assert self.closed is not None
        if self.alone:
            self._go_alone(sums)
            return
        if self.promised < SETTLED and self._look_for_open(sums.curvature):
            self.held = None
        prior = self.ridge
        score = self.closed.T @ (sums.score - sums.bent - prior * self.theta)
        curvature = self.closed.T @ (sums.curvature + prior.diag()) @ self.closed
        move = solved(curvature, score)
        shared = self.closed @ move
        own = sums.own - torch.einsum("pqr,r->pq", sums.coupling, shared.float()).double()
        self.promised = 0.5 * float(score @ move) + sums.promised
        value = self.log_likelihood + self.promised - 0.5 * sums.tilt
        if self.promised < SETTLED and self._went_too_far(value):
            self.promised = torch.inf
            return
        settled = self.promised < SETTLED
        self._go(sums, shared, own, 2 * self.promised)
        if not len(self.data.places):
            return
        if self.still:
            if not self.exact and self.promised < NEAR:
                self.exact, self.promised = True, torch.inf
            return
        if not settled:
            self.promised = max(self.promised, 2 * self.tolerance)
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
        second = second.sum(0) + sums.spread.diagonal() - self.weak * variances.square()
        slope = 0.5 * one.T @ (second / variances - self.data.n_people)
        known = sums.squares + self.weak * variances.diag()
        return slope, 0.5 * one.T @ known @ one

    def _second(self, sums: Sums) -> Tensor:
        """What nΣ is where ℓ has no slope by Σ, (q, q)."""
        cross, sigma = sums.bend.T @ self.eta, self.covariance.matrix
        found = self.eta.T @ self.eta - (cross + cross.T) / 2 + sums.spread
        return found - self.weak * sigma @ sigma

    def slope_by_sigma(self, sums: Sums) -> Tensor:
        """∂ℓ/∂Σ, (q, q), with θ and η where ℓ is highest."""
        precision, n = self.covariance.precision, self.data.n_people
        return 0.5 * precision @ (self._second(sums) - n * self.covariance.matrix) @ precision

    def _go_alone(self, sums: Sums) -> None:
        """Go a step of θ with all η at 0; it need not arrive where the people differ."""
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

    def _go(self, sums: Sums, shared: Tensor, own: Tensor, slope: float) -> None:
        """Go a step of (θ, η), halved until the penalised log-likelihood rises as it should.

        What log|M_i| asks of θ counts as it is here.
        """
        if slope < _SURE:
            self.theta, self.eta = self.theta + shared, self.eta + own
            return
        prior, precision = self.ridge, self.covariance.precision

        def value(theta: Tensor, eta: Tensor) -> float:
            penalty = float((eta @ precision * eta).sum() + (prior * theta.square()).sum())
            asked = float(sums.bent @ theta)
            return float(self.data.log_likelihoods(theta, eta).sum()) - penalty / 2 - asked

        before = sums.log_likelihood - sums.penalty - float(sums.bent @ self.theta)
        before -= 0.5 * float((prior * self.theta.square()).sum())
        length = 1.0
        for _ in range(HALVINGS):
            theta, eta = self.theta + length * shared, self.eta + length * own
            if value(theta, eta) >= before + 1e-4 * length * slope - 1e-11 * abs(before):
                self.theta, self.eta = theta, eta
                return
            length /= 2

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
            change[moving] = self.mixing(known[moving], change[moving], moving)
            change = change.clamp(-STRIDE, STRIDE)
        return torch.where(done, -torch.inf, change), gain

    def _move_covariance(self, change: Tensor, spread: Tensor) -> None:
        """Change log Σ, and η as its mode will follow: dη = C Σ⁻¹ dΣ Σ⁻¹ η."""
        factor = change.exp()[self.covariance.pools]
        variances = self.covariance.variances
        left = (spread.diagonal() / self.data.n_people / variances).clamp(0.01, 1.0)
        self.eta = self.eta * factor / (factor * (1 - left) + left)
        self.covariance.update(variances * factor)

    def _look_for_open(self, curvature: Tensor) -> bool:
        """Give a prior to the parameters of directions that the data say almost nothing of."""
        assert self.closed is not None
        prior = self.ridge
        inside = self.closed.T @ (curvature + prior.diag()) @ self.closed
        values, vectors = torch.linalg.eigh(inside)
        found = vectors[:, values < 0.5 * SPREAD**-2]
        if not found.shape[1]:
            return False
        share = (self.closed @ found).square().sum(1)
        chosen = self._alike(share > 0.2 * share.max())
        emission = self.data.n_emission
        prior = torch.full_like(self.ridge, NEVER_SPREAD**-2)
        prior[:emission] = SPREAD**-2
        self.ridge = torch.where(chosen & (self.ridge == 0), prior, self.ridge)
        return True

    def _alike(self, chosen: Tensor) -> Tensor:
        """Choose an input's weights for all outputs where one is chosen: states are alike."""
        emission = self.data.n_emission
        layer = chosen[:emission].view(self.data.basis.shape[1], -1)
        return torch.cat([layer.any(0).expand_as(layer).reshape(-1), chosen[emission:]])

    def result(self) -> ChainFit:
        """Take the results at the end."""
        self.exact = False
        for _ in range(_POLISHES if len(self.data.places) else 0):
            self.eta = self.eta + self.sums().own  # ℓ is not flat in what is not quite the mode
        sums = self.sums(keep=True)
        assert self.closed is not None
        assert sums.conditional is not None
        return ChainFit(
            theta=self.theta,
            eta=self.eta,
            conditional=sums.conditional,
            coupling=sums.coupling,
            closed=self.closed,
            ridge=self.ridge,
            curvature=sums.curvature + self.ridge.diag(),
            log_likelihood=self.value(sums) + self._prior,
            n_parameters=self.closed.shape[1] + n_variances([self.covariance]),
            promised=self.promised,
            tolerance=self.tolerance,
            weak=self.weak,
        )
