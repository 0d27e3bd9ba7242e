"""Studies of independent rows: numbers, classes, counts, ordered classes; simulated and fitted.

A person's score, or for three classes each of its two contrasts, is

    f_ij = b̄ + b_i + (w̄ + w_i)ᵀ x_ij,    (b_i, w_i) ~ N(0, Σ)

with features that differ between people and go on from row to row. A row's outcome is the
quantile Φ(z_ij) of its distribution; z is AR(1) within people, so that the residuals of every
family can remember.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.signal import lfilter
from scipy.special import expit, softmax

from benchmarks.coverage.cells import Cell
from benchmarks.coverage.judging import Held
from nme_core.estimators import NeuralMixedEffects, NMEMLPClassifier, NMEMLPRegressor
from nme_core.estimators.variance_intervals import HELD, Asked
from nme_core.nn import against_first, contrasts

Floats = NDArray[np.float64]

#: w̄, and standard deviations of b_i and w_i, of one feature.
EFFECTS = {"weak": (0.2, (0.4, 0.2)), "strong": (0.8, (1.0, 0.5))}
#: b̄ by family.
INTERCEPT = {"gaussian": 0.5, "binary": -0.5, "poisson": 0.3, "ordinal": 1.5, "classes": 0.3}
#: Correlations of b_i and w_i where Σ is full.
CORRELATION = 0.4
#: Thresholds of the ordered classes; the first is 0.
THRESHOLDS = np.array([0.0, 1.5, 3.0])
#: Share of a feature's variance that lies between people; correlation of neighbouring rows.
BETWEEN, MEMORY = 0.3, 0.5


@dataclass(frozen=True)
class Simulated:
    """One study and its truth.

    Attributes
    ----------
    x : array, shape (n, F)
        Features; rows of people one after the other.
    y, person, time : array, shape (n,)
    fixed : dict of str to float
        True fixed effects by parameter.
    own : DataFrame
        True b_i and w_i, person × parameter.
    variances : Series
        True variances of b_i and w_i by parameter.
    """

    x: Floats
    y: NDArray[Any]
    person: NDArray[np.int64]
    time: NDArray[np.int64]
    fixed: dict[str, float]
    own: pd.DataFrame
    variances: pd.Series


def only(study: Simulated, kept: NDArray[np.bool_]) -> Simulated:
    """The study with these rows; what is true of people stays."""
    rows = {name: getattr(study, name)[kept] for name in ("x", "y", "person", "time")}
    return replace(study, **rows)


def simulate(cell: Cell, rng: np.random.Generator) -> Simulated:
    """Draw one study."""
    n_scores = 2 if cell.family == "classes" else 1
    middle, sigma = _population(cell, n_scores)
    own = rng.multivariate_normal(np.zeros(len(sigma)), sigma, (cell.people, n_scores))
    shape = (cell.people, cell.rows)
    level = np.sqrt(BETWEEN) * rng.normal(size=(cell.people, 1, cell.features))
    change = [_ar1(rng, shape, MEMORY) for _ in range(cell.features)]
    x = level + np.sqrt(1 - BETWEEN) * np.stack(change, axis=-1)
    ones = np.ones((*shape, 1))
    variances = np.tile(np.diag(sigma), (n_scores, 1))
    score = np.einsum("ijf,ikf->ijk", np.concatenate([ones, x], axis=-1), middle + own)
    z = _ar1(rng, shape, cell.rho)
    y = _outcome(cell.family, score.reshape(-1, n_scores), z.ravel())
    if n_scores > 1:  # reported are log-odds against the first class
        odds = against_first(n_scores + 1).numpy()
        middle, own, variances = odds @ middle, odds @ own, odds**2 @ variances
    labels = [
        name
        for k in range(n_scores)
        for name in (
            f"layers.0.bias[{k}]",
            *(f"layers.0.weight[{k},{f}]" for f in range(cell.features)),
        )
    ]
    fixed = dict(zip(labels, middle.ravel().tolist(), strict=True))
    if cell.family == "ordinal":
        gaps = np.log(np.diff(THRESHOLDS))
        fixed |= {f"gaps[{k}]": float(gap) for k, gap in enumerate(gaps)}
    deviations = pd.DataFrame(own.reshape(cell.people, -1), columns=labels)
    person = np.repeat(np.arange(cell.people), cell.rows)
    time = np.tile(np.arange(cell.rows), cell.people)
    spread = pd.Series(variances.ravel(), labels)
    return Simulated(x.reshape(-1, cell.features), y, person, time, fixed, deviations, spread)


def _population(cell: Cell, n_scores: int) -> tuple[Floats, Floats]:
    """Fixed effects of each score, (scores, 1 + F), and Σ of one, (1 + F, 1 + F).

    Several features share what one would do, in turn to one side and the other.
    """
    slope, (level, change) = EFFECTS[cell.effects]
    signs = np.where(np.arange(cell.features) % 2, -1.0, 1.0) / np.sqrt(cell.features)
    middle = np.tile(np.concatenate([[INTERCEPT[cell.family]], slope * signs]), (n_scores, 1))
    middle[1:] *= -0.5
    sd = np.concatenate([[level], change * np.abs(signs)])
    together = CORRELATION if cell.covariance == "full" else 0.0
    correlation = np.full((len(sd), len(sd)), together)
    np.fill_diagonal(correlation, 1.0)
    return middle, np.outer(sd, sd) * correlation


def _ar1(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> Floats:
    """Standard normal numbers, correlated along the last axis."""
    noise = rng.normal(size=shape)
    noise[:, 1:] *= np.sqrt(1 - rho**2)
    return np.asarray(lfilter([1.0], [1.0, -rho], noise, axis=1))


def _outcome(family: str, score: Floats, z: Floats) -> NDArray[Any]:
    """The quantile Φ(z) of each row's distribution; score has shape (n, scores)."""
    u, first = stats.norm.cdf(z), score[:, 0]
    if family == "gaussian":
        return first + z
    if family == "binary":
        return np.where(u > expit(-first), "yes", "no")
    if family == "poisson":
        return np.asarray(stats.poisson.ppf(u, np.exp(first)))
    if family == "ordinal":
        below = expit(THRESHOLDS - first[:, None])
    else:
        below = softmax(score @ contrasts(3).numpy().T, axis=1).cumsum(axis=1)[:, :-1]
    number = (u[:, None] > below).sum(axis=1)
    return number if family == "ordinal" else np.array(["a", "b", "c"])[number]


def fit(cell: Cell, study: Simulated) -> NeuralMixedEffects:
    """Fit the model that the study was drawn from, with what it is told of times."""
    options: dict[str, Any] = {"covariance": cell.covariance}
    given: dict[str, Any] = {"groups": study.person}
    if cell.family in ("gaussian", "poisson"):
        if cell.family == "poisson":
            options["family"] = "poisson"
        if cell.estimator == "reml":
            options["reml"] = True
        if cell.times:
            given["times"] = study.time
        model: NeuralMixedEffects = NMEMLPRegressor((), "all", **options)
    else:
        family = "ordinal" if cell.family == "ordinal" else None
        model = NMEMLPClassifier((), "all", family=family, **options)
    model._asked = Asked(study.variances.to_frame().T, 1.0)
    return model.fit(study.x, study.y, **given)


def judge(cell: Cell, rng: np.random.Generator) -> dict[str, Held]:
    """Simulate one study, fit it, and hold its intervals against the truth."""
    study = simulate(cell, rng)
    model = fit(cell, study)
    low, high = model.fixed_effects_interval()
    fixed = pd.Series(study.fixed)
    slopes = [name for name in fixed.index if "weight" in name]
    rest = fixed.index.drop(slopes)
    names = [*study.own.columns]
    order = [int(group) for group in model.groups_]
    people_low, people_high = model.effects().interval()
    found = {
        "fixed slope": Held.of(low[slopes], high[slopes], fixed[slopes]),
        "fixed other": Held.of(low[rest], high[rest], fixed[rest]),
        "people": Held.of(people_low[names], people_high[names], study.own.iloc[order]),
    }
    if cell.times:
        process = model.residual_process()
        found["autocorrelation"] = Held.of(process.low, process.high, cell.rho)
    found["variances"] = Held.told(model.variance_intervals()[HELD])
    if cell.family == "gaussian":
        found["residual variance"] = Held.told(model.residual_variance_interval()[HELD])
    return found
