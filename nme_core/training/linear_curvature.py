"""Second derivatives of the linear mixed model's likelihood, exact, from sums over people.

By the elements a of Ψ, E_a = ∂Ψ/∂Ψ_a, with β at its best, s_a = Σ_i C_iᵀE_a u_i and
F_a = Σ_i C_iᵀE_a C_i (notation of `linear_likelihood`):

    ∂²(−2 log L)/∂Ψ_a∂Ψ_b = −Σ_i tr Q_i E_a Q_i E_b + 2 (Σ_i u_iᵀE_a Q_i E_b u_i − s_aᵀ K s_b)/σ²
                    (REML:  − tr K F_a K F_b + 2 Σ_i tr C_i K C_iᵀ E_a Q_i E_b)
    ∂²/∂Ψ_a∂log σ²        = Σ_i u_iᵀE_a u_i/σ²,        ∂²/∂(log σ²)² = rᵀV⁻¹r/σ²

and by those of Λ through Ψ = ΛΛᵀ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nme_core.training.covariance import BLOCKS, FACTORS
from nme_core.training.linear_likelihood import Point
from nme_core.training.sums import Array

#: Structure of Σ: "diagonal", "full", a name in `FACTORS`, or the block of each random effect.
Structure = str | Sequence[int]


def structure_of(kind: str, intercept: Sequence[bool]) -> Structure:
    """Structure of this name; blocks: the intercepts (`intercept` is true), and the slopes."""
    return [int(one) for one in intercept] if kind == BLOCKS else kind


@dataclass(frozen=True)
class Elements:
    """Elements of Λ that are free: of a lower triangle all, of blocks, or on the diagonal.

    With factors Λ has a column for each beside its diagonal, so that ΛΛᵀ = D + LLᵀ; L has zeros
    above its diagonal, which leaves no rotation.

    Attributes
    ----------
    row, column : arrays of int, shape (q,)
        Their places.
    n_random : int
        R.
    n_factors : int
        Columns of L.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    n_random: int
    n_factors: int = 0

    @classmethod
    def of(cls, n_random: int, kind: Structure) -> Elements:
        """Elements of a covariance matrix of this structure."""
        if kind == "diagonal":
            return cls(np.arange(n_random), np.arange(n_random), n_random)
        row, column = np.tril_indices(n_random)
        if isinstance(kind, str) and kind in FACTORS:
            loads = column < FACTORS[kind]
            every = np.arange(n_random)
            row = np.append(every, row[loads])
            return cls(row, np.append(every, n_random + column[loads]), n_random, FACTORS[kind])
        if not isinstance(kind, str):
            block = np.asarray(kind, dtype=np.int64)
            row, column = (places[block[row] == block[column]] for places in (row, column))
        return cls(row, column, n_random)

    def __len__(self) -> int:
        return len(self.row)

    @property
    def of_psi(self) -> Elements:
        """Elements of Ψ = ΛΛᵀ that these make, as a lower triangle."""
        return Elements.of(self.n_random, "full") if self.n_factors else self

    @property
    def on_diagonal(self) -> NDArray[np.bool_]:
        """Which of them are on the diagonal, shape (q,)."""
        return np.asarray(self.row == self.column)

    @property
    def _diagonal_only(self) -> bool:
        return bool(self.on_diagonal.all())

    @property
    def _half(self) -> Array:
        return np.where(self.on_diagonal, 0.5, 1.0)

    def fill(self, values: Array) -> Array:
        """The matrix with these elements, shape (R, m)."""
        matrix = np.zeros((self.n_random, self.n_random + self.n_factors))
        matrix[self.row, self.column] = values
        return matrix

    def of_symmetric(self, slope: Array) -> Array:
        """Derivative by the elements of Ψ from G, shape (q,)."""
        values: Array = 2 * self._half * slope[self.row, self.column]
        return values

    def of_factor(self, slope: Array, scale: Array) -> Array:
        """Derivative by the elements of Λ from G: 2 G Λ, shape (q,)."""
        values: Array = 2 * (slope @ scale)[self.row, self.column]
        return values

    def jacobian(self, scale: Array) -> Array:
        """∂Ψ_a/∂Λ_m, shape (elements of Ψ, q)."""
        psi = self.of_psi
        row, column = psi.row[:, None], psi.column[:, None]
        m, n = self.row[None, :], self.column[None, :]
        return np.asarray((row == m) * scale[column, n] + (column == m) * scale[row, n])

    def bend(self, slope: Array) -> Array:
        """Σ_a ∂(−2 log L)/∂Ψ_a ∂²Ψ_a/∂Λ_m∂Λ_n = 2 G, where the columns of m and n are one."""
        same = self.column[:, None] == self.column
        return np.asarray(2 * same * slope[self.row[:, None], self.row])

    def traces(self, first: Array, second: Array) -> Array:
        """Σ_i tr A_i E_a B_i E_b of symmetric A_i and B_i, shape (R, R, P) each; (q, q)."""
        n_random = self.n_random
        if self._diagonal_only:
            return np.asarray(np.einsum("klp,klp->kl", first, second))
        flat = first.reshape(n_random**2, -1) @ second.reshape(n_random**2, -1).T
        w = flat.reshape((n_random,) * 4)
        i, j = self.row[:, None], self.column[:, None]
        m, n = self.row[None, :], self.column[None, :]
        found = w[n, i, j, m] + w[m, i, j, n] + w[n, j, i, m] + w[m, j, i, n]
        return np.asarray(self._half[:, None] * self._half * found)

    def between(self, left: Array, right: Array) -> Array:
        """Σ_i A_iᵀE_a B_i of A_i, shape (R, m, P), and B_i, (R, n, P); shape (q, m, n)."""
        found = np.empty((len(self), left.shape[1], right.shape[1]))
        for k, (row, column) in enumerate(zip(self.row, self.column, strict=True)):
            found[k] = left[row] @ right[column].T
            if row != column:
                found[k] += left[column] @ right[row].T
        return found


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of −2 log L at one Λ and σ².

    Attributes
    ----------
    psi : array, shape (q, q)
        By the elements of Ψ.
    mixed : array, shape (q,)
        By the elements of Ψ and log σ².
    log_variance : float
        By log σ².
    gram : array, shape (q, p, p)
        F_a = −∂(XᵀV⁻¹X)/∂Ψ_a.
    fixed : array, shape (q, p)
        s_a, so that ∂β/∂Ψ_a = −K s_a.
    """

    psi: Array
    mixed: Array
    log_variance: float
    gram: Array
    fixed: Array

    @classmethod
    def of(cls, point: Point, elements: Elements, variance: float) -> Curvature:
        """Take the derivatives."""
        elements = elements.of_psi
        q, p = len(elements), len(point.fixed)
        psi, mixed = np.zeros((q, q)), np.zeros(q)
        fixed, gram = np.zeros((q, p)), np.zeros((q, p, p))
        inverse, reml = point.inverse, point.cross.reml
        for some in point.cross.parts():
            own, coupling = point.own(some), point.couplings(some)
            scores = point.scores[:, some]
            outer = scores[:, None] * scores
            psi += elements.traces(own * (-1), own) + elements.traces(outer, own) * (2 / variance)
            mixed += elements.between(scores[:, None], scores[:, None])[:, 0, 0] / variance
            fixed += elements.between(coupling, scores[:, None])[:, :, 0]
            gram += elements.between(coupling, coupling)
            if reml:
                of_fixed = np.einsum("rkp,kl,slp->rsp", coupling, inverse, coupling, optimize=True)
                psi += 2 * elements.traces(of_fixed, own)
        psi -= (2 / variance) * fixed @ inverse @ fixed.T
        if reml:
            turned = inverse @ gram
            psi -= np.einsum("akl,blk->ab", turned, turned, optimize=True)
        return cls(psi, mixed, point.rest / variance, gram, fixed)

    def by_factor(self, point: Point, elements: Elements, variance: float) -> Array:
        """By the elements of Λ and log σ², shape (q + 1, q + 1)."""
        q, slope = len(elements), point.slope_at(variance)
        jacobian = elements.jacobian(point.scale)
        found = np.empty((q + 1, q + 1))
        found[:q, :q] = jacobian.T @ self.psi @ jacobian + elements.bend(slope)
        found[:q, q] = found[q, :q] = self.mixed @ jacobian
        found[q, q] = self.log_variance
        return found
