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
