"""Chains of states whose transitions differ by person, of two populations; the NME-CRF fitted.

Scores of moving from j to k at a step with the feature x are a_jk + η_ijk + w_k x, η ~ N(0, 0.5²).

* ``crf``: a path has the probability exp(sum of its scores)/Z, the model that is fitted. Where next
  from j at x = 0, in a long chain, is M_jk r_k/(λ r_j) with M = exp(a + η), M r = λ r.
* ``logit``: each step is drawn by the softmax of its scores, a model that is not fitted. Where next
  from j at x = 0 is that softmax; only probabilities of moves have a truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from benchmarks.coverage.cells import Cell
from benchmarks.coverage.judging import Held
from nme_core.estimators import NMECRF

Floats = NDArray[np.float64]

STATES = ("calm", "low", "tense")
#: a, from × to: one stays where one is, and moves are not symmetric.
MIDDLE = np.array([[1.2, 0.0, -0.4], [0.2, 1.0, 0.1], [-0.3, 0.4, 0.9]])
#: w by state, and standard deviation of η.
FEATURE, SPREAD = np.array([-0.6, 0.1, 0.5]), 0.5


@dataclass(frozen=True)
class Simulated:
    """Chains of people and their truth.

    Attributes
    ----------
    scores : array, shape (P, K, K)
        a + η.
    x : array, shape (P, T)
        The feature.
    paths : array of int, shape (P, T)
        States.
    """

    scores: Floats
    x: Floats
    paths: NDArray[np.int64]

    def rows(self, people: slice, steps: slice) -> tuple[Floats, NDArray[np.str_]]:
        """Features and outcomes of some, one row a step."""
        states = np.array(STATES)[self.paths[people, steps]]
        return self.x[people, steps].reshape(-1, 1), states.ravel()

    def person(self, people: slice, steps: slice) -> NDArray[np.int64]:
        """Whose each of these rows is."""
        number = np.arange(len(self.x))[people]
        return np.repeat(number, self.x[people, steps].shape[1])


def simulate(cell: Cell, rng: np.random.Generator) -> Simulated:
    """Draw one study."""
    k = len(STATES)
    scores = MIDDLE + SPREAD * rng.normal(size=(cell.people, k, k))
    x = rng.normal(size=(cell.people, cell.rows))
    draw = _path if cell.family == "crf" else _steps
    paths = [draw(a, s, rng) for a, s in zip(scores, x[..., None] * FEATURE, strict=True)]
    return Simulated(scores, x, np.array(paths))


def judge(cell: Cell, rng: np.random.Generator) -> dict[str, Held]:
    """Simulate one study, fit it, and hold its intervals against the truth."""
    study, everything = simulate(cell, rng), (slice(None), slice(None))
    scores, emission = study.scores, study.x[..., None] * FEATURE
    model = NMECRF((), "transitions")
    model.fit(*study.rows(*everything), groups=study.person(*everything))
    order = [int(group) for group in model.groups_]
    true = np.concatenate([scores[order], MIDDLE[None]])
    moves = expected_moves(true[:-1], emission[order], cell.family)
    pooled = expected_moves(np.broadcast_to(MIDDLE, scores.shape), emission, cell.family).sum(0)
    shares = np.concatenate([moves, pooled[None]])
    truth = {
        "conditional": next_from(true, cell.family),
        "expected": shares / shares.sum(axis=2, keepdims=True),
    }
    found = {}
    if cell.family == "crf":
        found = _parameters(model, (scores - MIDDLE)[order])
        truth["scores"] = _centred(true)
    for readout, values in truth.items():
        low, high = model.transition_intervals(readout)
        found[f"people {readout}"] = Held.of(low[:-1], high[:-1], values[:-1])
        found[f"population {readout}"] = Held.of(low[-1], high[-1], values[-1])
    return found


def _parameters(model: NMECRF, own: Floats) -> dict[str, Held]:
    """What the emission's weights, and people's own transitions, (P, K, K), are held against."""
    weights = [f"emission.layers.0.weight[{c},0]" for c in range(len(STATES) - 1)]
    labels = [f"transitions[{a},{b}]" for a in STATES for b in STATES]
    fixed_low, fixed_high = model.fixed_effects_interval()
    low, high = model.effects().interval()
    return {
        "fixed slope": Held.of(fixed_low[weights], fixed_high[weights], FEATURE[1:] - FEATURE[0]),
        "people": Held.of(low[labels], high[labels], own.reshape(len(own), -1)),
    }


def _path(scores: Floats, emission: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw a path of a conditional random field: sums from behind, then states from the front."""
    n, k = emission.shape
    behind = np.zeros((n, k))
    for t in range(n - 2, -1, -1):
        behind[t] = logsumexp(scores + emission[t + 1] + behind[t + 1], axis=1)
    path = np.empty(n, dtype=np.int64)
    path[0] = rng.choice(k, p=softmax(emission[0] + behind[0]))
    for t in range(1, n):
        path[t] = rng.choice(k, p=softmax(scores[path[t - 1]] + emission[t] + behind[t]))
    return path


def _steps(scores: Floats, emission: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw a path step by step; the first state by its emission."""
    n, k = emission.shape
    path = np.empty(n, dtype=np.int64)
    path[0] = rng.choice(k, p=softmax(emission[0]))
    for t in range(1, n):
        path[t] = rng.choice(k, p=softmax(scores[path[t - 1]] + emission[t]))
    return path


def _centred(scores: Floats) -> Floats:
    """Rows and columns of each matrix sum to 0."""
    rows = scores - scores.mean(axis=-1, keepdims=True)
    return rows - rows.mean(axis=-2, keepdims=True)


def next_from(scores: Floats, family: str) -> Floats:
    """Probability of the next state at x = 0, from × to; scores have shape (n, K, K)."""
    if family == "logit":
        return np.asarray(softmax(scores, axis=-1))
    moves = np.exp(scores)
    values, vectors = np.linalg.eig(moves)
    place = values.real.argmax(axis=1)
    n = np.arange(len(moves))
    root, right = values.real[n, place], np.abs(vectors[n, :, place].real)
    return moves * right[:, None, :] / (root[:, None, None] * right[:, :, None])


def expected_moves(scores: Floats, emission: Floats, family: str) -> Floats:
    """Expected transitions of each person's path, from × to; (n, K, K) and (n, T, K) given."""
    n_steps = emission.shape[1]
    behind = np.zeros_like(emission)
    if family == "crf":
        for t in range(n_steps - 2, -1, -1):
            after = emission[:, t + 1] + behind[:, t + 1]
            behind[:, t] = logsumexp(scores + after[:, None], axis=2)
    share = softmax(emission[:, 0] + behind[:, 0], axis=1)
    total = np.zeros_like(scores, dtype=np.float64)
    for t in range(1, n_steps):
        step = softmax(scores + (emission[:, t] + behind[:, t])[:, None], axis=2)
        pairs = share[:, :, None] * step
        total += pairs
        share = pairs.sum(axis=1)
    return total
