"""Likelihood of numbers with several grouping factors, and its derivative.

β and σ² are profiled out, Σ is relative to σ² (Bates et al. 2015, doi 10.18637/jss.v067.i01):

    −2 log L = log|A| + N (1 + log 2πσ²),     σ² = min_{β,v} (|y − Xβ − ZΛv|² + |v|²) / N

with A as in `scales`; the restricted likelihood has β in A, and N less the number of fixed effects.

Its curvature is the average information (Gilmour, Thompson & Cullis 1995, doi 10.2307/2533274):
with V = σ² H, P y the residuals over σ² and H_i the derivatives of H by the numbers of Λ,

    ½ yᵀ P H_i P H_j P y/σ² − (yᵀ P H_i P y)(yᵀ P H_j P y)/(2 N σ⁴) + tr(M_g ∂²Σ_g/∂i∂j),

M_g the derivative by Σ_g. It costs one more right-hand side for each number, no further inverse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import linalg

from nme_core.training.block_cholesky import BlockCholesky
from nme_core.training.grouping import Grouping, Numbers
from nme_core.training.scales import Scales, State, determinant_slopes, normal_equations


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
    prior : array, shape (q,)
        Precisions of the priors β_k ~ N(0, σ²/prior_k); 0 for none.
    reml : bool
        Whether β is integrated out: the restricted likelihood.
    """

    def __init__(
        self, grouping: Grouping, scales: Scales, y: Numbers, prior: Numbers, *, reml: bool
    ) -> None:
        self._grouping, self._scales, self._y, self._reml = grouping, scales, y, reml
        self._products, last = grouping.products(None), grouping.last
        self._products[last, last] = self._products[last, last] + np.diag(prior)
        self._prior = prior
        self._right = [factor.gather(y[:, None]) for factor in grouping.factors]
        self._n = len(y) - (grouping.factors[-1].width if reml else 0)

    def value_and_slope(self, theta: Numbers) -> tuple[float, Numbers]:
        """−log L and its derivative."""
        state = self.state(theta)
        return state.value, state.slope

    def state(self, theta: Numbers, *, slope: bool = True) -> State:
        """Evaluate."""
        grouping, last = self._grouping, self._grouping.last
        matrices = self._scales.matrices(theta)
        factor = BlockCholesky(grouping, normal_equations(self._products, matrices, last))
        right = [one @ m for one, m in zip(self._right, matrices, strict=False)]
        right.append(self._right[-1])
        solution = [one[..., 0] for one in factor.solve([r[..., None] for r in right], fixed=True)]
        residual = self._y - self._outputs(solution, matrices)
        rest = float(residual @ residual + sum((v * v).sum() for v in solution[:-1]))
        rest += float(self._prior @ solution[-1][0] ** 2)
        variance = rest / self._n
        determinant = factor.log_determinant(fixed=self._reml)
        value = 0.5 * (determinant + self._n * (1 + math.log(2 * math.pi * variance)))
        slopes, curvature, follows = np.zeros(self._scales.n), None, None
        if slope:
            inverse = factor.inverse(fixed=self._reml)
            parts = determinant_slopes(self._products, matrices, inverse, last)
            left = [one.gather(residual[:, None]) for one in grouping.factors[:-1]]
            pulls = [-one.T @ v / variance for one, v in zip(left, solution, strict=False)]
            parts = [part + pull for part, pull in zip(parts, pulls, strict=True)]
            slopes, follows = self._scales.slope(parts), 2 / self._n * self._scales.slope(pulls)
            curvature = self._curvature(matrices, factor, left, parts, variance)
        return State(
            value,
            slopes,
            solution[-1][0],
            solution[:-1],
            matrices,
            factor,
            self._products,
            variance,
            curvature,
            follows,
        )

    def _outputs(self, solution: Sequence[Numbers], matrices: Sequence[Numbers]) -> Numbers:
        """X β + Z Λ v of each row, of (P_g, R_g) for each factor, β the last."""
        result = self._grouping.factors[-1].outputs(solution[-1])[:, 0]
        for one, v, matrix in zip(self._grouping.factors, solution, matrices, strict=False):
            result += one.outputs(v @ matrix.T)[:, 0]
        return result

    def _curvature(
        self,
        matrices: Sequence[Numbers],
        factor: BlockCholesky,
        left: Sequence[Numbers],
        parts: Sequence[Numbers],
        variance: float,
    ) -> Numbers:
        """Average information; `left` is Zᵀ P y σ², `parts` the derivatives by Λ_g."""
        grouping, moved, along, bends = self._grouping, [], [], []
        for one, scale, matrix, own, part in zip(
            grouping.factors, self._scales.each, matrices, left, parts, strict=False
        ):
            by_sigma = part @ np.linalg.pinv(matrix) / 2
            units = scale.units()
            changes = units @ matrix.T + matrix @ units.transpose(0, 2, 1)
            moved += [one.outputs(own @ change)[:, 0] for change in changes]
            along += [float(np.sum((own @ change) * own)) for change in changes]
            bends.append(2 * np.einsum("iab,ac,jcb->ij", units, by_sigma, units))
        rows = np.stack(moved, axis=1)
        right = [
            np.stack([one.gather(row[:, None]) for row in rows.T], axis=2)
            for one in grouping.factors
        ]
        for g, matrix in enumerate(matrices):
            right[g] = np.einsum("lrm,rs->lsm", right[g], matrix)
        solved = factor.solve(right, fixed=True)
        rest = np.stack(
            [
                row - self._outputs([one[..., k] for one in solved], matrices)
                for k, row in enumerate(rows.T)
            ],
            axis=1,
        )
        whole = 0.5 * rows.T @ rest / variance
        whole -= np.outer(along, along) / (2 * self._n * variance**2)
        return np.asarray((whole + whole.T) / 2 + linalg.block_diag(*bends))
