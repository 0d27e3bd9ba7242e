"""Curves that bend, differently for every person; the mixture of networks fitted (hidden="auto").

    y_ij = Σ_u (v_u + v_iu) max(0, a_u x_ij + c_u) + (v₀ + v_i0) + ε_ij,    v_iu ~ N(0, 0.5²)

with three units and ε ~ N(0, 0.5²). Judged are levels and slopes (`person_effects`): of people
their differences from the population.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.coverage.cells import Cell
from benchmarks.coverage.judging import Held
from nme_core.analysis import person_effects
from nme_core.estimators import NMEMLPRegressor

Floats = NDArray[np.float64]

#: a and c of the units, and v with v₀ last.
WEIGHT, BIAS = np.array([1.0, -1.0, 1.0]), np.array([0.5, 0.5, -0.8])
LAST = np.array([1.0, -0.5, 0.8, 0.2])
SPREAD, NOISE = 0.5, 0.5


def judge(cell: Cell, rng: np.random.Generator) -> dict[str, Held]:
    """Simulate one study, fit it, and hold its intervals against the truth."""
    own = rng.normal(0, SPREAD, (cell.people, len(LAST)))
    person = np.repeat(np.arange(cell.people), cell.rows)
    x = rng.normal(size=len(person))
    y = (units(x) * (LAST + own[person])).sum(axis=1) + rng.normal(0, NOISE, len(person))
    X = pd.DataFrame({"x": x})
    model = NMEMLPRegressor(hidden="auto").fit(X, y, groups=person)
    slopes = (WEIGHT * (x[:, None] * WEIGHT + BIAS > 0)).mean(axis=0)
    read = np.stack([units(np.array([x.mean()]))[0], np.append(slopes, 0.0)])  # (2, units + 1)
    table = person_effects(model, X).set_index(["effect", "person"])
    low, high = table["ci_low"].unstack("effect"), table["ci_high"].unstack("effect")
    names, people = ["level", "slope:x"], [str(k) for k in range(cell.people)]
    return {
        "people effects": Held.of(low.loc[people, names], high.loc[people, names], own @ read.T),
        "population effects": Held.of(low.loc["", names], high.loc["", names], read @ LAST),
    }


def units(x: Floats) -> Floats:
    """What the units give at x, (n,), and 1 at the end; (n, units + 1)."""
    bent = np.maximum(x[:, None] * WEIGHT + BIAS, 0)
    return np.column_stack([bent, np.ones(len(x))])
