"""Modes of the people of a CRF with linear emissions, and θ, where ℓ is highest at one Σ.

θ (shared) maximises the Laplace approximation of the marginal likelihood,

    ℓ(θ, Σ) = Σ_i log p(y_i | θ, η̂_i) − ½ η̂_iᵀ Σ⁻¹ η̂_i − ½ log|Σ| − ½ log|M_i|,

η̂_i the mode, by its exact derivatives: with t_i the slope of log|M_i| by ψ,

    ∂ℓ/∂θ = Σ_i g_i[θ] − ½ ( t_i[θ] − G_iᵀ M_i⁻¹ t_i[η] )
    ∂ℓ/∂Σ = ½ Σ⁻¹ ( Σ_i η̂_i η̂_iᵀ + C_i − C_i t_i[η] η̂_iᵀ − Σ ) Σ⁻¹,      C_i = M_i⁻¹.

θ goes by the Schur complement S, together with the modes: a pass over the data is a step of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nme_core.training.chain_data import ChainData
from nme_core.training.chain_steps import solved, told
from nme_core.training.chain_sums import Sums
from nme_core.training.covariance import RandomEffectsCovariance
from nme_core.training.likelihood import n_variances
from nme_core.training.weak_prior import SPREAD

#: Halvings of a step.
HALVINGS = 30
#: A search has arrived where a step promises less than this of the log-likelihood.
TOLERANCE = 1e-9
#: Directions that say nothing are looked for where a step promises less than the first; the slopes
#: of log|M_i| are taken from where one promised less than the second.
SETTLED, NEAR = 1.0, 0.7
#: A step that promises less than this is gone without a look at what it brings.
_SURE = 1e-3
#: Steps of the modes alone at the end of a search that arrived, until one promises less than this.
_POLISHES, _POLISHED = 2, 1e-18
#: A variance below this is next to 0, where it goes if it can gain less than this of ℓ from more.
SMALL, NOTHING_TO_GAIN = 1e-3, 1e-3

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
        Precision of a prior on Σ (see `ChainModes`), without which it has no maximum.
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


class ChainModes:
    """Modes and θ on their way, with Σ as it is.

    `weak`: precision of a prior on Σ, log p = −½ weak tr Σ: each standard deviation is half-normal.
    """

    def __init__(
        self,
        data: ChainData,
        covariance: RandomEffectsCovariance,
        ridge: Tensor,
        *,
        weak: float = 0.0,
    ) -> None:
        self.weak = weak
        self.data, self.covariance, self.ridge = data, covariance, ridge.clone()
        self.theta = torch.zeros(data.n_parameters, dtype=torch.float64)
        self.eta = torch.zeros(data.n_people, len(data.places), dtype=torch.float64)
        self.log_likelihood, self.promised = -torch.inf, torch.inf
        self.closed: Tensor | None = None  # orthonormal, what θ may move in
        self.at_zero = torch.zeros(covariance.n_pools, dtype=torch.bool)
        if covariance.kind == "diagonal" and len(data.places):
            # how people differ in a move that nobody makes
            self.at_zero = covariance.by_pool((ridge[data.places] > 0).double()) == 1
            start = torch.where(self._moving, covariance.variances, 0.0)
            covariance.update(start)
        self.exact = False  # whether the slopes of log|M_i| count
        self.near = NEAR * data.n_people

    def begin(self, near: Near) -> None:
        """Begin there, with no variance at 0 but those of which nothing can be known."""
        self.theta, self.eta = near.theta, near.eta
        if not len(self.data.places):
            return
        whole = near.sigma.diag() if near.sigma.dim() == 1 else near.sigma
        lacking = (SMALL - whole.diagonal()).clamp_min(0)
        if self.covariance.kind == "diagonal":
            lacking = torch.where(self._moving, lacking, -whole.diagonal())
        self.covariance.update(whole + lacking.diag())

    def sums(self, idle: Tensor | None = None) -> Sums:
        """What the people add up to, here; `idle` are places in ψ, see `Sums`."""
        covariance, moving = self.covariance, self._moving
        if covariance.kind != "diagonal":
            given = self.data, self.theta, self.eta, covariance.precision
            return self._knowing(Sums.at(*given, exact=self.exact))
        data = replace(self.data, places=self.data.places[moving])
        given = data, self.theta, self.eta[:, moving].contiguous(), covariance.precisions[moving]
        sums = Sums.at(*given, exact=self.exact, idle=idle)
        return self._knowing(sums.among(moving, covariance.variances))

    def _knowing(self, sums: Sums) -> Sums:
        """The same; from the first ones it is known what θ may move in."""
        if self.closed is None:
            layer = self.ridge.clone()
            layer[self.data.n_emission :] = 0.0  # a prior on moves tells not what changes nothing
            self.closed = told(sums.total + layer.diag())
        return sums

    @property
    def _moving(self) -> Tensor:
        """Which effects differ between people, shape (q,): those with a variance."""
        return ~self.at_zero[self.covariance.pools]

    def value(self, sums: Sums) -> float:
        """ℓ, and the priors."""
        own = sums.penalty + sums.log_determinant
        if len(self.data.places):
            own += 0.5 * self.data.n_people * float(self.covariance.log_determinant)
        return sums.log_likelihood - own - self._prior

    @property
    def _prior(self) -> float:
        """Minus the log of the priors."""
        of_sigma = self.weak * float(self.covariance.variances.sum())
        return 0.5 * float((self.ridge * self.theta.square()).sum()) + 0.5 * of_sigma

    def step(self) -> None:
        """Go one step."""
        sums = self.sums()
        self.log_likelihood = self.value(sums)
        if self.promised < SETTLED:
            self._look_for_open(sums.curvature)
        self._go(sums, *self._newton(sums), 2 * self.promised)
        if len(self.data.places) and not self.exact and self.promised < self.near:
            self.exact, self.promised = True, torch.inf

    def follow(self, sums: Sums, sigma: Tensor, shared: Tensor | None = None) -> None:
        """Σ becomes this, (q, q), and η and θ go where they will be highest, as far as slopes tell;
        θ by `shared`, (R,), where that is known.

        With T = 1 − Σ⁻¹ Σ' and A_i = Σ' + C_i T, so that M_i'⁻¹ M_i = Σ' A_i⁻¹,

            S dθ = Σ_i G_iᵀ M_i⁻¹ T A_i⁻¹ η_i,      η_i' = Σ' A_i⁻¹ ( η_i − M_i⁻¹ G_i dθ ).
        """
        assert self.closed is not None
        turn = torch.eye(len(sigma), dtype=sigma.dtype) - self.covariance.precision @ sigma
        moved = sums.moving.nonzero()[:, 0]
        square = moved.unsqueeze(1), moved
        factors = torch.linalg.lu_factor(sigma[square] + sums.conditional @ turn[square])

        def solve(eta: Tensor) -> Tensor:
            found = torch.linalg.lu_solve(*factors, eta[:, moved].unsqueeze(2)).squeeze(2)
            return torch.zeros_like(eta).index_copy_(1, moved, found)

        if shared is None:
            slope = sums.gathered(solve(self.eta) @ turn.T)
            curvature = self.closed.T @ (sums.curvature + self.ridge.diag()) @ self.closed
            shared = self.closed @ solved(curvature, self.closed.T @ slope)
        self.theta, self.eta = self.theta + shared, solve(self.eta - sums.behind(shared)) @ sigma
        self.covariance.update(sigma)

    def _newton(self, sums: Sums) -> tuple[Tensor, Tensor]:
        """Newton's step of θ and of η; what it promises is kept."""
        assert self.closed is not None
        score = self.closed.T @ (sums.score - sums.bent - self.ridge * self.theta)
        curvature = self.closed.T @ (sums.curvature + self.ridge.diag()) @ self.closed
        move = solved(curvature, score)
        shared = self.closed @ move
        own = sums.own - sums.behind(shared)
        self.promised = 0.5 * float(score @ move) + sums.promised
        return shared, own

    def _go(self, sums: Sums, shared: Tensor, own: Tensor, slope: float) -> None:
        """Go a step of (θ, η), halved until the penalised log-likelihood rises as it should; where
        it does not, people whose own is lower after a whole step of η go a half or a quarter of it.

        What log|M_i| asks of θ counts as it is here.
        """
        if slope < _SURE:
            self.theta, self.eta = self.theta + shared, self.eta + own
            return
        prior, precision = self.ridge, self.covariance.precision
        before = sums.log_likelihood - sums.penalty - float(sums.bent @ self.theta)
        before -= 0.5 * float((prior * self.theta.square()).sum())
        length = 1.0
        for _ in range(HALVINGS):
            theta = self.theta + length * shared
            asked = float(sums.bent @ theta) + 0.5 * float((prior * theta.square()).sum())
            enough = before + asked + 1e-4 * length * slope - 1e-11 * abs(before)
            best, eta = torch.full((len(own),), -torch.inf, dtype=torch.float64), self.eta
            for share in (1.0, 0.5, 0.25):
                tried = self.eta + share * length * own
                value = self.data.log_likelihoods(theta, tried)
                value = value - 0.5 * (tried @ precision * tried).sum(1)
                better = value > best
                best = torch.where(better, value, best)
                eta = torch.where(better.unsqueeze(1), tried, eta)
                if float(best.sum()) >= enough:
                    self.theta, self.eta = theta, eta
                    return
            length /= 2

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

    def _second(self, sums: Sums) -> Tensor:
        """What nΣ is where ℓ has no slope by Σ, (q, q)."""
        cross, sigma = sums.bend.T @ self.eta, self.covariance.matrix
        found = self.eta.T @ self.eta - (cross + cross.T) / 2 + sums.spread
        return found - self.weak * sigma @ sigma

    def slope_by_sigma(self, sums: Sums) -> Tensor:
        """∂ℓ/∂Σ, (q, q), with θ and η where ℓ is highest."""
        precision, n = self.covariance.precision, self.data.n_people
        return 0.5 * precision @ (self._second(sums) - n * self.covariance.matrix) @ precision

    def slope_by_logs(self, sums: Sums, eta: Tensor) -> tuple[Tensor, Tensor]:
        """Slope of ℓ by the log variances, (pools,), and its information, with these η."""
        one = torch.nn.functional.one_hot(self.covariance.pools).double()  # (q, pools)
        variances = self.covariance.variances
        second = eta.square() - sums.bend * eta
        second = second.sum(0) + sums.spread.diagonal()
        slope = 0.5 * one.T @ (second / variances - self.data.n_people)
        whole = sums.squares - 2 * (variances * sums.spread.diagonal()).diag()
        told = whole / variances / variances.unsqueeze(1)  # squares of 1 − Σ^−½ C_i Σ^−½
        told = told + self.data.n_people * torch.eye(len(variances), dtype=torch.float64)
        return slope, 0.5 * one.T @ told @ one

    def fading(self, slope: Tensor) -> Tensor:
        """Which small variances, by pool, may go to 0: they can gain next to nothing from more."""
        small = self.covariance.by_pool(self.covariance.variances) < SMALL
        return ~self.at_zero & small & (slope < 0) & (-slope < NOTHING_TO_GAIN)

    def result(self) -> ChainFit:
        """Take the results at the end."""
        self.exact = False
        arrived = len(self.data.places) and self.promised < TOLERANCE
        sums = self.sums()
        for _ in range(_POLISHES if arrived else 0):
            if sums.promised < _POLISHED:
                break
            self.eta = self.eta + sums.own  # ℓ is not flat in what is not quite the mode
            sums = self.sums()
        assert self.closed is not None
        return ChainFit(
            theta=self.theta,
            eta=self.eta,
            conditional=sums.conditionals(self.covariance.variances),
            coupling=sums.coupling(),
            closed=self.closed,
            ridge=self.ridge,
            curvature=sums.curvature + self.ridge.diag(),
            log_likelihood=self.value(sums) + self._prior,
            n_parameters=self.closed.shape[1] + n_variances([self.covariance]),
            promised=self.promised,
            tolerance=TOLERANCE,
            weak=self.weak,
        )
