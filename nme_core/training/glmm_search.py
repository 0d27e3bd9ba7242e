"""The search for the maximum of a Laplace-approximated likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nme_core.training.ascent import Ascent, maximise
from nme_core.training.factor_numbers import FactorNumbers
from nme_core.training.linear_layout import placed
from nme_core.training.marginal import Evaluation, LaplaceMarginal, OutOfReachError
from nme_core.training.shrinkage import learn_variances

Floats = NDArray[np.float64]

#: Numbers in u and Λ up to which the second derivative of the likelihood is taken.
MOST_DIFFERENTIATED = 100
#: Variances of the random effects to start from, and steps of EM before the search.
_START, _EM_STEPS = 0.3, 4
#: Least standard deviation to begin at, where a search begins near its end.
_LEAST_NEAR = 0.1
#: Least share of a variance that the rows are taken to tell, for the search's first steps.
_LEAST_TOLD = 0.05


@dataclass(frozen=True)
class GLMMFit:
    """Maximum of the Laplace-approximated likelihood; float64.

    Attributes
    ----------
    fixed : Tensor, shape (D,)
        u, in the order of `LinearLayout`.
    fixed_covariance : Tensor, shape (D, D)
        Inverse observed information of u and Λ together, its part of u; given Λ where these are
        more than `MOST_DIFFERENTIATED` numbers.
    scale : Tensor, shape (R, m)
        Λ, with a diagonal that is not negative.
    effects, effects_covariance : Tensor, shapes (P, R) and (P, R, R)
        Modes η̂_i, and C_i given u and Σ.
    effects_following : Tensor, shape (P, R, D)
        ∂η̂_i/∂u.
    log_likelihood : float
        ℓ, with all constants, without the priors on u and Σ.
    n_parameters : int
        Numbers in u and Σ, and k of a negative binomial.
    ascent : Ascent
        How the search ended.
    """

    fixed: Tensor
    fixed_covariance: Tensor
    scale: Tensor
    effects: Tensor
    effects_covariance: Tensor
    effects_following: Tensor
    log_likelihood: float
    n_parameters: int
    ascent: Ascent

    def among(self, own: Tensor, n_random: int) -> GLMMFit:
        """The same where these are the places of the effects among all; the others are 0."""
        if len(own) == n_random:
            return self
        return replace(
            self,
            scale=placed(self.scale, own, n_random, 0),
            effects=placed(self.effects, own, n_random, 1),
            effects_covariance=placed(self.effects_covariance, own, n_random, 1, 2),
            effects_following=placed(self.effects_following, own, n_random, 1),
        )


@dataclass
class GLMMSearch:
    """A search in u and the numbers of Λ.

    Attributes
    ----------
    marginal : LaplaceMarginal
        ℓ.
    factor, full : FactorNumbers
        The numbers of Λ, and of a full one, next to which factors begin.
    u : Tensor, shape (D,)
        Where to begin, people being alike.
    follow : callable
        Called at each step with ℓ and the mean variance.
    near : Tensor, shape (d,), optional
        u and the numbers of Λ where a search with nearly the same ℓ ended.
    """

    marginal: LaplaceMarginal
    factor: FactorNumbers
    full: FactorNumbers
    u: Tensor
    follow: Callable[[float, float], None]
    near: Tensor | None = None

    def fit(self) -> GLMMFit:
        """Search to the end."""
        ascent, d = self.highest(), len(self.u)
        at, marginal = torch.from_numpy(ascent.at), self.marginal
        u, scale = at[:d], self.factor.matrix(at[d:])
        scale[:, : len(scale)] *= torch.where(scale.diagonal() < 0, -1.0, 1.0)
        found = marginal(u, scale)  # the modes belong to the sign
        effects, spread, following = marginal.effects_following(u, scale)
        return GLMMFit(
            fixed=u,
            fixed_covariance=_fixed_covariance(ascent, found),
            scale=scale,
            effects=effects,
            effects_covariance=spread,
            effects_following=following,
            log_likelihood=ascent.value - float(marginal.log_prior(u, scale)),
            n_parameters=len(ascent.at),
            ascent=ascent,
        )

    def highest(self, *, to_the_end: bool = True) -> Ascent:
        """Search; `to_the_end`: with the second derivative there, if that is not too much work."""
        marginal, factor, d = self.marginal, self.factor, len(self.u)

        def objective(x: Floats) -> tuple[float, Floats]:
            at = torch.from_numpy(x)
            try:
                found = marginal(at[:d], factor.matrix(at[d:]))
            except OutOfReachError:
                return -np.inf, np.zeros(len(x))
            slope = torch.cat([found.shared, factor.gather(found.scale)])
            return found.value, slope.numpy()

        def told(value: float, x: Floats) -> None:
            scale = factor.matrix(torch.from_numpy(x[d:]))
            self.follow(value, float(scale.square().sum()) / max(1, len(scale)))

        start, information = self._start()
        return maximise(
            objective,
            start.numpy(),
            information.numpy(),
            differentiate=to_the_end and len(start) <= MOST_DIFFERENTIATED,
            follow=told,
        )

    def learn_shrinkage(self) -> None:
        """Set the precisions of the priors on each input's coefficients."""
        marginal, layout, d = self.marginal, self.marginal.layout, len(self.u)
        inputs = [layout.column == k for k in range(layout.n_columns - 1)]

        def refit(variance: Tensor) -> tuple[Tensor, Tensor]:
            for own, one in zip(inputs, variance, strict=True):
                marginal.ridge[own] = 1 / one
            at = torch.from_numpy(self.highest(to_the_end=False).at)
            self.u = at[:d]
            information = marginal(self.u, self.factor.matrix(at[d:])).information
            return self.u, torch.linalg.inv(information).diagonal()

        refit(learn_variances(refit, inputs))

    def _start(self) -> tuple[Tensor, Tensor]:
        """Where the search begins, (u, numbers of Λ), and a guess of the information there."""
        factor = self.factor
        u, scale, found = self._beside() or self._after_em()
        n, d, half = self.marginal.n_persons, len(u), factor.matrix(scale)
        variance = half.square().sum(1)
        told = (1 - found.conditional.diagonal() / (n * variance)).clamp_min(_LEAST_TOLD)
        guess = n * (told / variance.sqrt()).unsqueeze(1) * told / variance.sqrt()
        every = guess.diagonal().unsqueeze(1).expand(-1, factor.n_factors)
        own = factor.gather(torch.cat([guess + guess.diagonal().diag(), every], dim=1))
        information = torch.zeros(d + len(own), d + len(own), dtype=torch.float64)
        information[:d, :d], information[d:, d:] = found.information, own.diag()
        return torch.cat([u, scale]), information

    def _beside(self) -> tuple[Tensor, Tensor, Evaluation] | None:
        """Where a search begins near its end; None where there is no such place within reach.

        At a variance of 0 the likelihood has no slope: it begins beside that.
        """
        near, factor, d = self.near, self.factor, len(self.u)
        if near is None:
            return None
        own = torch.zeros(len(near), dtype=torch.bool)
        own[d + factor.pool[factor.row == factor.column]] = True
        near = torch.where(own & (near.abs() < _LEAST_NEAR), _LEAST_NEAR, near)
        try:
            return near[:d], near[d:], self.marginal(near[:d], factor.matrix(near[d:]))
        except OutOfReachError:
            self.near = None
            return None

    def _after_em(self) -> tuple[Tensor, Tensor, Evaluation]:
        """After a few steps of EM; of factors, near the best full Σ."""
        marginal, factor, u = self.marginal, self.factor, self.u
        n, r, d = marginal.n_persons, len(marginal.layout.random), len(u)
        sigma = _START * torch.eye(r, dtype=torch.float64)
        if factor.n_factors:
            full = self.full
            at = torch.from_numpy(
                replace(self, factor=full, near=None).highest(to_the_end=False).at
            )
            u, sigma = at[:d], full.matrix(at[d:]) @ full.matrix(at[d:]).T
        scale = factor.of_covariance(sigma)
        found = marginal(u, factor.matrix(scale))
        for _ in range(_EM_STEPS if r and not factor.n_factors else 0):
            moved = u + torch.linalg.solve(found.information, found.shared)
            wider = factor.of_covariance(factor.pooled((found.second + found.conditional) / n))
            try:
                found = marginal(moved, factor.matrix(wider))
            except OutOfReachError:
                break
            u, scale = moved, wider
        return u, scale, found


def _fixed_covariance(ascent: Ascent, found: Evaluation) -> Tensor:
    d = len(found.shared)
    if ascent.information is not None:
        matrix = torch.from_numpy(ascent.information)
        # a variance at 0 is as known, and tells nothing of u
        kept = torch.cat([torch.ones(d), torch.from_numpy(np.abs(ascent.at[d:]))]) > 1e-4
        kept[:d] = True
        inverse: Tensor = torch.linalg.pinv(matrix[kept][:, kept], hermitian=True)
        if bool((inverse.diagonal() > 0).all()):
            return inverse[:d, :d]
    known: Tensor = torch.linalg.inv(found.information)
    return known
