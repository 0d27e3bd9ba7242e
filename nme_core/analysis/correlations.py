"""How persons' parameters go together, beside what the model expects of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nme_core.estimators import NeuralMixedEffects
    from nme_core.estimators.person_posterior import PersonPosterior

#: Parameters that are correlated with each other at most: those with the highest reliability.
MOST_PARAMETERS = 40
#: Persons that are simulated at most, and below which nothing is said of correlations.
MOST_PERSONS, FEWEST_PERSONS = 2000, 4
DRAWS = 1000
#: Share of the simulated correlations between simulated_low and simulated_high.
LEVEL = 0.95
_AT_ONCE = 50
COLUMNS = (
    "parameter", "parameter_2", "correlation", "model_correlation",
    "simulated_mean", "simulated_low", "simulated_high", "p_adjusted",
)  # fmt: skip

Floats = NDArray[np.float64]


def effect_correlations(model: NeuralMixedEffects, *, seed: int = 0) -> pd.DataFrame:
    """Correlations of the persons' estimates across parameters, with a parametric bootstrap band.

    Estimates of parameters that the rows cannot tell apart go together even where the parameters do
    not. What the model expects is therefore simulated: where it holds, the estimates of person i
    are distributed as

        η̂_i ~ N(0, Σ − C_i)

    (exactly for linear models, whose Var(η) = E Var(η | y) + Var E(η | y)), with the persons that
    there are and what each one's rows tell. A correlation outside the band speaks against the
    model's Σ: of a diagonal one, against parameters that vary independently over persons.

    Parameters
    ----------
    model : NeuralMixedEffects
        Fitted; with several grouping factors of the persons, the first.
    seed : int
        Of what is simulated.

    Returns
    -------
    DataFrame
        One row for each pair of parameters (at most 40 of them, those with the highest mean
        reliability): ``parameter``, ``parameter_2``, ``correlation`` (Pearson's, of the estimates
        over persons), ``model_correlation`` (of the parameters themselves, Σ), ``simulated_mean``
        and ``simulated_low`` to ``simulated_high`` (the middle 95 % of 1,000 simulated correlations
        of that pair) and ``p_adjusted``, how often the pair furthest from its mean, in simulated
        standard deviations, is as far out as this one: it holds for all pairs together (Westfall
        and Young 1993). The last four are missing where estimates are points or do not vary. Of
        more than 2,000 persons so many are simulated, drawn at random, and the band is narrowed by
        the square root of the ratio. Empty for fewer than 4 persons.
    """
    from nme_core.estimators.person_posterior import WEIGHTS, person_posterior

    effects = model.effects()
    estimate = effects.estimate
    if len(estimate) < FEWEST_PERSONS or estimate.shape[1] < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    chosen = _most_reliable(effects.reliability.mean().to_numpy())
    names = estimate.columns.to_numpy()[chosen]
    row, column = np.triu_indices(len(chosen), k=1)
    observed = _correlations(estimate.to_numpy()[:, chosen])[row, column]
    sigma = model.covariance_of().to_numpy()[np.ix_(chosen, chosen)]
    table = pd.DataFrame(
        {
            "parameter": names[row],
            "parameter_2": names[column],
            "correlation": observed,
            "model_correlation": _scaled(sigma)[row, column],
        }
    )
    if model._posterior.covariance is None:
        return table.reindex(columns=list(COLUMNS))
    posterior = person_posterior(model, WEIGHTS)
    drawn = _simulated(posterior, chosen, np.random.default_rng(seed))[:, row, column]
    narrower = min(1.0, (MOST_PERSONS / len(estimate)) ** 0.5)
    mean = drawn.mean(0)
    away = (drawn - mean) * narrower
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(away, [tail, 1 - tail], axis=0)
    sd = away.std(0)
    known = (sd > 0) & np.isfinite(observed)
    p = np.full(len(observed), np.nan)
    if known.any():
        furthest = (np.abs(away[:, known]) / sd[known]).max(1)
        own = np.abs(observed - mean)[known] / sd[known]
        p[known] = (1 + (furthest[:, None] >= own).sum(0)) / (1 + DRAWS)
    return table.assign(
        simulated_mean=mean, simulated_low=mean + low, simulated_high=mean + high, p_adjusted=p
    )


def _most_reliable(reliability: Floats) -> NDArray[np.int64]:
    """Places of the parameters that are kept, in the model's order."""
    order = np.argsort(-np.nan_to_num(reliability), kind="stable")
    return np.sort(order[:MOST_PARAMETERS])


def _correlations(values: Floats) -> Floats:
    """Correlations over persons, (…, P, d) → (…, d, d); missing where nothing varies."""
    centred = values - values.mean(-2, keepdims=True)
    return _scaled(centred.swapaxes(-1, -2) @ centred)


def _scaled(covariance: Floats) -> Floats:
    """Correlations of covariances, (…, d, d); missing where a variance is 0."""
    sd = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    scale = sd[..., :, None] * sd[..., None, :]
    known = scale > 0
    found = np.divide(covariance, scale, out=np.full(scale.shape, np.nan), where=known)
    return np.asarray(found)


def _simulated(
    posterior: PersonPosterior, chosen: NDArray[np.int64], rng: np.random.Generator
) -> Floats:
    """Correlations of simulated estimates, shape (`DRAWS`, d, d)."""
    n_persons = len(posterior.mean)
    some = np.arange(n_persons)
    if n_persons > MOST_PERSONS:
        some = np.sort(rng.choice(n_persons, MOST_PERSONS, replace=False))
    matrix = posterior.matrix[chosen]
    left = _read_out(matrix, posterior.covariance[some], diagonal=posterior.covariance.ndim == 2)
    prior = _read_out(matrix, posterior.prior, diagonal=posterior.prior.ndim == 1)
    values, vectors = np.linalg.eigh(prior - left)
    roots = vectors * np.sqrt(values.clip(min=0.0))[:, None, :]  # (P, d, d)
    found = []
    for _ in range(DRAWS // _AT_ONCE):
        noise = rng.standard_normal((*roots.shape[:2], _AT_ONCE))
        estimates = np.moveaxis(roots @ noise, 2, 0)  # (draws, P, d)
        found.append(_correlations(estimates))
    return np.concatenate(found)


def _read_out(matrix: Floats, covariance: Floats, *, diagonal: bool) -> Floats:
    """T C Tᵀ of covariances, whole (…, R, R) or by their diagonal (…, R) → (…, d, d)."""
    if diagonal:
        return np.asarray((matrix * covariance[..., None, :]) @ matrix.T)
    return np.asarray(matrix @ covariance @ matrix.T)
