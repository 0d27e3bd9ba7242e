"""Transitions of all persons and the population, by all read-outs, as one long table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from nme_core.estimators import NMECRF

_COUNTED = ("expected", "observed")


def transitions_table(model: NMECRF) -> pd.DataFrame:
    """Columns of the table ``transitions``; person is "" for the population.

    ``count`` is the number of transitions behind a value of ``expected`` and ``observed``,
    ``visits`` how often the labels moved on from the from-state. The 95 %
    intervals ci_low to ci_high are those of `NMECRF.transition_intervals`, empty where the model
    has none.
    """
    states = model.classes_
    persons = [*model.groups_.tolist(), ""]
    index = pd.MultiIndex.from_product([persons, states, states], names=["person", "from", "to"])
    counts = model.transition_counts("observed")
    visits = np.broadcast_to(counts.sum(axis=2, keepdims=True), counts.shape)
    parts = []
    for readout in ("scores", "conditional", *_COUNTED):
        low, high = model.transition_intervals(readout)
        part = pd.DataFrame(
            {
                "readout": readout,
                "value": model.transition_matrices(readout).ravel(),
                "ci_low": low.ravel(),
                "ci_high": high.ravel(),
            },
            index=index,
        )
        counted = readout in _COUNTED
        part["count"] = model.transition_counts(readout).ravel() if counted else np.nan
        part["visits"] = visits.ravel()
        parts.append(part.reset_index())
    table = pd.concat(parts, ignore_index=True)
    return table[
        ["person", "readout", "from", "to", "value", "ci_low", "ci_high", "count", "visits"]
    ]
