"""Likelihood of the linear mixed model at one Λ, from sums over people, with its derivatives.

With V_i = I + Z_i Ψ Z_iᵀ, Ψ = Λ Λᵀ = Σ/σ², M_i = Λᵀ Z_iᵀZ_i Λ + I and r = y − Xβ,

    −2 log L   = Σ_i log|M_i| + N log 2πσ² + rᵀV⁻¹r/σ²
    −2 log L_R = −2 log L + log|XᵀV⁻¹X| − p log 2πσ²                                   (REML)

and by Ψ, with Q_i = Z_iᵀV_i⁻¹Z_i, u_i = Z_iᵀV_i⁻¹r_i, C_i = Z_iᵀV_i⁻¹X_i and K = (XᵀV⁻¹X)⁻¹,

    G = Σ_i Q_i − Σ_i u_i u_iᵀ/σ²  (REML: − Σ_i C_i K C_iᵀ).

Arrays have the people last, so that what is done for each of them is one operation for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from nme_core.training.sums import Array, Sums

#: Numbers that are worked on at once: as many as the processor's cache holds.
_AT_ONCE = 2**15


@dataclass(frozen=True)
class Cross:
    """Sums, arranged for a choice of random effects.

    Attributes
    ----------
    zz : array, shape (R, R, P)
        Z_iᵀZ_i.
    zd : array, shape (R, p + 1, P)
        Z_iᵀ(X_i, y_i).
    total : array, shape (p + 1, p + 1)
        (X, y)ᵀ(X, y) of all rows, and on the diagonal the precision of the prior on β.
    n_rows : int
        N.
    prior : array, shape (p,)
        Precisions of β_k ~ N(0, σ²/prior_k); 0 for no prior.
    reml : bool
        Which likelihood.
    """

    zz: Array
    zd: Array
    total: Array
    n_rows: int
    prior: Array
    reml: bool

    @classmethod
    def of(
        cls, sums: Sums, random: list[int], *, reml: bool = False, prior: Array | None = None
    ) -> Self:
        """Take the columns `random` of X for Z."""
        xx, xy = sums.xx.numpy(), sums.xy.numpy()
        p = xy.shape[1]
        zd = np.empty((len(random), p + 1, len(xx)))
        zd[:, :p], zd[:, p] = xx[:, random].transpose(1, 2, 0), xy[:, random].T
        total = np.empty((p + 1, p + 1))
        total[:p, :p], total[p, p] = xx.sum(0), float(sums.yy)
        total[:p, p] = total[p, :p] = xy.sum(0)
        prior = np.zeros(p) if prior is None else prior
        total[range(p), range(p)] += prior
        return cls(np.ascontiguousarray(zd[:, random]), zd, total, sums.n_rows, prior, reml)

    @property
    def n_random(self) -> int:
        """R."""
        return len(self.zz)

    @property
    def degrees(self) -> int:
        """N, for REML less the number of fixed effects that the rows tell of."""
        return self.n_rows - (int((self.prior == 0).sum()) if self.reml else 0)

    def turned(self, matrix: Array) -> Cross:
        """The same for the random effects T b, with T invertible, shape (R, R)."""
        back = np.linalg.inv(matrix)
        zz = np.einsum("rk,rsp,sl->klp", back, self.zz, back, optimize=True)
        zd = np.einsum("rk,rmp->kmp", back, self.zd, optimize=True)
        return Cross(zz, zd, self.total, self.n_rows, self.prior, self.reml)

    def parts(self) -> Iterator[slice]:
        """Some people at a time."""
        n_random, n_columns, n_groups = self.zd.shape
        size = max(64, _AT_ONCE // max(1, n_random * (n_random + n_columns)))
        for start in range(0, n_groups, size):
            yield slice(start, start + size)

    def at(self, scale: Array) -> Point:
        """Compute the likelihood at Λ, shape (R, m)."""
        n_random, n_columns, n_groups = self.zd.shape
        white = np.empty((scale.shape[1], n_random + n_columns, n_groups))
        log_determinant, gram = 0.0, self.total.copy()
        for some in self.parts():
            both = np.concatenate([self.zz[:, :, some], self.zd[:, :, some]], axis=1)
            right = np.tensordot(scale.T, both, axes=1)
            inner = np.matmul(scale.T, right[:, :n_random])
            log_determinant += _forward(inner, right)
            white[:, :, some] = right
            for row in right[:, n_random:]:
                gram -= row @ row.T
        return Point(self, scale, log_determinant, gram, white)


def _forward(inner: Array, right: Array) -> float:
    """right ← L⁻¹ right with L Lᵀ = inner + I; return Σ log|inner + I|. People are last."""
    log_determinant, n_random = 0.0, len(inner)
    for k in range(n_random):
        pivot = inner[k, k] + 1.0
        log_determinant += float(np.log(pivot).sum())
        root = 1 / np.sqrt(pivot)
        right[k] *= root
        below = inner[k + 1 :, k] * root  # L
        for j in range(k + 1, n_random):
            right[j] -= below[j - k - 1] * right[k]
            inner[j, k + 1 : j + 1] -= below[j - k - 1] * below[: j - k]
    return log_determinant


@dataclass(frozen=True)
class Point:
    """The likelihood at one Λ, and what it is made of.

    Attributes
    ----------
    cross : Cross
        The data.
    scale : array, shape (R, m)
        Λ; m is R, and more where Σ is made of factors.
    log_determinant : float
        Σ_i log|M_i|.
    gram : array, shape (p + 1, p + 1)
        (X, y)ᵀV⁻¹(X, y), with the prior.
    white : array, shape (m, R + p + 1, P)
        L_i⁻¹Λᵀ Z_iᵀ(Z_i, X_i, y_i), with L_i L_iᵀ = M_i.
    """

    cross: Cross
    scale: Array
    log_determinant: float
    gram: Array
    white: Array

    @cached_property
    def precision(self) -> Array:
        """XᵀV⁻¹X, shape (p, p)."""
        return self.gram[:-1, :-1]

    @cached_property
    def inverse(self) -> Array:
        """K, shape (p, p)."""
        found = np.linalg.inv(self.precision)
        return np.asarray((found + found.T) / 2, dtype=np.float64)

    @cached_property
    def fixed(self) -> Array:
        """β, shape (p,)."""
        found = np.linalg.solve(self.precision, self.gram[:-1, -1])
        return np.asarray(found, dtype=np.float64)

    @cached_property
    def rest(self) -> float:
        """rᵀV⁻¹r at β."""
        return float(self.gram[-1, -1] - self.fixed @ self.gram[:-1, -1])

    @property
    def variance(self) -> float:
        """σ², at which the likelihood is highest for this Λ."""
        return self.rest / self.cross.degrees

    @property
    def _of_fixed(self) -> float:
        """log|XᵀV⁻¹X| of the fixed effects that have no prior; 0 without REML."""
        if not self.cross.reml:
            return 0.0
        held = self.cross.prior[self.cross.prior > 0]
        return float(np.linalg.slogdet(self.precision)[1] - np.log(held).sum())

    @property
    def deviance(self) -> float:
        """−2 log L at the best σ²; inf where the rows leave no variance."""
        return self.deviance_at(self.variance)

    def deviance_at(self, variance: float) -> float:
        """−2 log L at this σ²."""
        if variance <= 0 or not math.isfinite(variance):
            return math.inf
        scale = self.cross.degrees * math.log(2 * math.pi * variance)
        return self.log_determinant + self._of_fixed + scale + self.rest / variance

    @cached_property
    def scores(self) -> Array:
        """u_i, shape (R, P)."""
        n_random = self.cross.n_random
        of = np.append(-self.fixed, 1.0)
        own = np.einsum("k,rkp->rp", of, self.white[:, n_random:])
        found = np.einsum("k,rkp->rp", of, self.cross.zd)
        for row, by in zip(self.white[:, :n_random], own, strict=True):
            found -= row * by
        return np.asarray(found)

    @property
    def effects(self) -> Array:
        """b̂_i of all people, shape (P, R)."""
        return np.ascontiguousarray((self.scale @ self.scale.T @ self.scores).T)

    @property
    def conditional(self) -> Array:
        """Covariances of the b_i given β, shape (P, R, R)."""
        n_random, n_groups = self.cross.n_random, self.cross.zd.shape[2]
        spread = np.empty((n_groups, n_random, n_random))
        for some in self.cross.parts():
            inner = self.scale.T @ self.cross.zz[:, :, some].transpose(2, 0, 1) @ self.scale
            spread[some] = self.scale @ np.linalg.solve(inner + np.eye(len(inner[0])), self.scale.T)
        return self.variance * spread

    @property
    def following(self) -> Array:
        """J_i = ∂b̂_i/∂β of all people, shape (P, R, p)."""
        relative = self.scale @ self.scale.T
        parts = [relative @ self.couplings(some).transpose(2, 0, 1) for some in self.cross.parts()]
        return -np.concatenate(parts)

    def couplings(self, some: slice) -> Array:
        """C_i of some people, shape (R, p, some)."""
        n_random, white = self.cross.n_random, self.white[:, :, some]
        found = self.cross.zd[:, :-1, some].copy()
        for row in white:
            found -= row[:n_random, None] * row[n_random:-1]
        return found

    def own(self, some: slice) -> Array:
        """Q_i of some people, shape (R, R, some)."""
        n_random, white = self.cross.n_random, self.white[:, :, some]
        found = self.cross.zz[:, :, some].copy()
        for row in white:
            found -= row[:n_random, None] * row[:n_random]
        return found

    def slope_at(self, variance: float) -> Array:
        """G, the derivative of −2 log L by Ψ at this σ², shape (R, R)."""
        n_random = self.cross.n_random
        found = self.cross.zz.sum(2) - self.scores @ self.scores.T / variance
        for row in self.white[:, :n_random]:
            found -= row @ row.T
        if self.cross.reml:
            root = np.linalg.cholesky(self.inverse)
            for some in self.cross.parts():
                turned = np.matmul(root.T, self.couplings(some))
                found -= np.einsum("rkp,skp->rs", turned, turned, optimize=True)
        return np.asarray(found)

    @cached_property
    def slope(self) -> Array:
        """G at the best σ²."""
        return self.slope_at(self.variance)
