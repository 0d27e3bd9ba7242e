"""Compiled forward–backward recursion for the CPU; cached on disk after its first use."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def forward_backward(
    emissions: _Array, transitions: _Array, lengths: NDArray[np.int64]
) -> tuple[_Array, _Array, _Array]:
    """Log Z (S,), unary (S, T, K) and summed pairwise marginals (S, K, K) of S sequences.

    The recursion of `nme_core.nn.crf.forward_backward`, sequence by sequence, scaled at each step.
    """
    n_sequences, n_steps, n_states = emissions.shape
    log_z = np.zeros(n_sequences)
    unary = np.zeros((n_sequences, n_steps, n_states))
    pairwise = np.zeros((n_sequences, n_states, n_states))
    e = np.empty((n_steps, n_states))
    alpha = np.empty((n_steps, n_states))
    scale = np.empty(n_steps)
    beta = np.empty(n_states)
    message = np.empty(n_states)
    for s in range(n_sequences):
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
    return log_z, unary, pairwise
