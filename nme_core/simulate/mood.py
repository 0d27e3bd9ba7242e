"""Simulated daily mood with a person-specific, nonlinear response to sleep.

    mood = level_i + height_i exp( −(sleep − optimum_i)² / (2 width²) ) + b'z + ε,   ε ~ N(0, σ²)

level_i, height_i and optimum_i vary over persons; depression moves optimum and height.
"""

from __future__ import annotations

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
)

#: Mean and standard deviation over persons; the width is the same for all.
RESPONSE = {
    "level": (3.5, 0.6),
    "height": (3.0, 0.6),
    "optimum": (7.5, 0.6),
    "width": (1.3, 0.0),
}

#: Change of a person's response per point of depression.
DEPRESSION_SLOPES = {"optimum": 0.04, "height": 0.03}

#: Effects that are the same for everybody, per unit of the feature; steps have none.
LINEAR = {"stress": -0.15, "weekend": 0.3}

SIGMA = 0.5

_FEATURES = {
    "sleep": Feature(7.2, 1.5, 0.2, 0.0),
    "stress": Feature(4.0, 1.6, 0.4, 0.0),
    "steps": Feature(7.0, 2.5, 0.3, 0.0),
}


def simulate_mood(
    n_persons: int = 60,
    n_steps: int | tuple[int, int] = (28, 56),
    *,
    effect: float = 1.0,
    compliance_effect: bool = False,
    gaps: float = 0.12,
    seed: int = 2,
) -> SampleStudy:
    """Daily mood whose response to sleep is an inverted U of each person's own.

    Parameters
    ----------
    n_persons : int
        Number of persons.
    n_steps : int or (lowest, highest)
        Length of the diary in days, spread evenly between the two.
    effect : float
        Multiplies `DEPRESSION_SLOPES`; with 0 depression has no effect.
    compliance_effect : bool
        Whether persons with more depression have shorter diaries.
    gaps : float
        Share of days without an entry (their rows are absent), completely at random.
    seed : int
        Seed of everything that is random.

    Returns
    -------
    SampleStudy
        Rows: person × day with an entry. Covariates: depression, age.
    """
    rng = np.random.default_rng(seed)
    depression = draw_depression(rng, n_persons)
    age = np.round(rng.uniform(18.0, 65.0, n_persons), 1)
    lengths = draw_lengths(rng, depression, n_steps, compliance_effect)
    ids = name_persons("P", n_persons)
    center = float(depression.mean())
    response = _draw_response(rng, effect * (depression - center))

    days = occasions(lengths)
    weekday = np.repeat(rng.integers(0, 7, n_persons), lengths) + days
    features = draw_features(rng, _FEATURES, lengths)
    features["weekend"] = (weekday % 7 >= 5).astype(np.int64)
    mood = mood_response(features["sleep"].to_numpy(), response.loc[_row_index(lengths)])
    for name, slope in LINEAR.items():
        mood = mood + slope * features[name].to_numpy()
    mood = np.round(mood + rng.normal(0.0, SIGMA, len(mood)), 3)

    long = pd.DataFrame({"person": person_of_rows(ids, lengths), "day": days + 1, "mood": mood})
    long = pd.concat([long, features], axis=1)
    answered = (rng.random(len(long)) >= gaps) | (days == 0)
    long = long[answered].reset_index(drop=True)
    covariates = pd.DataFrame({"person": ids, "depression": depression.astype(int), "age": age})
    truth = {
        "study": "mood",
        "simulated": True,
        "seed": seed,
        "n_persons": n_persons,
        "population": {
            "response": {name: mean for name, (mean, _) in RESPONSE.items()},
            "linear": dict(LINEAR),
        },
        "random_sd": {name: sd for name, (_, sd) in RESPONSE.items()},
        "sigma": SIGMA,
        "effects": _effects(effect, center),
        "compliance_effect": compliance_effect,
        "gaps": gaps,
        "persons": _persons(ids, depression, response, long),
    }
    roles = {
        "person": "person",
        "time": "day",
        "outcome": "mood",
        "features": list(features.columns),
        "model": "nme-mlp",
    }
    return SampleStudy("mood", long, covariates, truth, roles)


def mood_response(sleep: Floats, response: pd.DataFrame) -> Floats:
    """Mood expected after a night, without the linear effects.

    Parameters
    ----------
    sleep : ndarray, shape (n,)
        Hours of sleep.
    response : DataFrame, n rows
        level, height, optimum (hours), width (hours).
    """
    distance = (sleep - response["optimum"].to_numpy()) / response["width"].to_numpy()
    bump = response["height"].to_numpy() * np.exp(-0.5 * distance**2)
    return np.asarray(response["level"].to_numpy() + bump, dtype=np.float64)


def _draw_response(rng: np.random.Generator, depression: Floats) -> pd.DataFrame:
    """Parameters of each person; depression is centred, and scaled by the effect."""
    columns = {
        name: mean
        + rng.normal(0.0, sd, len(depression))
        + DEPRESSION_SLOPES.get(name, 0.0) * depression
        for name, (mean, sd) in RESPONSE.items()
    }
    return pd.DataFrame(columns)


def _row_index(lengths: Ints) -> Ints:
    return np.repeat(np.arange(len(lengths)), lengths)


def _effects(effect: float, center: float) -> list[dict[str, Any]]:
    if effect == 0:
        return []
    return [
        {"covariate": "depression", "parameter": name, "slope": effect * slope, "center": center}
        for name, slope in DEPRESSION_SLOPES.items()
    ]


def _persons(
    ids: list[str], depression: Floats, response: pd.DataFrame, long: pd.DataFrame
) -> dict[str, Any]:
    entries = long["person"].value_counts()
    return {
        who: {"n_steps": int(entries[who]), "depression": score, "response": parameters}
        for who, score, parameters in zip(
            ids, depression.tolist(), response.to_dict(orient="records"), strict=True
        )
    }
