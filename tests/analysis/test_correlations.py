"""Correlations of estimates, and the band that a model expects of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import correlations, effect_correlations
from nme_core.estimators import NMEMLPRegressor
from nme_core.exceptions import BoundaryWarning

#: SDs of intercept and three slopes of the simulated persons.
SD = np.array([0.6, 0.5, 0.5, 0.5])
FIRST, THIRD = "layers.0.weight[0,0]", "layers.0.weight[0,2]"


def design(n_persons: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Persons of 5 to 24 rows, and three features of which the first two go together."""
    rng = np.random.default_rng(seed)
    persons = np.repeat(np.arange(n_persons), rng.integers(5, 25, n_persons))
    x = rng.normal(size=(len(persons), 3))
    x[:, 1] = 0.7 * (x[:, 0] + x[:, 1])
    return persons, x


def outcome(persons: np.ndarray, x: np.ndarray, correlation: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = np.eye(4)
    shape[1, 3] = shape[3, 1] = correlation
    own = rng.multivariate_normal(np.zeros(4), shape * np.outer(SD, SD), persons.max() + 1)[persons]
    return own[:, 0] + (own[:, 1:] * x).sum(1) + rng.normal(size=len(x))


def fitted(correlation: float, *, n_persons: int = 60, **options: str) -> NMEMLPRegressor:
    persons, x = design(n_persons, seed=1)
    model = NMEMLPRegressor((), "all", **{"estimator": "laplace", **options})
    return model.fit(x, outcome(persons, x, correlation, seed=2), groups=persons)


def pair(table: pd.DataFrame, *names: str) -> pd.Series:
    found = table[table["parameter"].isin(names) & table["parameter_2"].isin(names)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_band_is_that_of_best_linear_predictions_of_new_outcomes() -> None:
    """Against η̂ = ΣZᵀ(ZΣZᵀ + σ²I)⁻¹(y − Zθ̄) of outcomes that are drawn from the fitted model."""
    model = fitted(0.0)
    table = effect_correlations(model)
    persons, x = design(60, seed=1)
    names = ["layers.0.bias[0]", *(f"layers.0.weight[0,{k}]" for k in range(3))]
    sigma = model.random_effects_cov_.loc[names, names].to_numpy()
    # Σ is diagonal in standardised units; in those of the data the bias goes with the slopes.
    noise_sd, rng = model.residual_variance_**0.5, np.random.default_rng(3)
    drawn = np.empty((400, 60, 4))
    for i in range(60):
        z = np.column_stack([np.ones((persons == i).sum()), x[persons == i]])
        eta = rng.multivariate_normal(np.zeros(4), sigma, 400)
        y = eta @ z.T + noise_sd * rng.normal(size=(400, len(z)))
        weights = np.linalg.solve(z @ sigma @ z.T + noise_sd**2 * np.eye(len(z)), z @ sigma)
        drawn[:, i] = y @ weights
    others = np.array([np.corrcoef(one.T) for one in drawn])
    for a, b in [(0, 1), (1, 2), (1, 3), (2, 3)]:
        row = pair(table, names[a], names[b])
        assert row["simulated_mean"] == pytest.approx(others[:, a, b].mean(), abs=0.04)
        for end, level in (("simulated_low", 0.025), ("simulated_high", 0.975)):
            assert row[end] == pytest.approx(np.quantile(others[:, a, b], level), abs=0.08)


def test_estimates_that_the_rows_cannot_tell_apart_are_expected_to_go_together() -> None:
    row = pair(effect_correlations(fitted(0.0)), FIRST, "layers.0.weight[0,1]")
    assert abs(row["simulated_mean"]) > 0.1
    assert row["simulated_low"] < row["correlation"] < row["simulated_high"]


@pytest.mark.parametrize(("covariance", "outside"), [("diagonal", True), ("full", False)])
def test_a_planted_correlation_leaves_the_band_of_a_model_that_excludes_it(
    covariance: str, outside: bool
) -> None:
    row = pair(effect_correlations(fitted(0.8, covariance=covariance)), FIRST, THIRD)
    assert (row["correlation"] > row["simulated_high"]) is np.bool_(outside)
    assert (row["p_adjusted"] < 0.05) is np.bool_(outside)


def test_the_models_own_correlation_is_that_of_its_covariance() -> None:
    model = fitted(0.8, covariance="full")
    row, sigma = pair(effect_correlations(model), FIRST, THIRD), model.random_effects_cov_
    own = sigma.loc[FIRST, THIRD] / np.sqrt(sigma.loc[FIRST, FIRST] * sigma.loc[THIRD, THIRD])
    assert row["model_correlation"] == pytest.approx(own)
    assert own > 0.4
    independent = pair(effect_correlations(fitted(0.8)), FIRST, THIRD)
    assert independent["model_correlation"] == 0


def test_p_is_that_of_the_furthest_of_all_pairs() -> None:
    table = effect_correlations(fitted(0.0))
    half = (table["simulated_high"] - table["simulated_low"]) / 2
    away = (table["correlation"] - table["simulated_mean"]).abs() / half
    assert table["p_adjusted"].between(1 / (1 + correlations.DRAWS), 1).all()
    # One pair alone is outside in 5 % of draws; the furthest of six is so more often.
    assert (table.loc[away > 0.9, "p_adjusted"] > 0.05).all()
    assert table.loc[away.idxmax(), "p_adjusted"] == table["p_adjusted"].min()


def test_of_very_many_persons_some_are_simulated_and_the_band_is_as_narrow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = fitted(0.0, n_persons=400)
    whole = effect_correlations(model)
    monkeypatch.setattr(correlations, "MOST_PERSONS", 100)
    some = effect_correlations(model)
    for column in ("simulated_mean", "simulated_low", "simulated_high"):
        assert some[column].to_numpy() == pytest.approx(whole[column].to_numpy(), abs=0.03)
    assert some["correlation"].equals(whole["correlation"])


def points(n_persons: int) -> NMEMLPRegressor:
    persons, x = design(n_persons, seed=1)
    model = NMEMLPRegressor((2,), "last", estimator="annealed", epochs=3)
    return model.fit(x, outcome(persons, x, 0.0, seed=2), groups=persons)


def test_points_have_correlations_but_no_band() -> None:
    table = effect_correlations(points(12))
    assert table["correlation"].notna().all()
    assert table[["simulated_low", "simulated_high", "p_adjusted"]].isna().all(axis=None)


def test_three_persons_are_too_few() -> None:
    table = effect_correlations(points(3))
    assert table.empty
    assert tuple(table.columns) == correlations.COLUMNS


def test_the_most_reliable_parameters_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted(0.0)
    reliable = model.reliability_.mean().sort_values().index[-2:]
    monkeypatch.setattr(correlations, "MOST_PARAMETERS", 2)
    table = effect_correlations(model)
    assert {*table["parameter"], *table["parameter_2"]} == set(reliable)


def test_what_nobody_differs_in_goes_together_with_nothing() -> None:
    """Its estimates are all alike: no correlation, and no p."""
    persons, x = design(30, seed=1)
    y = outcome(persons, x, 0.0, seed=2) - 0 * persons
    still = np.random.default_rng(3).normal(size=len(y))  # a feature whose slope nobody has
    model = NMEMLPRegressor((), "all", estimator="laplace")
    with pytest.warns(BoundaryWarning):
        model.fit(np.column_stack([x[:, 0], still]), y, groups=persons)
    table = effect_correlations(model)
    none = table["correlation"].isna()
    assert none.any()
    assert table.loc[none, "p_adjusted"].isna().all()
    assert table.loc[~none, "p_adjusted"].notna().all()
