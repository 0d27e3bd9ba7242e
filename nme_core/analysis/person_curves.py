"""Each person's response curves at the same points, as numbers that tests can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nme_core.analysis.levels_and_slopes import (
    EffectsRead,
    mixed_reads,
    read_draws,
    scale_of_effects,
)
from nme_core.analysis.response_curves import grids_of, typical_features
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
    from nme_core.estimators.person_posterior import MarginalPosterior
    from nme_core.estimators.readouts import ReadOuts

#: Points of each curve.
POINTS = 7

Floats = NDArray[np.float64]


def curves_of_run(run: RunFolder) -> MarginalPosterior:
    """Curves of a run's persons less the population's, at points of the population's curves.

    Raises
    ------
    OptionError
        Where the run has no model, or no response curves.
    """
    if not run.model_path.exists() or not run.has_table("response_curves"):
        raise OptionError(
            "Curves are read off the model, which this run does not have.",
            remedy='Test "slopes", or fit the run again.',
        )
    from nme_core.estimators import load

    return person_curves(load(run.model_path), grids_of(run.table("response_curves")))


def person_curves(
    model: NMEMLPRegressor | NMEMLPClassifier, grids: Mapping[str, Floats]
) -> MarginalPosterior:
    """Curves of all persons less the population's, one feature varied and all others at their mean.

    Parameters
    ----------
    model : NMEMLPRegressor or NMEMLPClassifier
        Fitted.
    grids : mapping of str to array
        Values of each feature; `POINTS` of them are used. On the scale of `person_effects`.
    """
    from nme_core.estimators.person_posterior import MarginalPosterior

    model = model.of_persons()
    points = {name: _some(values) for name, values in grids.items()}
    typical = typical_features(model)
    rows = pd.DataFrame(
        [{**typical, name: x} for name, values in points.items() for x in values],
        columns=list(typical),
    )
    labels, _ = scale_of_effects(model)
    marks = [f"[{label}]" for label in labels] if len(labels) > 1 else [""]
    each = [f"{name}={x:.4g}" for name, values in points.items() for x in values]
    names = [f"curve:{one}{mark}" for mark in marks for one in each]
    several = list(model.candidates())
    weights = model.candidates_["weight"].to_numpy()
    reads = [_curves(one, rows) for one in ([one for _, one in several] or [model])]
    found = reads[0] if len(reads) == 1 else mixed_reads(weights, reads)
    frames = [
        pd.DataFrame(values, index=pd.Index(model.groups_.tolist()), columns=names)
        for values in (found.person, found.person_sd, found.reliability)
    ]
    return MarginalPosterior(*frames)


def _curves(model: ReadOuts, rows: pd.DataFrame) -> EffectsRead:
    table = rows.to_numpy(np.float64)
    inputs = model._encoder.scaler.transform([table[:, k] for k in range(table.shape[1])])
    x = torch.from_numpy(np.asarray(inputs, dtype=np.float64))
    return read_draws(model, x, lambda scaled: scaled.swapaxes(1, 2).reshape(len(scaled), -1))


def _some(values: Floats) -> Floats:
    """At most `POINTS` values, evenly through them, the ends among them."""
    places = np.unique(np.linspace(0, len(values) - 1, POINTS).round().astype(int))
    return np.asarray(values[places], dtype=np.float64)
