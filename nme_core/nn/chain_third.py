"""How the curvature of a linear chain moves with its parameters, contracted with a covariance.

With S(y) as in `chain_kernel`, c = S − E[S] and Q(y) = cᵀ C c for a fixed covariance C,

    ∂ tr(C cov[S]) / ∂ψ = cov[Q, S],

a third cumulant. S is a sum over emissions and moves, so that only E[Q | y_{t−1}, y_t] − E[Q] is
needed: Q is taken apart into what comes before and what comes after, which are independent given
the state between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nme_core.nn.chain_kernel import _SUMS, LANES, _powers, _recursions, _scores

_Array = NDArray[np.float64]
_Ints = NDArray[np.int64]


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _cumulant(
    x: Any,
    first: int,
    length: int,
    initial: int,
    basis: _Array,
    moves: _Array,
    alpha: _Array,
    message: _Array,
    unary: _Array,
    root: _Array,
    sign: float,
    result: _Array,
) -> None:
    """Add sign · cov[Q, S] of one sequence; C = root rootᵀ, root of shape (R, q)."""
    n_states, n_outputs = basis.shape
    width = x.shape[1] + 1
    start = n_outputs * width
    q = root.shape[1]
    chances = np.zeros((length, n_states * n_states))
    own = np.zeros((length, n_states, q))  # rootᵀ of an emission, less that of a whole step
    past = np.zeros((length + 1, n_states, q))  # rootᵀ of what is expected before each step
    square = np.zeros((length + 1, n_states))  # what is expected of its square
    if np.any(root[:start] != 0.0):  # people may differ in moves alone
        step = np.ones((length, width))
        for t in range(length):
            for d in range(width - 1):
                step[t, d] = x[first + t, d]
        for m in range(n_outputs):
            emitted = np.dot(step, root[m * width : (m + 1) * width])
            for t in range(length):
                for k in range(n_states):
                    for r in range(q):
                        own[t, k, r] += basis[k, m] * emitted[t, r]
    for j in range(n_states):
        for k in range(n_states):
            if j == max(initial, 0):  # an unknown state before counts as the first
                chances[0, j * n_states + k] = unary[0, k]
            for t in range(1, length):
                chances[t, j * n_states + k] = alpha[t - 1, j] * moves[j, k] * message[t, k]
    mean = np.dot(chances, root[start:])
    if initial < 0:
        mean[0] = 0.0
    for t in range(length):
        moved = 1.0 if t > 0 or initial >= 0 else 0.0
        for k in range(n_states):
            for r in range(q):
                mean[t, r] += unary[t, k] * own[t, k, r]
        for k in range(n_states):
            for r in range(q):
                own[t, k, r] -= mean[t, r]
            for j in range(n_states):
                p = chances[t, j * n_states + k]
                if p == 0.0:
                    continue
                share, value = p / unary[t, k], square[t, j]
                for r in range(q):
                    before = past[t, j, r]
                    here = before + moved * root[start + j * n_states + k, r] + own[t, k, r]
                    value += here * here - before * before
                    past[t + 1, k, r] += share * here
                square[t + 1, k] += share * value
    total = 0.0
    for k in range(n_states):
        total += unary[length - 1, k] * square[length, k]
    later, value_later = np.zeros((n_states, q)), np.zeros(n_states)
    ahead, value_ahead = np.zeros((n_states, q)), np.zeros(n_states)
    weight = np.zeros(n_states)
    for t in range(length - 1, -1, -1):
        moved = 1.0 if t > 0 or initial >= 0 else 0.0
        ahead[:, :] = later
        value_ahead[:] = value_later
        later[:, :] = 0.0
        value_later[:] = 0.0
        weight[:] = 0.0
        for j in range(n_states):
            for k in range(n_states):
                p = chances[t, j * n_states + k]
                if p == 0.0:
                    continue
                share = p / unary[t - 1, j] if t > 0 else 0.0
                value, given = value_ahead[k], square[t, j]
                for r in range(q):
                    after = ahead[k, r]
                    here = after + moved * root[start + j * n_states + k, r] + own[t, k, r]
                    value += here * here - after * after
                    given += 2 * past[t, j, r] * here
                    later[j, r] += share * here
                value_later[j] += share * value
                excess = sign * p * (value + given - total)
                weight[k] += excess
                result[start + j * n_states + k] += moved * excess
        for m in range(n_outputs):
            slope = 0.0
            for k in range(n_states):
                slope += weight[k] * basis[k, m]
            for d in range(width - 1):
                result[m * width + d] += slope * x[first + t, d]
            result[m * width + width - 1] += slope


@njit(cache=True, nogil=True)
def curvature_slopes(
    chains: Any,
    theta: _Array,
    eta: _Array,
    places: _Ints,
    basis: _Array,
    roots: _Array,
    offset: int,
    result: _Array,
    first_person: int,
    last_person: int,
) -> None:
    """∂ tr(C_i H_i)/∂ψ of people of these numbers, for H_i by ψ[places], at fixed C_i.

    Parameters
    ----------
    chains, theta, eta, places, basis, offset
        As in `chain_kernel.derivatives`.
    roots : array, shape (n, q, q)
        A root of each C_i.
    result : array, shape (n, R)
        Filled from zeros.
    """
    x, y, edges, initials, owners = chains
    n_states = basis.shape[0]
    longest = 0
    for u in range(owners[first_person], owners[last_person]):
        longest = max(longest, edges[u + 1] - edges[u])
    scores = np.empty((longest, n_states))
    alpha = np.empty((longest, n_states))
    message = np.empty((longest, n_states))
    unary = np.empty((longest, n_states))
    moves = np.empty((n_states + 1, n_states))
    start = len(theta) - n_states * n_states
    root = np.zeros((len(theta), -(-len(places) // LANES) * LANES))
    for i in range(first_person, last_person):
        psi = theta.copy()
        row = i - offset
        for r in range(len(places)):
            psi[places[r]] += eta[i, r]
            root[places[r], : len(places)] = roots[row, r]
        _powers(psi, start, moves)
        for u in range(owners[i], owners[i + 1]):
            begin, end, initial = edges[u], edges[u + 1], initials[u]
            length = end - begin
            labels = y[begin:end]
            missing = False
            for t in range(length):
                missing = missing or labels[t] < 0
            _scores(x, psi, basis, begin, end, scores)
            where = (x, begin, length, initial, basis, moves, alpha, message, unary)
            _recursions(scores, moves, labels, False, length, initial, alpha, message, unary)
            _cumulant(*where, root, 1.0, result[row])
            if missing:
                _recursions(scores, moves, labels, True, length, initial, alpha, message, unary)
                _cumulant(*where, root, -1.0, result[row])
