"""The same people and rows once more, with people's parameters and outcomes drawn from a model."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nme_core.estimators import NMECRF, NeuralMixedEffects
from nme_core.estimators.residuals import read_times
from nme_core.nn.crf import sample_paths
from nme_core.runs.fit.rows import StudyRows
from nme_core.runs.research.generating import remembering, root_of, sigma_of

#: Variance of what is known exactly.
_NOTHING = 1e-12


def drawn_people(model: NeuralMixedEffects, seed: int) -> NeuralMixedEffects:
    """The same model with other people in the place of its own: η_i ~ N(0, Σ), known exactly.

    What is read off it is the truth of a simulated study.
    """
    posterior = model._posterior
    root = torch.from_numpy(root_of(sigma_of(model)))
    mixed = copy.deepcopy(posterior.mixed)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(mixed.deviations.shape, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        mixed.deviations.copy_((noise @ root.T).to(mixed.deviations))
    covariance = posterior.covariance
    known = None
    if covariance is not None:
        n_random = covariance.shape[1]
        known = torch.full_like(covariance, 0.0)
        if covariance.dim() == 3:
            known[:, range(n_random), range(n_random)] = _NOTHING
        else:
            known += _NOTHING
    truth = copy.copy(model)
    truth._posterior = replace(
        posterior,
        mixed=mixed,
        covariance=known,
        spread={name: torch.full_like(one, _NOTHING) for name, one in posterior.spread.items()},
        dependence=None,
        uncertainty=None,
        joint=None,
        link=None,
    )
    return truth


@torch.no_grad()
def drawn_outcomes(truth: NeuralMixedEffects, rows: StudyRows, seed: int) -> pd.Series:
    """Outcomes of these rows; what was missing stays missing."""
    generator = torch.Generator().manual_seed(seed)
    if isinstance(truth, NMECRF):
        drawn = _paths(truth, rows, generator)
    else:
        drawn = _values(truth, rows, generator)
    found = pd.Series(drawn, index=rows.y.index)
    return found.where(rows.y.notna())


def _paths(truth: NMECRF, rows: StudyRows, generator: torch.Generator) -> NDArray[Any]:
    batches = truth._batches(rows.X, rows.groups, "person", sequence_ids=rows.sequence_ids)
    codes = np.empty(len(rows.y), dtype=np.int64)
    for batch in batches:
        emissions, transitions = truth._posterior.mean_output(batch, persons=True)
        path = sample_paths(emissions.double(), transitions.double(), batch.lengths, generator)
        codes[batch.rows[batch.mask].numpy()] = path[batch.mask].numpy()
    states: NDArray[Any] = truth.classes_[codes]
    return states


def _values(truth: Any, rows: StudyRows, generator: torch.Generator) -> NDArray[Any]:
    batches = truth._batches(rows.X, rows.groups, "person")
    variance = truth._posterior.residual_variance
    rho = float(getattr(truth, "residual_autocorrelation_", np.nan))
    remembers = bool(np.isfinite(rho) and rho != 0 and rows.time is not None)
    values = torch.empty(len(rows.y), dtype=torch.float64)
    for batch in batches:
        output = truth._posterior.mean_output(batch, persons=True).double()
        if remembers:
            own = output[..., 0]
        else:
            own = truth._family().sample(output, variance, generator).double()
        values[batch.rows[batch.mask]] = own[batch.mask]
    if remembers:
        noise = torch.randn(len(values), generator=generator, dtype=torch.float64).numpy()
        at = read_times(rows.time)
        assert at is not None
        own = remembering(noise, rows.persons.cat.codes.to_numpy().astype(np.intp), at, rho)
        values += variance**0.5 * torch.from_numpy(own)
    decoded: NDArray[Any] = truth._outcome.decode(values.numpy())
    return decoded
