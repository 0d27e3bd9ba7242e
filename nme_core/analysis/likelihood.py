"""The table ``likelihood`` of a run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nme_core.io import TABLES

if TYPE_CHECKING:
    from nme_core.estimators import LinearMixedModel, NeuralMixedEffects


def likelihood_row(model: NeuralMixedEffects | LinearMixedModel, name: str) -> pd.DataFrame:
    """The row of one model; none where its estimator maximises no likelihood.

    A bound has neither a number of parameters nor criteria: by how much it falls short of the
    likelihood is not known.
    """
    found = model.likelihood()
    if found is None:
        return pd.DataFrame(columns=list(TABLES["likelihood"]))
    bound = np.isnan(found.aic)
    row = {
        "model": name,
        "log_likelihood": found.value,
        "n_parameters": np.nan if bound else found.n_parameters,
        "aic": found.aic,
        "bic": found.bic,
        "method": found.method,
        "n_rows": found.n_rows,
    }
    return pd.DataFrame([row])
