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

from nme_core.nn.chain_kernel import _SUMS, _powers, _recursions, _scores

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
    chance = np.zeros((length, n_states, n_states))
    parts = np.zeros((length, n_states, n_states, q))  # rootᵀ of a move and its emission, centred
    before, after = np.zeros((n_states, q)), np.zeros((n_states, q))
    both = np.zeros((length, n_states, q))  # rootᵀ of what is expected up to each step
    square = np.zeros((length, n_states))  # what is expected of its square
    emitted = np.empty((n_outputs, q))
    mean = np.empty(q)
    total = 0.0
    emits = bool(np.any(root[:start] != 0.0))  # people may differ in moves alone
    for t in range(length):
        for m in range(n_outputs if emits else 0):
            emitted[m] = root[m * width + width - 1]
            for d in range(width - 1):
                here = x[first + t, d]
                for r in range(q):
                    emitted[m, r] += here * root[m * width + d, r]
        for j in range(n_states):
            for k in range(n_states):
                if t > 0:
                    chance[t, j, k] = alpha[t - 1, j] * moves[j, k] * message[t, k]
                elif j == max(initial, 0):  # an unknown state before counts as the first
                    chance[t, j, k] = unary[0, k]
        mean[:] = 0.0
        for j in range(n_states):
            for k in range(n_states):
                part = parts[t, j, k]
                if t > 0 or initial >= 0:
                    part += root[start + j * n_states + k]
                for m in range(n_outputs if emits else 0):
                    for r in range(q):
                        part[r] += basis[k, m] * emitted[m, r]
                for r in range(q):
                    mean[r] += chance[t, j, k] * part[r]
        for j in range(n_states):
            for k in range(n_states):
                part = parts[t, j, k]
                part -= mean
                p = chance[t, j, k]
                if p == 0.0:
                    continue
                share = p / unary[t, k]
                value = 0.0
                if t > 0:
                    value = square[t - 1, j]
                    for r in range(q):
                        value += (2 * both[t - 1, j, r] + part[r]) * part[r]
                        both[t, k, r] += share * (both[t - 1, j, r] + part[r])
                else:
                    for r in range(q):
                        value += part[r] * part[r]
                        both[t, k, r] += share * part[r]
                square[t, k] += share * value
    for k in range(n_states):
        total += unary[length - 1, k] * square[length - 1, k]
    later, value_later = np.zeros((n_states, q)), np.zeros(n_states)
    for t in range(length - 1, -1, -1):
        before[:, :] = 0.0
        value_before = np.zeros(n_states)
        weight = np.zeros(n_states)
        for j in range(n_states):
            for k in range(n_states):
                p = chance[t, j, k]
                if p == 0.0:
                    continue
                part = parts[t, j, k]
                ahead = value_later[k]
                given = 0.0
                for r in range(q):
                    ahead += (2 * later[k, r] + part[r]) * part[r]
                if t > 0:
                    given = square[t - 1, j]
                    for r in range(q):
                        given += 2 * both[t - 1, j, r] * (part[r] + later[k, r])
                excess = sign * p * (ahead + given - total)
                weight[k] += excess
                if t > 0 or initial >= 0:
                    result[start + j * n_states + k] += excess
                if t > 0:
                    share = p / unary[t - 1, j]
                    value_before[j] += share * ahead
                    for r in range(q):
                        before[j, r] += share * (part[r] + later[k, r])
        for m in range(n_outputs):
            slope = 0.0
            for k in range(n_states):
                slope += weight[k] * basis[k, m]
            for d in range(width - 1):
                result[m * width + d] += slope * x[first + t, d]
            result[m * width + width - 1] += slope
        after[:, :] = before
        later[:, :] = after
        value_later[:] = value_before


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
    root = np.zeros((len(theta), len(places)))
    for i in range(first_person, last_person):
        psi = theta.copy()
        row = i - offset
        for r in range(len(places)):
            psi[places[r]] += eta[i, r]
            root[places[r]] = roots[row, r]
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
