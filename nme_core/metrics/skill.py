"""Skill: how much of a reference's loss a model saves, with an interval over people.

    skill = 1 − Σ loss of the model / Σ loss of the reference

over rows that both predict; 0: no better, 1: without error. Of numbers it is split in two, for a
model may know who is well and not when: *between* people the losses are n_i (ȳ_i − f̄_i)², of each
one's mean, *within* them the rest, Σ_t ((y_it − ȳ_i) − (f_it − f̄_i))².
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.metrics.comparison import FEWEST, chunks

Floats = NDArray[np.float64]

COLUMNS = [
    "model", "reference", "metric", "scope", "horizon", "skill", "ci_low", "ci_high", "n_persons",
]  # fmt: skip
#: Losses of a reference below this leave nothing to save.
_NOTHING = 1e-12


def split_losses(
    observed: Floats, predicted: Floats, person: NDArray[np.intp]
) -> dict[str, Floats]:
    """Squared error of every person: ``pooled``, ``between`` and ``within``, shape (P,) each."""
    off = observed - predicted
    n = np.bincount(person)
    total = np.bincount(person, np.square(off))
    with np.errstate(invalid="ignore"):
        between = np.where(n > 0, np.square(np.bincount(person, off)) / np.maximum(n, 1), 0.0)
    return {"pooled": total, "between": between, "within": np.maximum(total - between, 0.0)}


def skill_of(
    model: Floats, reference: Floats, *, resamples: int = 999, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Skill with its interval, by resampling people; NaN where the reference has no loss.

    Parameters
    ----------
    model, reference : array, shape (P,)
        Each person's loss, summed over the same rows.
    """
    total = float(reference.sum())
    if not total > _NOTHING:
        return float("nan"), float("nan"), float("nan")
    found = 1 - float(model.sum()) / total
    if len(model) < FEWEST:
        return found, float("nan"), float("nan")
    rng, even = np.random.default_rng(seed), np.full(len(model), 1 / len(model))
    losses = np.column_stack([model, reference])
    resampled = [
        rng.multinomial(len(model), even, size) @ losses for size in chunks(resamples, len(model))
    ]
    above, below = np.concatenate(resampled).T
    drawn = 1 - above[below > _NOTHING] / below[below > _NOTHING]
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return found, float(low), float(high)


def skill_rows(
    model: str,
    reference: str,
    metric: str,
    horizon: int | None,
    losses: dict[str, tuple[Floats, Floats]],
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Rows of the table ``skill``: losses of model and reference by scope, of every person."""
    rows = []
    for scope, (own, other) in losses.items():
        found = skill_of(own, other, seed=seed)
        rows.append((model, reference, metric, scope, horizon, *found, len(own)))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"horizon": "Int64"})
