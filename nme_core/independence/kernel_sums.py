"""Compiled sum of one kernel with another one permuted; cached on disk after its first use."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def permuted_sums(
    fixed: NDArray[np.float64], moving: NDArray[np.float64], drawn: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Σ_ij fixed[i, j] · moving[p_i, p_j] for each permutation p; shape (reps,).

    Both kernels are symmetric with zeros on the diagonal, shape (n, n), so that half of them is
    enough. `drawn` has shape (reps, n).
    """
    reps, n = drawn.shape
    sums = np.empty(reps)
    for r in range(reps):
        order = drawn[r]
        total = 0.0
        for i in range(1, n):
            row = moving[order[i]]
            # four sums side by side: one alone would wait for itself
            a = 0.0
            b = 0.0
            c = 0.0
            d = 0.0
            j = 0
            while j + 3 < i:
                a += fixed[i, j] * row[order[j]]
                b += fixed[i, j + 1] * row[order[j + 1]]
                c += fixed[i, j + 2] * row[order[j + 2]]
                d += fixed[i, j + 3] * row[order[j + 3]]
                j += 4
            while j < i:
                a += fixed[i, j] * row[order[j]]
                j += 1
            total += (a + b) + (c + d)
        sums[r] = 2.0 * total
    return sums


@njit(cache=True, nogil=True)
def residual_sums(
    residuals: NDArray[np.float64],
    basis: NDArray[np.float64],
    other: NDArray[np.float64],
    drawn: NDArray[np.intp],
    by_column: bool,
) -> NDArray[np.float64]:
    """Normalised products of `other` with kernels of residuals that are permuted and taken again.

    For each permutation p the rows E[p] lose what the orthonormal columns Q of `basis` explain of
    them, E* = (I − QQᵀ) E[p], and are brought back to the spread of E, column by column or as a
    whole; with K_ij = exp(−|e*_i − e*_j|²/2), zeros on its diagonal, the result is

        Σ_ij K_ij other_ij / sqrt(Σ_ij A_ij²),

    A the U-centred K. Shapes: residuals (n, d), basis (n, q), other (n, n) with rows that sum to 0,
    drawn (reps, n); the result has the shape (reps,).
    """
    reps, n = drawn.shape
    d, q = residuals.shape[1], basis.shape[1]
    spread = np.zeros(d)
    for i in range(n):
        for k in range(d):
            spread[k] += residuals[i, k] ** 2
    sums = np.empty(reps)
    moved = np.empty((n, d))
    for r in range(reps):
        explained = np.zeros((q, d))
        for i in range(n):
            for k in range(d):
                moved[i, k] = residuals[drawn[r, i], k]
                for a in range(q):
                    explained[a, k] += basis[i, a] * moved[i, k]
        now = np.zeros(d)
        for i in range(n):
            for k in range(d):
                for a in range(q):
                    moved[i, k] -= basis[i, a] * explained[a, k]
                now[k] += moved[i, k] ** 2
        whole = np.sqrt(spread.sum() / max(now.sum(), 1e-300))
        for k in range(d):
            scale = whole
            if by_column:
                scale = np.sqrt(spread[k] / now[k]) if now[k] > 0.0 else 0.0
            for i in range(n):
                moved[i, k] *= scale
        rows = np.zeros(n)
        product = 0.0
        square = 0.0
        for i in range(1, n):
            for j in range(i):
                distance = 0.0
                for k in range(d):
                    gap = moved[i, k] - moved[j, k]
                    distance += gap * gap
                value = np.exp(-0.5 * distance)
                product += value * other[i, j]
                square += value * value
                rows[i] += value
                rows[j] += value
        total = rows.sum()
        centred = 2 * square - 2 * (rows * rows).sum() / (n - 2) + total**2 / ((n - 1) * (n - 2))
        sums[r] = 2 * product / np.sqrt(centred) if centred > 0.0 else 0.0
    return sums
