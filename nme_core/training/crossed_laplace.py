"""Laplace's approximation of the likelihood with several grouping factors, and its derivative.

    log L = log p(y | v̂) − |v̂|²/2 − log|A|/2        at the mode v̂ of log p(y | v) − |v|²/2

with A as in `scales`, r and W the slope and minus the curvature of a row's log p in its linear
predictors h. The mode moves with the parameters, and W with the mode. With c_j = z̄_j A⁻¹ z̄_jᵀ,
z̄ = zΛ, of each row, k_j = −½ Σ_ab c_ab ∂W_ab/∂h and s = A⁻¹ Z̄ᵀ k, the derivative is

    q = r + k − W Z̄ s,     ∂ log L / ∂β = Xᵀ q,
    ∂ log L / ∂Λ_g = Σ_levels { (Zᵀq) vᵀ + (Zᵀr) sᵀ } − D_g.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from nme_core.training.block_cholesky import BlockCholesky, Blocks
from nme_core.training.grouping import Grouping, Numbers
from nme_core.training.scales import Scales, State, determinant_slopes, normal_equations

_STEPS, _HALVINGS = 200, 40
#: Gain of a Newton step, in log-likelihood, below which the mode is found (an error e in the mode
#: costs e² of the height but e of the determinant), and below which rounding may be what is left.
_FOUND, _ROUNDING = 1e-24, 1e-16


class RowLikelihood(Protocol):
    """Likelihood of a row given its linear predictors."""

    def log_density(self, output: Tensor, y: Tensor) -> Tensor:
        """log p(y | h) of each row, (N, O) → (N,)."""
        ...

    def score(self, output: Tensor, y: Tensor) -> Tensor:
        """Its slope, (N, O)."""
        ...

    def curvature(self, output: Tensor, y: Tensor) -> Tensor:
        """Minus its second derivative, (N, O, O); differentiable."""
        ...


@dataclass(frozen=True)
class _Point:
    """β, v, the linear predictors there, and log p(y | v) − |v|²/2 with the prior of β."""

    fixed: Numbers
    mode: list[Numbers]
    output: Numbers
    height: float


class LaplaceLikelihood:
    """Outcomes with a likelihood of their own: a function of β and the parameters of Λ.

    Parameters
    ----------
    grouping : Grouping
        Rows.
    scales : Scales
        Structure of Λ.
    family : RowLikelihood
        Likelihood of a row.
    y : Tensor, shape (N,)
        Outcome.
    prior : array, shape (q,)
        Precisions of the normal priors of β with mean 0; 0 for none.
    weak : sequence of arrays, shape (R_g,)
        Precisions of the half-normal priors of the effects' standard deviations; 0 for none.
    """

    def __init__(
        self,
        grouping: Grouping,
        scales: Scales,
        family: RowLikelihood,
        y: Tensor,
        prior: Numbers,
        weak: Sequence[Numbers],
    ) -> None:
        self._grouping, self._scales, self._family, self._y = grouping, scales, family, y
        self._prior, self._weak = prior, weak
        self._mode = [np.zeros((one.n_levels, one.width)) for one in grouping.factors[:-1]]

    @property
    def n_fixed(self) -> int:
        """q."""
        return self._grouping.factors[-1].width

    def start(self, theta: Numbers, fixed: Numbers) -> tuple[Numbers, Numbers]:
        """β at the joint mode of β and v given Λ, and its covariance there."""
        found, _, factor, _ = self._climb(self._scales.matrices(theta), fixed, joint=True)
        return found, factor.fixed_covariance()

    def state(self, parameters: Numbers, *, slope: bool = True) -> State:
        """Evaluate at β and θ, one behind the other."""
        fixed, theta = parameters[: self.n_fixed], parameters[self.n_fixed :]
        matrices = self._scales.matrices(theta)
        _, height, factor, products = self._climb(matrices, fixed, joint=False)
        value = -height + 0.5 * factor.log_determinant(fixed=False) + self.narrowed(matrices)
        slopes = np.zeros(len(parameters))
        if slope:
            slopes = -self._slope(fixed, matrices, factor, products)
        spherical = [one.copy() for one in self._mode]
        return State(value, slopes, fixed, spherical, matrices, factor, products, 1.0)

    def narrowed(self, matrices: Sequence[Numbers]) -> float:
        """Minus the log density of the priors of the standard deviations, up to a constant."""
        pairs = zip(self._weak, matrices, strict=True)
        return 0.5 * sum(float(weak @ np.square(one).sum(1)) for weak, one in pairs)

    def _slope(
        self, fixed: Numbers, matrices: list[Numbers], factor: BlockCholesky, products: Blocks
    ) -> Numbers:
        grouping, last = self._grouping, self._grouping.last
        output = self._output(fixed, matrices, self._mode)
        score, weights = self._score(output), self._weights(output)
        inverse = factor.inverse(fixed=False)
        own = {
            (g, h): matrices[g] @ block @ matrices[h].T
            for (g, h), block in inverse.items()
            if h != last
        }
        bend = -0.5 * self._third(output, grouping.between(own, fixed=False))
        moved = factor.solve(
            [*self._gather(bend, matrices), np.zeros((1, self.n_fixed, 1))], fixed=False
        )
        shift = [one[..., 0] for one in moved[:-1]]
        reach = self._output(np.zeros(self.n_fixed), matrices, shift)
        flow = score + bend - (weights @ reach[:, :, None])[:, :, 0]
        parts = determinant_slopes(products, matrices, inverse, last)
        of_scale = []
        for g in range(last):
            one = grouping.factors[g]
            direct = one.gather(flow).T @ self._mode[g] + one.gather(score).T @ shift[g]
            of_scale.append(direct - parts[g] - self._weak[g][:, None] * matrices[g])
        shared = grouping.factors[-1].gather(flow)[0] - self._prior * fixed
        return np.concatenate([shared, self._scales.slope(of_scale)])

    def _climb(
        self, matrices: list[Numbers], fixed: Numbers, *, joint: bool
    ) -> tuple[Numbers, float, BlockCholesky, Blocks]:
        """Find the mode of v, or of β and v, by Newton's method from the last mode."""
        at = self._point(fixed, matrices, self._mode)
        if not math.isfinite(at.height):
            at = self._point(fixed, matrices, [np.zeros_like(one) for one in self._mode])
        before = math.inf
        for _ in range(_STEPS):
            products = self._products(at.output)
            factor, step, gain = self._newton(at, matrices, products, joint=joint)
            size = max(1.0, abs(at.height))
            if gain < _FOUND * size or 0.5 * before < gain < _ROUNDING * size:
                break
            before, share = gain, 1.0
            for _ in range(_HALVINGS):
                moved = self._point(
                    at.fixed + share * step[-1][0, :, 0],
                    matrices,
                    [v + share * one[..., 0] for v, one in zip(at.mode, step, strict=False)],
                )
                if moved.height >= at.height - 1e-12 * size:
                    break
                share /= 2
            else:
                break
            at = moved
        self._mode = at.mode
        return at.fixed, at.height, factor, products

    def _newton(
        self, at: _Point, matrices: list[Numbers], products: Blocks, *, joint: bool
    ) -> tuple[BlockCholesky, list[Numbers], float]:
        """Return the factor of A, the step, and what it promises."""
        equations = normal_equations(products, matrices, self._grouping.last)
        factor, score = BlockCholesky(self._grouping, equations), self._score(at.output)
        own = zip(self._gather(score, matrices), at.mode, strict=True)
        slopes = [one - v[..., None] for one, v in own]
        if joint:
            shared = self._grouping.factors[-1].gather(score) - self._prior * at.fixed
            slopes.append(shared[..., None])
        else:
            slopes.append(np.zeros((1, self.n_fixed, 1)))
        step = factor.solve(slopes, fixed=joint)
        gain = 0.5 * sum(float((a * b).sum()) for a, b in zip(slopes, step, strict=True))
        return factor, step, gain

    def _products(self, output: Numbers) -> Blocks:
        """Zᵀ W Z, of the fixed effects with their prior."""
        products, last = self._grouping.products(self._weights(output)), self._grouping.last
        products[last, last] = products[last, last] + np.diag(self._prior)
        return products

    def _point(self, fixed: Numbers, matrices: list[Numbers], mode: list[Numbers]) -> _Point:
        output = self._output(fixed, matrices, mode)
        density = self._family.log_density(torch.from_numpy(output), self._y).numpy().sum()
        height = float(density) - 0.5 * sum(float((v * v).sum()) for v in mode)
        height -= 0.5 * float(self._prior @ fixed**2)
        return _Point(fixed, mode, output, height if math.isfinite(height) else -math.inf)

    def _output(self, fixed: Numbers, matrices: list[Numbers], mode: list[Numbers]) -> Numbers:
        """h of the rows."""
        result = self._grouping.factors[-1].outputs(fixed[None])
        for one, m, v in zip(self._grouping.factors, matrices, mode, strict=False):
            result = result + one.outputs(v @ m.T)
        return result

    def _gather(self, rows: Numbers, matrices: list[Numbers]) -> list[Numbers]:
        """Λᵀ Zᵀ rows of each factor, shape (P_g, R_g, 1)."""
        factors = self._grouping.factors
        return [(f.gather(rows) @ m)[..., None] for f, m in zip(factors, matrices, strict=False)]

    def _score(self, output: Numbers) -> Numbers:
        return self._family.score(torch.from_numpy(output), self._y).numpy()

    def _weights(self, output: Numbers) -> Numbers:
        return self._family.curvature(torch.from_numpy(output), self._y).numpy()

    def _third(self, output: Numbers, leverage: Numbers) -> Numbers:
        """Σ_ab c_ab ∂W_ab/∂h of each row."""
        at = torch.from_numpy(output).requires_grad_()
        weighted = (self._family.curvature(at, self._y) * torch.from_numpy(leverage)).sum()
        if not weighted.requires_grad:
            return np.zeros_like(output)
        return torch.autograd.grad(weighted, at)[0].numpy()
