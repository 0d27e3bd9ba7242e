"""Likelihood of a model with several grouping factors, and its exact derivative.

Effects are b_g = Λ_g v, v ~ N(0, I), so that a Σ_g = Λ_g Λ_gᵀ without an inverse is no special
case. With A = Λᵀ Zᵀ W Z Λ + I and D_g = Σ_levels (Zᵀ W Z Λ A⁻¹) on the diagonal,

    ∂ log|A| / ∂Λ_g = 2 D_g.

Numbers (Bates et al. 2015, doi 10.18637/jss.v067.i01), σ² and β profiled out, Σ relative to σ²:

    −2 log L = log|A| + N (1 + log 2πσ²),      σ² = min_{β,v} (|y − Xβ − ZΛv|² + |v|²) / N

All others, by Laplace's approximation at the mode v̂ of log p(y | v) − |v|²/2:

    log L = log p(y | v̂) − |v̂|²/2 − log|A|/2

with r and W the slope and minus the curvature of a row's log p in its linear predictors. The mode
moves with the parameters, and W with the mode. With c_j = z̄_j A⁻¹ z̄_jᵀ, z̄ = zΛ, of each row,
k_j = −½ Σ_ab c_ab ∂W_ab/∂h and s = A⁻¹ Z̄ᵀ k, the derivative is

    ∂ log L / ∂β = Xᵀ q,   ∂ log L / ∂Λ_g = Σ_levels { (Zᵀq) vᵀ + (Zᵀr) sᵀ } − D_g,   q = r + k − W Z̄ s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from nme_core.training.block_cholesky import BlockCholesky, Blocks
from nme_core.training.grouping import Codes, Grouping, Numbers

_STEPS, _HALVINGS = 200, 40
#: Gain of a Newton step, in log-likelihood, below which the mode is found.
_FOUND = 1e-16


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
class Scale:
    """Which elements of Λ_g are searched for.

    Attributes
    ----------
    row, column : arrays of int, shape (m,)
        The elements that may differ from 0.
    place : array of int, shape (m,)
        The parameter of each.
    width : int
        R.
    """

    row: Codes
    column: Codes
    place: Codes
    width: int

    @classmethod
    def of(cls, width: int, kind: str, pools: Codes | None) -> Scale:
        """Diagonal, with a parameter for each pool of effects, or lower triangular."""
        if kind == "diagonal":
            every = np.arange(width)
            return cls(every, every, every if pools is None else pools, width)
        row, column = np.tril_indices(width)
        return cls(row, column, np.arange(len(row)), width)

    @property
    def n(self) -> int:
        """Number of parameters."""
        return int(self.place.max(initial=-1)) + 1

    @property
    def on_diagonal(self) -> Codes:
        """Parameters of the diagonal."""
        return np.unique(self.place[self.row == self.column])

    def matrix(self, theta: Numbers) -> Numbers:
        """Λ."""
        result = np.zeros((self.width, self.width))
        result[self.row, self.column] = theta[self.place]
        return result

    def slope(self, of_matrix: Numbers) -> Numbers:
        """Derivative by the parameters from that by Λ."""
        return np.bincount(self.place, of_matrix[self.row, self.column], self.n)


@dataclass(frozen=True)
class Scales:
    """Λ of all factors, in the order of a `Grouping`."""

    each: tuple[Scale, ...]

    @property
    def n(self) -> int:
        """Number of parameters of all factors."""
        return sum(scale.n for scale in self.each)

    def matrices(self, theta: Numbers) -> list[Numbers]:
        """Λ of each factor."""
        ends = np.cumsum([scale.n for scale in self.each])[:-1]
        parts = np.split(theta, ends)
        return [scale.matrix(part) for scale, part in zip(self.each, parts, strict=True)]

    def slope(self, of_matrices: Sequence[Numbers]) -> Numbers:
        """Derivative by the parameters from those by Λ."""
        pairs = zip(self.each, of_matrices, strict=True)
        return np.concatenate([scale.slope(one) for scale, one in pairs])


def normal_equations(products: Blocks, matrices: Sequence[Numbers], last: int) -> Blocks:
    """A: products Zᵀ W Z with Λ around them and 1 on the diagonal, but of the fixed effects."""
    result: Blocks = {}
    for (g, h), block in products.items():
        scaled = block if g == last else matrices[g].T @ block
        result[g, h] = scaled if h == last else scaled @ matrices[h]
        if g == h != last:
            result[g, h] = result[g, h] + np.eye(block.shape[1])
    return result


def determinant_slopes(
    products: Blocks, matrices: Sequence[Numbers], inverse: Blocks, last: int
) -> list[Numbers]:
    """D_g of each factor; half the derivative of log|A| by Λ_g."""
    every = [*matrices, np.eye(inverse[last, last].shape[1])]
    result = [np.zeros_like(one) for one in every]
    for (g, h), block in products.items():
        result[g] += np.einsum("nab,nbc->ac", block @ every[h], inverse[g, h].transpose(0, 2, 1))
        if g != h:
            left = block.transpose(0, 2, 1) @ every[g]
            result[h] += np.einsum("nab,nbc->ac", left, inverse[g, h])
    return result[:last]


@dataclass(frozen=True)
class State:
    """The likelihood at some parameters, and what it is made of.

    Attributes
    ----------
    value : float
        −log L.
    slope : array
        Its derivative by what is searched for.
    fixed : array, shape (q,)
        β.
    spherical : list of arrays, shape (P_g, R_g)
        v.
    matrices : list of arrays, shape (R_g, R_g)
        Λ_g.
    factor : BlockCholesky
        Of A, that of the fixed effects with it.
    products : dict
        Zᵀ W Z.
    residual_variance : float
        σ².
    """

    value: float
    slope: Numbers
    fixed: Numbers
    spherical: list[Numbers]
    matrices: list[Numbers]
    factor: BlockCholesky
    products: Blocks
    residual_variance: float


class GaussianLikelihood:
    """Numbers: a function of the parameters of Λ alone.

    Parameters
    ----------
    grouping : Grouping
        Rows.
    scales : Scales
        Structure of Λ.
    y : array, shape (N,)
        Outcome.
    reml : bool
        Whether β is integrated out: the restricted likelihood.
    """

    def __init__(self, grouping: Grouping, scales: Scales, y: Numbers, *, reml: bool) -> None:
        self._grouping, self._scales, self._y, self._reml = grouping, scales, y, reml
        self._products = grouping.products(None)
        self._right = [factor.gather(y[:, None]) for factor in grouping.factors]
        self._n = len(y) - (grouping.factors[-1].width if reml else 0)

    def state(self, theta: Numbers, *, slope: bool = True) -> State:
        """Evaluate."""
        grouping, last = self._grouping, self._grouping.last
        matrices = self._scales.matrices(theta)
        factor = BlockCholesky(grouping, normal_equations(self._products, matrices, last))
        right = [one @ m for one, m in zip(self._right, matrices, strict=False)]
        right.append(self._right[-1])
        solution = [one[..., 0] for one in factor.solve([r[..., None] for r in right], fixed=True)]
        own = [v @ m.T for v, m in zip(solution, matrices, strict=False)]
        residual = self._y.copy()
        for level, effects in zip(grouping.factors, [*own, solution[-1]], strict=True):
            residual -= level.outputs(effects)[:, 0]
        rest = float(residual @ residual + sum((v * v).sum() for v in solution[:-1]))
        variance = rest / self._n
        determinant = factor.log_determinant(fixed=self._reml)
        value = 0.5 * (determinant + self._n * (1 + math.log(2 * math.pi * variance)))
        slopes = np.zeros(self._scales.n)
        if slope:
            inverse = factor.inverse(fixed=self._reml)
            parts = determinant_slopes(self._products, matrices, inverse, last)
            for g in range(last):
                left = grouping.factors[g].gather(residual[:, None])
                parts[g] = parts[g] - left.T @ solution[g] / variance
            slopes = self._scales.slope(parts)
        return State(
            value, slopes, solution[-1][0], solution[:-1], matrices, factor, self._products, variance
        )


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
    """

    def __init__(
        self, grouping: Grouping, scales: Scales, family: RowLikelihood, y: Tensor
    ) -> None:
        self._grouping, self._scales, self._family, self._y = grouping, scales, family, y
        self._mode = [np.zeros((one.n_levels, one.width)) for one in grouping.factors[:-1]]

    @property
    def n_fixed(self) -> int:
        """q."""
        return self._grouping.factors[-1].width

    def start(self, theta: Numbers, fixed: Numbers) -> tuple[Numbers, Numbers]:
        """β at the joint mode of β and v given Λ, and its covariance there."""
        found, _, factor, _ = self._climb(self._scales.matrices(theta), fixed, joint=True)
        last = self._grouping.last
        return found, factor.inverse(fixed=True)[last, last][0]

    def state(self, parameters: Numbers, *, slope: bool = True) -> State:
        """Evaluate at β and θ, one behind the other."""
        grouping, last = self._grouping, self._grouping.last
        fixed, theta = parameters[: self.n_fixed], parameters[self.n_fixed :]
        matrices = self._scales.matrices(theta)
        _, height, factor, products = self._climb(matrices, fixed, joint=False)
        value = -height + 0.5 * factor.log_determinant(fixed=False)
        slopes = np.zeros(len(parameters))
        if slope:
            slopes = -self._slope(fixed, matrices, factor, products)
        spherical = [one.copy() for one in self._mode]
        return State(value, slopes, fixed, spherical, matrices, factor, products, 1.0)

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
            of_scale.append(direct - parts[g])
        return np.concatenate([grouping.factors[-1].gather(flow)[0], self._scales.slope(of_scale)])

    def slopes_of_mode(self, state: State) -> list[Numbers]:
        """∂b_g/∂β at the mode, shape (P_g, R_g, q)."""
        grouping, last = self._grouping, self._grouping.last
        right = []
        for g in range(last):
            meeting = state.products[g, last]
            right.append(-state.matrices[g].T @ meeting)
        right.append(np.zeros((1, self.n_fixed, self.n_fixed)))
        moved = state.factor.solve(right, fixed=False)
        return [m @ one for m, one in zip(state.matrices, moved, strict=False)]

    def _climb(
        self, matrices: list[Numbers], fixed: Numbers, *, joint: bool
    ) -> tuple[Numbers, float, BlockCholesky, Blocks]:
        """Find the mode of v, or of β and v, by Newton's method from the last mode."""
        grouping, last, mode = self._grouping, self._grouping.last, self._mode
        output = self._output(fixed, matrices, mode)
        height = self._height(output, mode)
        if not math.isfinite(height):
            mode = [np.zeros_like(one) for one in mode]
            output = self._output(fixed, matrices, mode)
            height = self._height(output, mode)
        for step_number in range(_STEPS):
            products = grouping.products(self._weights(output))
            factor = BlockCholesky(grouping, normal_equations(products, matrices, last))
            score = self._score(output)
            slopes = [
                one - v[..., None]
                for one, v in zip(self._gather(score, matrices), mode, strict=True)
            ]
            slopes.append(grouping.factors[-1].gather(score)[..., None])
            step = factor.solve(slopes, fixed=joint)
            used = slopes if joint else slopes[:-1]
            gain = 0.5 * sum(float((a * b).sum()) for a, b in zip(used, step, strict=False))
            if gain < _FOUND * max(1.0, abs(height)):
                break
            share = 1.0
            for _ in range(_HALVINGS):
                moved = [v + share * one[..., 0] for v, one in zip(mode, step, strict=False)]
                its_fixed = fixed + share * step[-1][0, :, 0]
                its_output = self._output(its_fixed, matrices, moved)
                its_height = self._height(its_output, moved)
                if its_height >= height - 1e-12 * max(1.0, abs(height)):
                    break
                share /= 2
            else:
                break
            mode, fixed, output, height = moved, its_fixed, its_output, its_height
        self._mode = mode
        return fixed, height, factor, products

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

    def _height(self, output: Numbers, mode: list[Numbers]) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            density = self._family.log_density(torch.from_numpy(output), self._y).numpy().sum()
        height = float(density) - 0.5 * sum(float((v * v).sum()) for v in mode)
        return height if math.isfinite(height) else -math.inf

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
