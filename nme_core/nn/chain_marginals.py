"""Compiled marginal probabilities of a linear chain whose scores are linear in its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nme_core.nn.chain_kernel import _powers, _recursions, _scores

_Array = NDArray[np.float64]
_Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def add_marginals(
    chains: Any,
    theta: _Array,
    eta: _Array,
    places: _Ints,
    basis: _Array,
    total: _Array,
    first_person: int,
    last_person: int,
) -> None:
    """Add p(y_t = k | x) of all steps of these people to `total`, shape (N, K).

    Parameters
    ----------
    chains, theta, eta, places, basis
        As in `chain_kernel.derivatives`; labels are not looked at.
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
        for u in range(owners[i], owners[i + 1]):
            begin, end = edges[u], edges[u + 1]
            labels = y[begin:end]
            _scores(x, psi, basis, begin, end, scores)
            length, initial = end - begin, initials[u]
            given = (scores, moves, labels, False, length, initial, alpha, message, unary)
            if np.isnan(_recursions(*given)):  # scores too far apart for any path
                total[begin:end] = np.nan
                continue
            for t in range(length):
                for k in range(n_states):
                    total[begin + t, k] += unary[t, k]
