"""Compiled derivatives of a linear chain whose scores are linear in their parameters.

A person's scores are s_t = B W x̃_t, with x̃_t = (x_t, 1), W of shape (M, D) and B of shape (K, M),
and the transition scores A, (K, K). ψ = (W, A), row by row, has R = M D + K² numbers. What the
labels are scored by is linear in ψ: score(y) = S(y)ᵀψ with the statistic

    S(y) = ( Σ_t B[y_t]ᵀ x̃_tᵀ,  number of moves j → k ),

so that log p(y | x) has the gradient S(y) − E[S], minus the curvature H = cov[S] and third
derivatives that are third cumulants of S, all under p(y | x). Labels that are missing are summed
out: what they would say is an expectation, and a covariance to take off (Louis 1982).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

_Array = NDArray[np.float64]
_Ints = NDArray[np.int64]

#: Sums may be taken in another order, so that the processor can add several numbers at once,
_SUMS = {"reassoc", "contract"}
#: and rows are filled up with zeros to a multiple of as many.
LANES = 8
#: Steps whose products are taken at once.
_STEPS = 64


class Chains(NamedTuple):
    """Sequences of P people, one after the other; a person's U_i sequences stand together.

    Attributes
    ----------
    x : array, shape (N, F)
        Inputs of all steps.
    y : array of int, shape (N,)
        States; −1 where missing.
    edges : array of int, shape (U + 1,)
        First step of each sequence, and N.
    initial : array of int, shape (U,)
        State before the first step, −1 where it is not known.
    owners : array of int, shape (P + 1,)
        First sequence of each person, and U.
    """

    x: NDArray[np.float32]
    y: _Ints
    edges: _Ints
    initial: _Ints
    owners: _Ints


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _scores(x: Any, psi: _Array, basis: _Array, first: int, last: int, out: _Array) -> None:
    """Emission scores of steps `first` to `last`, into out[:last − first], shape (T, K)."""
    n_states, n_outputs = basis.shape
    width = x.shape[1] + 1
    weight = np.zeros((n_states, width))
    for k in range(n_states):
        for m in range(n_outputs):
            for d in range(width):
                weight[k, d] += basis[k, m] * psi[m * width + d]
    for t in range(first, last):
        for k in range(n_states):
            total = weight[k, width - 1]
            for d in range(width - 1):
                total += weight[k, d] * x[t, d]
            out[t - first, k] = total


@njit(cache=True, nogil=True)
def _recursions(
    scores: _Array,
    moves: _Array,
    y: _Ints,
    clamped: bool,
    length: int,
    initial: int,
    alpha: _Array,
    message: _Array,
    unary: _Array,
) -> float:
    """Scaled forward and backward recursions of one sequence; return log Z.

    With them p(y_{t−1} = j, y_t = k) = alpha[t−1, j] exp(A[j, k] − max A) message[t, k]. `clamped`
    keeps to the labels that there are. `moves` holds exp(A − max A), and max A behind it.
    """
    n_states = scores.shape[1]
    top = moves[n_states, 0]
    total = top * (length - 1)
    for t in range(length):
        offset = -np.inf
        for k in range(n_states):
            if not (clamped and y[t] >= 0 and y[t] != k):
                offset = max(offset, scores[t, k])
        total += offset
        scale = 0.0
        for k in range(n_states):
            if clamped and y[t] >= 0 and y[t] != k:
                message[t, k] = 0.0
                alpha[t, k] = 0.0
                continue
            message[t, k] = np.exp(scores[t, k] - offset)
            reached = 1.0
            if t > 0:
                reached = 0.0
                for j in range(n_states):
                    reached += alpha[t - 1, j] * moves[j, k]
            elif initial >= 0:
                reached = moves[initial, k]
            alpha[t, k] = reached * message[t, k]
            scale += alpha[t, k]
        if not scale > 0.0:
            return np.nan
        for k in range(n_states):
            alpha[t, k] /= scale
            message[t, k] /= scale
        total += np.log(scale)
    if initial >= 0:
        total += top
    beta = np.ones(n_states)
    for t in range(length - 1, -1, -1):
        for k in range(n_states):
            unary[t, k] = alpha[t, k] * beta[k]
            message[t, k] *= beta[k]
        for j in range(n_states):
            beta[j] = 0.0
            for k in range(n_states):
                beta[j] += moves[j, k] * message[t, k]
    result: float = total
    return result


@njit(cache=True, nogil=True)
def _expected(
    x: Any,
    first: int,
    length: int,
    initial: int,
    basis: _Array,
    moves: _Array,
    alpha: _Array,
    message: _Array,
    unary: _Array,
    sign: float,
    gradient: _Array,
) -> None:
    """Add sign · E[S] of one sequence to the gradient."""
    n_states, n_outputs = basis.shape
    width = x.shape[1] + 1
    start = n_outputs * width
    for t in range(length):
        for m in range(n_outputs):
            mean = 0.0
            for k in range(n_states):
                mean += unary[t, k] * basis[k, m]
            mean *= sign
            for d in range(width - 1):
                gradient[m * width + d] += mean * x[first + t, d]
            gradient[m * width + width - 1] += mean
        if t > 0:
            for j in range(n_states):
                for k in range(n_states):
                    chance = alpha[t - 1, j] * moves[j, k] * message[t, k]
                    gradient[start + j * n_states + k] += sign * chance
        elif initial >= 0:
            for k in range(n_states):
                gradient[start + initial * n_states + k] += sign * unary[0, k]


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _add_weighted(weights: _Array, vectors: _Array, at: int, total: _Array) -> None:
    """Add Σ_j weights[j] · vectors[j, at] to `total`: four at a time, which it takes in and out."""
    n, width = len(weights), len(total)
    for j in range(0, n - 3, 4):
        a, b, c, d = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        for r in range(width):
            total[r] += (
                a * vectors[j, at, r]
                + b * vectors[j + 1, at, r]
                + c * vectors[j + 2, at, r]
                + d * vectors[j + 3, at, r]
            )
    for j in range(n - n % 4, n):
        for r in range(width):
            total[r] += weights[j] * vectors[j, at, r]


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _covariance(
    x: Any,
    first: int,
    length: int,
    initial: int,
    basis: _Array,
    moves: _Array,
    alpha: _Array,
    message: _Array,
    unary: _Array,
    sign: float,
    half: _Array,
) -> None:
    """Add sign · cov[S] of one sequence to half + halfᵀ.

    Each part of S, a move and then an emission, meets what is expected of those before it given the
    state it starts from: cov[S] = Σ_t cov[part_t] + 2 sym cov[part_t, E(parts before | y)]. What
    several steps add to `half` is one product of matrices each.
    """
    n_states, n_outputs = basis.shape
    width = x.shape[1] + 1
    start = n_outputs * width
    n_all = half.shape[1]
    n_moves = n_states * n_states
    n_steps = min(length, _STEPS)
    behind = np.zeros((n_states, n_steps + 1, n_all))  # of all up to a step, given the state at it
    beside = np.empty((n_outputs, n_steps, n_all))
    step = np.ones((n_steps, width))
    chance = np.zeros((n_states, n_steps, n_states))
    chances = np.zeros((n_steps, n_moves))
    share = np.zeros((n_states, n_states))
    weight = np.empty(n_states)
    centred = np.empty((n_states, n_outputs))
    for begin in range(0, length, n_steps):
        size = min(n_steps, length - begin)
        if begin > 0:
            behind[:, 0] = behind[:, n_steps]
        for s in range(size):
            t = begin + s
            for d in range(width - 1):
                step[s, d] = x[first + t, d]
            for j in range(n_states):
                for k in range(n_states):
                    p = 0.0
                    if t > 0:
                        p = alpha[t - 1, j] * moves[j, k] * message[t, k]
                    elif j == initial:
                        p = unary[0, k]
                    chances[s, j * n_states + k] = p
                    chance[j, s, k] = sign * p
                    share[k, j] = p / unary[t, k] if p > 0.0 else 0.0
            for m in range(n_outputs):
                mean = 0.0
                for k in range(n_states):
                    mean += unary[t, k] * basis[k, m]
                for k in range(n_states):
                    centred[k, m] = basis[k, m] - mean
            for k in range(n_states):
                past = behind[k, s + 1]  # of all before the step
                past[:] = 0.0
                _add_weighted(share[k], behind, s, past)
                for j in range(n_states):
                    past[start + j * n_states + k] += share[k, j]
                for a in range(n_moves):
                    past[start + a] -= chances[s, a]
            for m in range(n_outputs):
                for k in range(n_states):
                    weight[k] = sign * unary[t, k] * centred[k, m]
                beside[m, s] = 0.0
                _add_weighted(weight, behind, s + 1, beside[m, s])
                for n in range(n_outputs):
                    own = 0.0
                    for k in range(n_states):
                        own += 0.5 * weight[k] * centred[k, n]
                    for d in range(width):
                        beside[m, s, n * width + d] += own * step[s, d]
            for k in range(n_states):
                for m in range(n_outputs):
                    for d in range(width):
                        behind[k, s + 1, m * width + d] += centred[k, m] * step[s, d]
        for m in range(n_outputs):
            half[m * width : (m + 1) * width] += np.dot(step[:size].T, beside[m, :size])
        for j in range(n_states):
            rows = half[start + j * n_states : start + (j + 1) * n_states]
            rows += np.dot(chance[j, :size].T, behind[j, :size])
        among = np.dot(chances[:size].T, chances[:size])
        for a in range(n_moves):
            for b in range(n_moves):
                half[start + a, start + b] -= 0.5 * sign * among[a, b]
            for s in range(size):
                half[start + a, start + a] += 0.5 * sign * chances[s, a]


@njit(cache=True, nogil=True)
def _observed(
    x: Any, y: _Ints, first: int, length: int, initial: int, basis: _Array, gradient: _Array
) -> None:
    """Add S(y) of one sequence without missing labels to the gradient."""
    n_states, n_outputs = basis.shape
    width = x.shape[1] + 1
    start = n_outputs * width
    for t in range(length):
        k = y[first + t]
        for m in range(n_outputs):
            for d in range(width - 1):
                gradient[m * width + d] += basis[k, m] * x[first + t, d]
            gradient[m * width + width - 1] += basis[k, m]
        before = y[first + t - 1] if t > 0 else initial
        if before >= 0:
            gradient[start + before * n_states + k] += 1.0


@njit(cache=True, nogil=True)
def derivatives(
    chains: Any,
    theta: _Array,
    eta: _Array,
    places: _Ints,
    basis: _Array,
    order: int,
    offset: int,
    log_likelihood: _Array,
    gradient: _Array,
    curvature: _Array,
    first_person: int,
    last_person: int,
) -> None:
    """log p, from order 1 its gradient and from order 2 minus its curvature, of these people.

    Parameters
    ----------
    chains : Chains
        Their data.
    theta : array, shape (R,)
        Part of ψ that all share.
    eta : array, shape (P, q)
        What is added to ψ[places] for each person.
    basis : array, shape (K, M)
        B.
    offset : int
        The person whose results go first.
    log_likelihood, gradient, curvature : arrays, shapes (n,), (n, R) and (n, R, R or more)
        Filled from zeros; the curvature as half + halfᵀ.
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
    for i in range(first_person, last_person):
        psi = theta.copy()
        for r in range(len(places)):
            psi[places[r]] += eta[i, r]
        _powers(psi, start, moves)
        row = i - offset
        for u in range(owners[i], owners[i + 1]):
            begin, end, initial = edges[u], edges[u + 1], initials[u]
            length = end - begin
            labels = y[begin:end]
            missing = False
            for t in range(length):
                missing = missing or labels[t] < 0
            _scores(x, psi, basis, begin, end, scores)
            log_z = _recursions(
                scores, moves, labels, False, length, initial, alpha, message, unary
            )
            log_likelihood[row] -= log_z
            where = (x, begin, length, initial, basis, moves, alpha, message, unary)
            if order > 0:
                _expected(*where, -1.0, gradient[row])
            if order > 1:
                _covariance(*where, 1.0, curvature[row])
            if missing:
                log_z = _recursions(
                    scores, moves, labels, True, length, initial, alpha, message, unary
                )
                log_likelihood[row] += log_z
                if order > 0:
                    _expected(*where, 1.0, gradient[row])
                if order > 1:
                    _covariance(*where, -1.0, curvature[row])
            else:
                for t in range(length):
                    log_likelihood[row] += scores[t, labels[t]]
                    before = labels[t - 1] if t > 0 else initial
                    if before >= 0:
                        log_likelihood[row] += psi[start + before * n_states + labels[t]]
                if order > 0:
                    _observed(x, y, begin, length, initial, basis, gradient[row])


@njit(cache=True, nogil=True)
def _powers(psi: _Array, start: int, moves: _Array) -> None:
    """exp(A − max A), and max A in the row behind."""
    n_states = moves.shape[1]
    top = psi[start:].max()
    for j in range(n_states):
        for k in range(n_states):
            moves[j, k] = np.exp(psi[start + j * n_states + k] - top)
    moves[n_states, 0] = top
