"""Scale Λ_g of the random effects of several grouping factors, and what follows for the equations.

Effects are b_g = Λ_g v, v ~ N(0, I), so that a Σ_g = Λ_g Λ_gᵀ without an inverse is no special
case. With A = Λᵀ Zᵀ W Z Λ + I and D_g = Σ_levels (Zᵀ W Z Λ A⁻¹) on the diagonal,

    ∂ log|A| / ∂Λ_g = 2 D_g.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nme_core.training.block_cholesky import BlockCholesky, Blocks
from nme_core.training.grouping import Codes, Grouping, Numbers


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
    def diagonal(self) -> bool:
        """Whether Λ is."""
        return bool((self.row == self.column).all())

    @property
    def on_diagonal(self) -> Codes:
        """Parameters of the diagonal."""
        return np.unique(self.place[self.row == self.column])

    def matrix(self, theta: Numbers) -> Numbers:
        """Λ."""
        result = np.zeros((self.width, self.width))
        result[self.row, self.column] = theta[self.place]
        return result

    def units(self) -> Numbers:
        """Derivative of Λ by each parameter, shape (n, R, R)."""
        return np.stack([self.matrix(one) for one in np.eye(self.n)])

    def slope(self, of_matrix: Numbers) -> Numbers:
        """Derivative by the parameters from that by Λ."""
        values = of_matrix[self.row, self.column]
        return np.bincount(self.place, values, self.n).astype(np.float64)


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

    def rough_errors(self, grouping: Grouping) -> Numbers:
        """About the standard errors of the parameters, relative to σ."""
        own = zip(self.each, grouping.factors, strict=False)
        return np.concatenate([np.full(scale.n, (2 * one.n_levels) ** -0.5) for scale, one in own])

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
    curvature : array or None
        Its second derivatives, or nearly these; None where they are not known.
    follows : array or None
        ∂ log σ̂²/∂θ, where σ̂² is the best for each θ and the slope was taken.
    """

    value: float
    slope: Numbers
    fixed: Numbers
    spherical: list[Numbers]
    matrices: list[Numbers]
    factor: BlockCholesky
    products: Blocks
    residual_variance: float
    curvature: Numbers | None = None
    follows: Numbers | None = None

    def slopes_of_mode(self, grouping: Grouping) -> list[Numbers]:
        """∂v_g/∂β at the mode, shape (P_g, R_g, q)."""
        last, matrices = grouping.last, self.matrices
        right = [-matrices[g].T @ self.products[g, last] for g in range(last)]
        q = len(self.fixed)
        return self.factor.solve([*right, np.zeros((1, q, q))], fixed=False)[:last]
