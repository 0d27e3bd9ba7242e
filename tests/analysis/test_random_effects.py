"""Random effects and their covariance as long tables."""

import numpy as np
import pytest

from nme_core import NMEMLPRegressor
from nme_core.analysis import covariance_table, fixed_effects_table, random_effects_table
from nme_core.io import TABLES


def test_one_row_per_person_and_parameter(regressor, features):
    table = random_effects_table(regressor)
    assert list(table.columns) == [*TABLES["random_effects"], "ci_low", "ci_high"]
    names = [*(f"layers.1.weight[0,{k}]" for k in range(4)), "layers.1.bias[0]"]
    assert table["parameter"].tolist() == names * 6
    assert table["person"].unique().tolist() == features[1].unique().tolist()
    assert (table["n_obs"] == 12).all()


def test_numbers_are_those_of_the_model(regressor):
    table = random_effects_table(regressor).set_index(["person", "parameter"])
    for column, frame in (
        ("estimate", regressor.random_effects_),
        ("se", regressor.random_effects_se_),
        ("reliability", regressor.reliability_),
    ):
        wide = table[column].unstack()[list(frame.columns)]
        assert wide.to_numpy() == pytest.approx(frame.to_numpy())


def test_intervals_lie_around_the_estimate_and_are_wider_than_the_standard_error(regressor):
    table = random_effects_table(regressor)
    assert (table["ci_low"] + table["ci_high"]).to_numpy() == pytest.approx(2 * table["estimate"])
    assert (table["ci_high"] - table["estimate"] >= 1.95 * table["se"]).all()
    error = regressor.effects().error.to_numpy().ravel()
    assert (table["ci_high"] - table["estimate"]).to_numpy() == pytest.approx(
        1.96 * error, rel=1e-4
    )


def test_fixed_effects_have_intervals_where_they_are_unique(regressor, crf):
    assert list(fixed_effects_table(crf).columns) == [
        *("parameter", "estimate", "se", "ci_low", "ci_high")
    ]
    table = fixed_effects_table(crf)
    assert (table["se"] > 0).all()
    half = 12.7062 * table["se"]  # Student's t of two persons
    assert (table["ci_high"] - table["estimate"]).to_numpy() == pytest.approx(half, rel=1e-4)
    assert fixed_effects_table(regressor)["se"].isna().all()


def test_number_of_observations_is_each_persons_own(crf, chain):
    table = random_effects_table(crf).drop_duplicates("person").set_index("person")
    assert table["n_obs"].to_dict() == {"b": 10, "007": 6}
    assert table["parameter"].iloc[0] == "transitions[calm,calm]"


def test_a_point_estimate_has_no_standard_error(features):
    X, person = features
    model = NMEMLPRegressor(hidden=(), estimator="annealed", epochs=5)
    table = random_effects_table(model.fit(X, X["wide"], groups=person))
    assert len(table) == 6 * len(model.parameter_names())
    assert table["estimate"].notna().all()
    assert table[["se", "reliability"]].isna().all(axis=None)


def test_a_diagonal_covariance_has_its_diagonal_only(regressor):
    table = covariance_table(regressor)
    assert (table["parameter"] == table["parameter_2"]).all()
    assert table["value"].to_numpy() == pytest.approx(np.diag(regressor.random_effects_cov_))


def test_a_full_covariance_has_each_pair_once(features):
    X, person = features
    model = NMEMLPRegressor(hidden=(3,), covariance="full", epochs=20)
    model.fit(X, X["wide"] + X["level"], groups=person)
    table = covariance_table(model)
    sigma = model.random_effects_cov_
    assert len(table) == 4 * 5 / 2
    for row in table.itertuples():
        assert row.value == sigma.loc[row.parameter, row.parameter_2]
