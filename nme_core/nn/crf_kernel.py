"""Compiled recursions of a linear chain for the CPU; cached on disk after their first use.

Each takes a stack of S sequences, K states, and writes the results of sequences `first` to `last`
into arrays that it is given: several threads share the work, and the numbers do not depend on how
many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

_Array = NDArray[np.float64]
_Ints = NDArray[np.int64]

#: Work (steps × states²) from which on a second thread pays.
_WORTH_A_THREAD = 200_000
#: Least weight of a state or a move beside that of the likeliest, where every path is to have one.
_LEAST = 1e-130


def forward_backward(
    emissions: _Array, transitions: _Array, lengths: _Ints
) -> tuple[_Array, _Array, _Array]:
    """Log Z (S,), unary (S, T, K) and summed pairwise marginals (S, K, K) of S sequences."""
    n_sequences, _, n_states = emissions.shape
    result = (
        np.empty(n_sequences),
        np.zeros(emissions.shape),
        np.zeros((n_sequences, n_states, n_states)),
    )
    share(_forward_backward, (emissions, transitions, lengths, *result), lengths, n_states)
    return result


def viterbi(emissions: _Array, transitions: _Array, lengths: _Ints) -> _Ints:
    """Most probable path of each sequence, (S, T), −1 on padding."""
    path = np.full(emissions.shape[:2], -1, dtype=np.int64)
    arrays = (emissions, transitions, lengths, path)
    share(_viterbi, arrays, lengths, emissions.shape[2])
    return path


def sample(emissions: _Array, transitions: _Array, lengths: _Ints, uniforms: _Array) -> _Ints:
    """One path drawn from each sequence, (S, T), −1 on padding; uniforms (S, T) in [0, 1)."""
    path = np.full(emissions.shape[:2], -1, dtype=np.int64)
    arrays = (emissions, transitions, lengths, uniforms, path)
    share(_sample, arrays, lengths, emissions.shape[2])
    return path


def add_ahead(
    emissions: _Array,
    transitions: _Array,
    lengths: _Ints,
    labels: _Ints,
    steps: _Ints,
    total: _Array,
) -> None:
    """Add p(state at t | label `steps` before it, inputs since) to `total`, shape (S, H, T, K).

    Parameters
    ----------
    labels : array of int, shape (S, T)
        States; −1 where missing, from which nothing follows.
    steps : array of int, shape (H,)
        Rising.
    """
    arrays = (emissions, transitions, lengths, labels, steps, total)
    share(_add_ahead, arrays, lengths * int(steps[-1]), emissions.shape[2])


def share(
    kernel: Callable[..., None], arrays: tuple[Any, ...], lengths: _Ints, n_states: int
) -> None:
    """Run a kernel over all sequences, in as many threads as pay and as torch may use."""
    work = np.cumsum(lengths) * n_states**2
    n_threads = int(min(torch.get_num_threads(), 1 + work[-1] // _WORTH_A_THREAD, len(lengths)))
    if n_threads == 1:
        kernel(*arrays, 0, len(lengths))
        return
    edges = np.searchsorted(work, np.linspace(0, work[-1], n_threads + 1)[1:-1]).tolist()
    edges = [0, *edges, len(lengths)]
    with ThreadPoolExecutor(n_threads) as pool:
        parts = [pool.submit(kernel, *arrays, first, last) for first, last in pairwise(edges)]
        for part in parts:
            part.result()


@njit(cache=True, nogil=True)
def _forward_backward(
    emissions: _Array,
    transitions: _Array,
    lengths: _Ints,
    log_z: _Array,
    unary: _Array,
    pairwise: _Array,
    first: int,
    last: int,
) -> None:
    """The recursion of `nme_core.nn.crf.forward_backward`, scaled at each step."""
    n_steps, n_states = emissions.shape[1:]
    e = np.empty((n_steps, n_states))
    alpha = np.empty((n_steps, n_states))
    scale = np.empty(n_steps)
    beta = np.empty(n_states)
    message = np.empty(n_states)
    for s in range(first, last):
        length = lengths[s]
        top = transitions[s].max()
        a = np.exp(transitions[s] - top)
        total = top * (length - 1)
        for t in range(length):
            offset = emissions[s, t].max()
            total += offset
            scale[t] = 0.0
            for k in range(n_states):
                e[t, k] = np.exp(emissions[s, t, k] - offset)
                reached = 1.0
                if t > 0:
                    reached = 0.0
                    for j in range(n_states):
                        reached += alpha[t - 1, j] * a[j, k]
                alpha[t, k] = reached * e[t, k]
                scale[t] += alpha[t, k]
            if not scale[t] > 0.0:  # scores so far apart that no path is left in float64
                total = np.nan
                scale[t] = 1.0
            for k in range(n_states):
                alpha[t, k] /= scale[t]
            total += np.log(scale[t])
        log_z[s] = total

        beta[:] = 1.0
        for t in range(length - 1, -1, -1):
            for k in range(n_states):
                unary[s, t, k] = alpha[t, k] * beta[k]
                message[k] = e[t, k] * beta[k] / scale[t]
            if t > 0:
                for j in range(n_states):
                    beta[j] = 0.0
                    for k in range(n_states):
                        flow = a[j, k] * message[k]
                        beta[j] += flow
                        pairwise[s, j, k] += alpha[t - 1, j] * flow


@njit(cache=True, nogil=True)
def _viterbi(
    emissions: _Array,
    transitions: _Array,
    lengths: _Ints,
    path: _Ints,
    first: int,
    last: int,
) -> None:
    n_steps, n_states = emissions.shape[1:]
    origin = np.empty((n_steps, n_states), dtype=np.int64)
    best = np.empty(n_states)
    reached = np.empty(n_states)
    for s in range(first, last):
        length = lengths[s]
        best[:] = emissions[s, 0]
        for t in range(1, length):
            for k in range(n_states):
                origin[t, k] = 0
                top = best[0] + transitions[s, 0, k]
                for j in range(1, n_states):
                    score = best[j] + transitions[s, j, k]
                    if score > top:
                        top = score
                        origin[t, k] = j
                reached[k] = top + emissions[s, t, k]
            best[:] = reached
        state = 0
        for k in range(1, n_states):
            if best[k] > best[state]:
                state = k
        for t in range(length - 1, -1, -1):
            path[s, t] = state
            if t > 0:
                state = origin[t, state]


@njit(cache=True, nogil=True)
def _powers(scores: _Array) -> _Array:
    """exp(s − max s), or the least."""
    result: _Array = np.maximum(np.exp(scores - scores.max()), _LEAST)
    return result


@njit(cache=True, nogil=True)
def _go_on(before: _Array, moves: _Array, weights: _Array, after: _Array) -> None:
    """Chances of the states at a step, from those at the step before: one forward step."""
    scale = 0.0
    for k in range(len(after)):
        after[k] = 0.0
        for j in range(len(before)):
            after[k] += before[j] * moves[j, k]
        after[k] *= weights[k]
        scale += after[k]
    after /= scale


@njit(cache=True, nogil=True)
def _sample(
    emissions: _Array,
    transitions: _Array,
    lengths: _Ints,
    uniforms: _Array,
    path: _Ints,
    first: int,
    last: int,
) -> None:
    """Forward sums, then states drawn backwards from them."""
    n_steps, n_states = emissions.shape[1:]
    reached = np.empty((n_steps, n_states))
    chance = np.empty(n_states)
    for s in range(first, last):
        length = lengths[s]
        a = _powers(transitions[s])
        reached[0] = _powers(emissions[s, 0])
        for t in range(1, length):
            _go_on(reached[t - 1], a, _powers(emissions[s, t]), reached[t])
        for t in range(length - 1, -1, -1):
            total = 0.0
            for j in range(n_states):
                chance[j] = reached[t, j]
                if t < length - 1:
                    chance[j] *= a[j, path[s, t + 1]]
                total += chance[j]
            left = uniforms[s, t] * total
            state = 0
            while state < n_states - 1 and left >= chance[state]:
                left -= chance[state]
                state += 1
            path[s, t] = state


@njit(cache=True, nogil=True)
def _add_ahead(
    emissions: _Array,
    transitions: _Array,
    lengths: _Ints,
    labels: _Ints,
    steps: _Ints,
    total: _Array,
    first: int,
    last: int,
) -> None:
    """Forward sums from every label."""
    n_steps, n_states = emissions.shape[1:]
    e = np.empty((n_steps, n_states))
    reached = np.empty((steps[-1] + 1, n_states))  # by steps since the label
    for s in range(first, last):
        length = lengths[s]
        a = _powers(transitions[s])
        for t in range(length):
            e[t] = _powers(emissions[s, t])
        for begin in range(length):
            if labels[s, begin] < 0:
                continue
            reached[0] = 0.0
            reached[0, labels[s, begin]] = 1.0
            for n in range(1, min(steps[-1], length - 1 - begin) + 1):
                _go_on(reached[n - 1], a, e[begin + n], reached[n])
            for h in range(len(steps)):
                if begin + steps[h] < length:
                    total[s, h, begin + steps[h]] += reached[steps[h]]
