"""Simulated state sequences: `dyads` (a planted effect) and `null` (none, but a compliance trap).

Labels are drawn exactly from a linear-chain CRF with person-specific transition scores,

    p(y | x) ∝ exp( Σ_t s_t[y_t] + Σ_t A_i[y_{t−1}, y_t] ),   A_i = Ā + η_i + B (c_i − c̄),

with η_i[from, to] ~ N(0, random_sd²), c_i the person's depression score and B its slopes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nme_core.simulate.sample import (
    Feature,
    Floats,
    Ints,
    SampleStudy,
    draw_depression,
    draw_features,
    draw_lengths,
    name_persons,
    occasions,
    person_of_rows,
    to_rows,
)

STATES = ("Other", "Aggressive", "Dysphoric", "Positive")

#: Population transition scores Ā, from (rows) × to (columns), in the order of `STATES`.
TRANSITIONS = (
    (1.3, -0.6, -0.4, 0.3),
    (0.1, 1.2, 0.2, -0.9),
    (0.3, -0.3, 1.3, -0.5),
    (0.4, -1.0, -0.6, 1.4),
)

#: Change of a transition score per point of depression, (from, to) → slope.
DEPRESSION_SLOPES = {("Dysphoric", "Dysphoric"): 0.04, ("Positive", "Positive"): -0.04}


@dataclass(frozen=True)
class _Setting:
    """What tells one study of sequences from another; weights are per sd of a feature."""

    name: str
    prefix: str
    person: str
    time: str
    age: tuple[float, float]
    features: dict[str, Feature]
    weights: dict[str, tuple[float, ...]]


_DYADS = _Setting(
    name="dyads",
    prefix="D",
    person="dyad",
    time="step",
    age=(12.0, 17.0),
    features={
        "mother_smile": Feature(0.4, 0.15, 0.6, 0.0),
        "mother_frown": Feature(0.3, 0.12, 0.6, 0.0),
        "adolescent_gaze": Feature(0.5, 0.2, 0.7, 0.0),
        "voice_pitch": Feature(220.0, 45.0, 0.5, 60.0),
        "voice_loudness": Feature(58.0, 7.0, 0.5, 20.0),
        "speech_rate": Feature(4.2, 1.1, 0.5, 0.0),
        "turn_length": Feature(3.5, 1.2, 0.3, 0.2),
        "overlap": Feature(0.25, 0.1, 0.3, 0.0),
        "distance": Feature(120.0, 18.0, 0.8, 20.0),
        "head_tilt": Feature(4.0, 6.0, 0.6),
    },
    weights={
        "mother_smile": (-0.2, -0.4, -0.2, 0.8),
        "mother_frown": (-0.2, 0.6, 0.1, -0.5),
        "adolescent_gaze": (0.1, 0.2, -0.5, 0.2),
        "voice_pitch": (-0.1, 0.4, -0.4, 0.1),
        "voice_loudness": (-0.2, 0.7, -0.5, 0.0),
        "speech_rate": (0.2, 0.2, -0.6, 0.2),
    },
)

_NULL = _Setting(
    name="null",
    prefix="N",
    person="person",
    time="prompt",
    age=(18.0, 65.0),
    features={
        "hassles": Feature(2.5, 1.2, 0.4, 0.0),
        "company": Feature(0.5, 0.2, 0.3, 0.0),
        "fatigue": Feature(4.0, 1.5, 0.6, 0.0),
        "noise": Feature(45.0, 8.0, 0.5, 20.0),
    },
    weights={"hassles": (-0.2, 0.5, 0.3, -0.6), "company": (0.2, 0.3, -0.4, -0.1)},
)


def simulate_dyads(
    n_persons: int = 100,
    n_steps: int | tuple[int, int] = (120, 180),
    *,
    effect: float = 1.0,
    compliance_effect: bool = False,
    random_sd: float = 0.5,
    missing: float = 0.03,
    seed: int = 1,
) -> SampleStudy:
    """Mother–adolescent pairs who move through four affective states.

    Parameters
    ----------
    n_persons : int
        Number of pairs.
    n_steps : int or (lowest, highest)
        Steps of each pair, spread evenly between the two.
    effect : float
        Multiplies `DEPRESSION_SLOPES`; with 0 depression has no effect.
    compliance_effect : bool
        Whether pairs with more depression have fewer steps.
    random_sd : float
        Standard deviation of the random effect of each transition score.
    missing : float
        Share of feature values that are missing, completely at random. Labels are drawn from the
        complete features.
    seed : int
        Seed of everything that is random.

    Returns
    -------
    SampleStudy
        Rows: pair × step. Covariates: depression, age of the adolescent.
    """
    return _simulate(
        _DYADS, n_persons, n_steps, effect, compliance_effect, random_sd, missing, seed
    )


def simulate_null(
    n_persons: int = 100,
    n_steps: int | tuple[int, int] = (30, 160),
    *,
    effect: float = 0.0,
    compliance_effect: bool = True,
    random_sd: float = 0.5,
    seed: int = 4,
) -> SampleStudy:
    """Four states in daily life, where depression changes how long persons answer, nothing else.

    Takes what `simulate_dyads` takes, and has no missing values. Without the compliance effect
    the numbers of steps have the same distribution, but nothing to do with depression.
    """
    return _simulate(_NULL, n_persons, n_steps, effect, compliance_effect, random_sd, 0.0, seed)


def _simulate(
    setting: _Setting,
    n_persons: int,
    n_steps: int | tuple[int, int],
    effect: float,
    compliance_effect: bool,
    random_sd: float,
    missing: float,
    seed: int,
) -> SampleStudy:
    rng = np.random.default_rng(seed)
    depression = draw_depression(rng, n_persons)
    age = np.round(rng.uniform(*setting.age, n_persons), 1)
    lengths = draw_lengths(rng, depression, n_steps, compliance_effect)
    ids = name_persons(setting.prefix, n_persons)

    # shape of each: (n_persons, n_states, n_states)
    random = rng.normal(0.0, random_sd, (n_persons, len(STATES), len(STATES)))
    center = float(depression.mean())
    planted = effect * _slopes() * (depression - center)[:, None, None]
    transitions = np.array(TRANSITIONS) + random + planted

    features = draw_features(rng, setting.features, lengths)
    weights, intercept = _emission(setting)
    emissions = features.to_numpy() @ weights + intercept
    states = draw_states(rng, _pad(emissions, lengths), transitions, lengths)

    long = pd.DataFrame({setting.person: person_of_rows(ids, lengths)})
    long[setting.time] = occasions(lengths)
    long["state"] = np.array(STATES, dtype=object)[to_rows(states, lengths)]
    hidden = rng.random(features.shape) < missing
    long = pd.concat([long, features.mask(hidden)], axis=1)
    covariates = pd.DataFrame({setting.person: ids, "depression": depression, "age": age})
    truth = {
        "study": setting.name,
        "simulated": True,
        "seed": seed,
        "n_persons": n_persons,
        "states": list(STATES),
        "population": {"transitions": [list(row) for row in TRANSITIONS]},
        "random_sd": random_sd,
        "effects": _effects(effect, center),
        "compliance_effect": compliance_effect,
        "missing_features": missing,
        "emission": {
            "intercept": dict(zip(STATES, intercept.tolist(), strict=True)),
            "weights": {
                name: dict(zip(STATES, row, strict=True))
                for name, row in zip(setting.features, weights.tolist(), strict=True)
            },
        },
        "persons": {
            who: {"n_steps": int(n), "depression": score, "transitions": matrix}
            for who, n, score, matrix in zip(
                ids, lengths, depression.tolist(), transitions.tolist(), strict=True
            )
        },
    }
    roles = {
        "person": setting.person,
        "time": setting.time,
        "outcome": "state",
        "features": list(setting.features),
        "model": "nme-crf",
    }
    return SampleStudy(setting.name, long, covariates.astype({"depression": int}), truth, roles)


def draw_states(
    rng: np.random.Generator, emissions: Floats, transitions: Floats, lengths: Ints
) -> Ints:
    """Draw label sequences exactly from linear-chain CRFs: backward messages, then forward draws.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    emissions : ndarray, shape (longest, n_persons, n_states)
        Emission scores s_t; what stands beyond a person's length is not used.
    transitions : ndarray, shape (n_persons, n_states, n_states)
        Scores A_i[from, to].
    lengths : ndarray of int, shape (n_persons,)
        Steps of each person.

    Returns
    -------
    ndarray of int, shape (longest, n_persons)
        States; beyond a person's length they mean nothing.
    """
    longest, n_persons, n_states = emissions.shape
    # future[t] = log Σ over everything after t, given the state at t: (n_persons, n_states)
    future = np.zeros_like(emissions)
    for step in range(longest - 2, -1, -1):
        ahead = transitions + (emissions[step + 1] + future[step + 1])[:, None, :]
        top = ahead.max(axis=2, keepdims=True)
        message = np.log(np.exp(ahead - top).sum(axis=2)) + top[:, :, 0]
        future[step] = np.where((step + 1 < lengths)[:, None], message, 0.0)
    states = np.zeros((longest, n_persons), dtype=np.int64)
    everyone = np.arange(n_persons)
    uniform = rng.random((longest, n_persons))
    for step in range(longest):
        scores = emissions[step] + future[step]
        if step:
            scores = scores + transitions[everyone, states[step - 1]]
        cumulative = np.exp(scores - scores.max(axis=1, keepdims=True)).cumsum(axis=1)
        drawn = (cumulative < uniform[step][:, None] * cumulative[:, -1:]).sum(axis=1)
        states[step] = np.minimum(drawn, n_states - 1)
    return states


def _slopes() -> Floats:
    slopes = np.zeros((len(STATES), len(STATES)))
    for (origin, target), slope in DEPRESSION_SLOPES.items():
        slopes[STATES.index(origin), STATES.index(target)] = slope
    return slopes


def _effects(effect: float, center: float) -> list[dict[str, Any]]:
    if effect == 0:
        return []
    return [
        {
            "covariate": "depression",
            "parameter": f"transitions[{origin},{target}]",
            "slope": effect * slope,
            "center": center,
        }
        for (origin, target), slope in DEPRESSION_SLOPES.items()
    ]


def _emission(setting: _Setting) -> tuple[Floats, Floats]:
    """Weights per unit of the data (n_features, n_states) and intercept (n_states,)."""
    zero = (0.0,) * len(STATES)
    per_sd = np.array([setting.weights.get(name, zero) for name in setting.features])
    means = np.array([feature.mean for feature in setting.features.values()])
    sds = np.array([feature.sd for feature in setting.features.values()])
    weights = per_sd / sds[:, None]
    return weights, -means @ weights


def _pad(rows: Floats, lengths: Ints) -> Floats:
    """(sum of lengths, n_states) → (longest, n_persons, n_states)."""
    padded = np.zeros((len(lengths), int(lengths.max()), rows.shape[1]))
    padded[np.arange(padded.shape[1])[None, :] < lengths[:, None]] = rows
    return padded.swapaxes(0, 1)
