"""The stationary chain of a CRF: where a person goes next from here, at given emission scores.

A CRF is normalised over whole paths, so that the softmax of a row of its scores is no probability
of a move: it leaves out what follows. Of a long path with the same emission scores s at every step
the moves are those of a Markov chain (Parry 1964): with M = exp(A + 1 sᵀ), λ its largest eigenvalue
and r its right eigenvector,

    p(k | j) = M_jk r_k / (λ r_j),

which constants added to A, to its rows with the opposite in s, or to its columns do not change.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def stationary_chain(scores: Floats, emission: Floats) -> Floats:
    """p(k | j) of each person, shape (P, K, K), from A (P, K, K) and s (P, K)."""
    logits = scores + emission[..., None, :]
    matrix = np.exp(logits - logits.max(axis=(-2, -1), keepdims=True))
    values, vectors = np.linalg.eig(matrix)
    first = values.real.argmax(axis=-1)[..., None, None]
    right = np.abs(np.take_along_axis(vectors, first, axis=-1)[..., 0])
    moves = matrix * np.maximum(right, 1e-300)[..., None, :]
    chain: Floats = moves / moves.sum(axis=-1, keepdims=True)
    return chain


def log_slope(chain: Floats) -> Floats:
    """Derivative of log p(k | j) by A, row by row, and s; (P, K, K) → (P, K², K² + K)."""
    n_people, k = chain.shape[:2]
    moves = np.concatenate([np.eye(k**2), np.tile(np.eye(k), (k, 1))], axis=1)  # of A_jk + s_k
    eye, ones = np.eye(k), np.ones((n_people, k, 1))
    start = np.linalg.solve(
        np.swapaxes(eye - chain, 1, 2) + np.ones((k, k)), ones
    )  # the stationary distribution, (P, K, 1)
    mean = np.einsum("pjk,jkn->pjn", chain, moves.reshape(k, k, -1))
    growth = np.swapaxes(start, 1, 2) @ mean  # of log λ, (P, 1, n)
    right = np.linalg.solve(eye - chain + ones @ np.swapaxes(start, 1, 2), mean - growth)
    slope = moves.reshape(k, k, -1) + right[:, None] - right[:, :, None] - growth[:, None]
    result: Floats = slope.reshape(n_people, k**2, -1)
    return result
