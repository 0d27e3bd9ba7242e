"""Random effects and their covariance as long tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from nme_core.estimators import NeuralMixedEffects


def random_effects_table(model: NeuralMixedEffects) -> pd.DataFrame:
    """One row per person and parameter: person, n_obs, parameter, estimate, se, reliability.

    Units as in ``model.random_effects_``; se and reliability are missing for point estimates.
    """
    parts = {
        "estimate": model.random_effects_,
        "se": model.random_effects_se_,
        "reliability": model.reliability_,
    }
    long = pd.DataFrame({name: part.stack() for name, part in parts.items()})
    long = long.rename_axis(["person", "parameter"]).reset_index()
    return long.assign(n_obs=long["person"].map(model.n_obs_))[
        ["person", "n_obs", "parameter", "estimate", "se", "reliability"]
    ]


def covariance_table(model: NeuralMixedEffects) -> pd.DataFrame:
    """Σ as rows parameter, parameter_2, value: its diagonal, and what is not 0 above it."""
    sigma = model.random_effects_cov_
    values = sigma.to_numpy()
    row, column = np.nonzero(np.triu(values != 0) | np.eye(len(values), dtype=bool))
    names = sigma.index.to_numpy()
    return pd.DataFrame(
        {"parameter": names[row], "parameter_2": names[column], "value": values[row, column]}
    )
