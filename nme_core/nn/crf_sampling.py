"""State sequences drawn from a linear chain: backward messages, then forward draws."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def sample_paths(
    emissions: Tensor, transitions: Tensor, lengths: Tensor, generator: torch.Generator
) -> Tensor:
    """Draw one path of every sequence exactly, p(y) ∝ exp(Σ_t s_t[y_t] + Σ_t A[y_{t−1}, y_t]).

    Parameters
    ----------
    emissions : Tensor, shape (S, T, K)
        Emission scores.
    transitions : Tensor, shape (S, K, K)
        Transition scores [from, to].
    lengths : Tensor of int, shape (S,)
        Steps of each sequence, at least 1.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor of int, shape (S, T), −1 on padding.
    """
    n_sequences, n_steps, n_states = emissions.shape
    emissions, transitions = emissions.double(), transitions.double()
    everyone = torch.arange(n_sequences)
    # ahead[t] = log Σ over everything after t, given the state at t: (S, K)
    ahead = [emissions.new_zeros(n_sequences, n_states)]
    for t in range(n_steps - 2, -1, -1):
        later = (emissions[:, t + 1] + ahead[-1]).unsqueeze(1)
        message = torch.logsumexp(transitions + later, dim=2)
        ahead.append(torch.where((t + 1 < lengths).unsqueeze(1), message, 0.0))
    ahead.reverse()
    path = torch.full((n_sequences, n_steps), -1, dtype=torch.long)
    state = torch.zeros(n_sequences, dtype=torch.long)
    for t in range(n_steps):
        scores = emissions[:, t] + ahead[t]
        if t:
            scores = scores + transitions[everyone, state]
        chances = torch.softmax(scores, dim=1)
        state = torch.multinomial(chances, 1, generator=generator).squeeze(1)
        path[:, t] = torch.where(t < lengths, state, -1)
    return path
