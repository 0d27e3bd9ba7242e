"""Mixed models of other packages: statsmodels, GPBoost, MERF."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from nme_core.scoreboard.sample import TRAIN, VALIDATION, Chosen, Floats, Sample

#: With so many features at most each one's slope varies by person; with more, that of time only.
_FEW = 3
#: Trees at most, and rounds of MERF (its default is 20).
_MOST_TREES, _ROUNDS = 500, 10


def statsmodels(sample: Sample, seed: int) -> Floats:
    """MixedLM, by maximum likelihood."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    fixed, own = _with_one(sample.filled), _slopes(sample)
    learned, test = sample.learned, sample.test
    # columns that say the same would stop it
    _, where = np.unique(fixed[learned].round(10), axis=1, return_index=True)
    kept = fixed[:, np.sort(where)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MixedLM(
            sample.y[learned], kept[learned], groups=sample.person[learned], exog_re=own[learned]
        )
        fit = model.fit(reml=False, method=["lbfgs", "powell"])
        effects = {int(person): np.asarray(found) for person, found in fit.random_effects.items()}
    nobody = np.zeros(own.shape[1])
    deviations = np.array([effects.get(int(person), nobody) for person in sample.person[test]])
    return np.asarray(kept[test] @ np.asarray(fit.fe_params) + (own[test] * deviations).sum(1))


def gpboost(sample: Sample, seed: int) -> Floats:
    """Boosted trees beside random effects; as many trees as predict the validation rows best."""
    learned, watched = sample.part == TRAIN, sample.part == VALIDATION
    rounds = _MOST_TREES
    if watched.any():
        rounds = _boost(sample, learned, seed, rounds, watched).best_iteration
    booster = _boost(sample, sample.learned, seed, max(rounds, 1))
    slopes = _own_slopes(sample)
    found = booster.predict(
        data=sample.X[sample.test].to_numpy(np.float64),
        group_data_pred=sample.groups[sample.test].to_numpy(),
        group_rand_coef_data_pred=None if slopes is None else slopes[sample.test],
        predict_var=bool(sample.classes),
        pred_latent=False,
    )["response_mean"]
    return np.column_stack([1 - found, found]) if sample.classes else np.asarray(found)


def _boost(
    sample: Sample, learned: Chosen, seed: int, rounds: int, watched: Chosen | None = None
) -> Any:
    package = import_module("gpboost")
    X, groups, slopes = sample.X.to_numpy(np.float64), sample.groups.to_numpy(), _own_slopes(sample)
    more: dict[str, Any] = {}
    if slopes is not None:
        more = {
            "group_rand_coef_data": slopes[learned],
            "ind_effect_group_rand_coef": [1] * slopes.shape[1],
        }
    effects = package.GPModel(
        group_data=groups[learned],
        likelihood="bernoulli_logit" if sample.classes else "gaussian",
        **more,
    )
    data = package.Dataset(X[learned], sample.y[learned])
    given: dict[str, Any] = {}
    if watched is not None:
        effects.set_prediction_data(
            group_data_pred=groups[watched],
            group_rand_coef_data_pred=None if slopes is None else slopes[watched],
        )
        held = package.Dataset(X[watched], sample.y[watched], reference=data)
        given = {
            "valid_sets": held,
            "early_stopping_rounds": 20,
            "use_gp_model_for_validation": True,
        }
    settings = {"learning_rate": 0.05, "max_depth": 5, "verbose": -1, "seed": seed}
    return package.train(
        params=settings, train_set=data, gp_model=effects, num_boost_round=rounds,
        verbose_eval=False, **given,
    )  # fmt: skip


def merf(sample: Sample, seed: int) -> Floats:
    """A random forest beside random effects, by EM."""
    package = import_module("merf")
    forest = import_module("sklearn.ensemble").RandomForestRegressor(
        n_estimators=100, min_samples_leaf=3, random_state=seed
    )
    model = package.MERF(fixed_effects_model=forest, max_iterations=_ROUNDS)
    learned, test = sample.learned, sample.test
    X, own, person = sample.filled, _slopes(sample), pd.Series(sample.person)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[learned], own[learned], _fresh(person[learned]), sample.y[learned])
        found = model.predict(X[test], own[test], _fresh(person[test]))
    return np.asarray(found, dtype=np.float64)


def _fresh(values: pd.Series) -> pd.Series:
    return values.reset_index(drop=True)


def _with_one(columns: Floats) -> Floats:
    return np.hstack([np.ones((len(columns), 1)), columns])


def _own_slopes(sample: Sample) -> Floats | None:
    """Columns whose slope varies by person; None where groups are crossed or there are none."""
    if sample.groups.shape[1] > 1:
        return None
    if sample.X.shape[1] <= _FEW:
        return sample.filled
    if sample.time is None:
        return None
    time = sample.time.to_numpy(np.float64)
    own = time[sample.learned]
    return np.asarray((time - own.mean())[:, None] / own.std(), dtype=np.float64)


def _slopes(sample: Sample) -> Floats:
    slopes = _own_slopes(sample)
    return _with_one(np.empty((len(sample.y), 0)) if slopes is None else slopes)
