"""How far two runs agree on what is people's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.io import RunFolder

COLUMNS = (
    "run", "reference", "readout", "effect", "n_persons", "correlation", "mean_absolute_difference",
)  # fmt: skip
#: Correlations over fewer people say nothing.
FEWEST = 3


def agreement(one: RunFolder, other: RunFolder) -> tuple[str, pd.DataFrame]:
    """The read-out that both runs have, and for each of its effects how far they agree.

    Levels and slopes (``person_effects``) where both have them; else moves of a chain
    (``conditional``); else random effects of models without hidden layers, by what they are of.

    Returns
    -------
    str
        Name of the read-out; empty where they share none.
    DataFrame
        Columns effect, n_persons, correlation over people (missing where one of the two does not
        vary, or for fewer than 3 people), mean absolute difference in the read-out's own units.
    """
    for name, read in _READOUTS:
        values = [read(run) for run in (one, other)]
        if values[0] is None or values[1] is None:
            continue
        shared = values[0].columns.intersection(values[1].columns)
        people = values[0].index.intersection(values[1].index)
        if len(shared) and len(people):
            rows = [_row(values[0].loc[people, key], values[1].loc[people, key]) for key in shared]
            return name, pd.DataFrame(rows).assign(effect=list(shared))
    return "", pd.DataFrame(columns=list(COLUMNS[3:]))


def _row(one: pd.Series, other: pd.Series) -> dict[str, float]:
    known = one.notna() & other.notna()
    a, b = one[known].to_numpy(dtype=np.float64), other[known].to_numpy(dtype=np.float64)
    varies = len(a) >= FEWEST and _varies(a) and _varies(b)
    return {
        "n_persons": len(a),
        "correlation": float(np.corrcoef(a, b)[0, 1]) if varies else np.nan,
        "mean_absolute_difference": float(np.abs(a - b).mean()) if len(a) else np.nan,
    }


def _varies(values: NDArray[np.float64]) -> bool:
    return bool(np.ptp(values) > 1e-9 * max(1e-300, float(np.abs(values).max())))


def _person_effects(run: RunFolder) -> pd.DataFrame | None:
    if not run.has_table("person_effects"):
        return None
    table = run.table("person_effects")
    own = table[table["person"] != ""]
    return own.pivot(index="person", columns="effect", values="estimate")


def _moves(run: RunFolder) -> pd.DataFrame | None:
    if not run.has_table("transitions"):
        return None
    table = run.table("transitions")
    own = table[(table["person"] != "") & (table["readout"] == "conditional")]
    named = own.assign(effect=own["from"] + " → " + own["to"])
    return named.pivot(index="person", columns="effect", values="value")


def _random_effects(run: RunFolder) -> pd.DataFrame | None:
    if run.config["hidden"] or not run.has_table("random_effects"):
        return None
    table = run.table("random_effects")
    if "group" in table:
        table = table[table["group"] == table["group"].iloc[0]]
    wide = table.pivot(index="person", columns="parameter", values="estimate")
    return wide.rename(columns=run.parameter_names.words)


_READOUTS = (
    ("levels and slopes", _person_effects),
    ("moves", _moves),
    ("random effects", _random_effects),
)
