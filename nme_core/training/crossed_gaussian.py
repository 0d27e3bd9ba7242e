"""Likelihood of numbers with several grouping factors, and its derivative.

β and σ² are profiled out, Σ is relative to σ² (Bates et al. 2015, doi 10.18637/jss.v067.i01):

    −2 log L = log|A| + N (1 + log 2πσ²),     σ² = min_{β,v} (|y − Xβ − ZΛv|² + |v|²) / N

with A as in `scales`; the restricted likelihood has β in A, and N less the number of fixed effects.
"""

from __future__ import annotations

import math

import numpy as np

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

    def residual_variance(self, theta: Numbers) -> float:
        """σ̂² at these numbers of Λ."""
        return self.state(theta, slope=False).residual_variance

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
        rest += float(self._prior @ solution[-1][0] ** 2)
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
            value,
            slopes,
            solution[-1][0],
            solution[:-1],
            matrices,
            factor,
            self._products,
            variance,
        )
