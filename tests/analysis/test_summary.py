"""Variances, shrinkage, ICC; and what is said to be approximate."""

import numpy as np
import pandas as pd
import pytest

from nme_core import NMEMLPRegressor
from nme_core.analysis import approximations, intraclass_correlation, summary_table
from nme_core.simulate import simulate_mood


@pytest.fixture(scope="module")
def intercepts():
    """Balanced one-way layout: everything has a closed form."""
    rng = np.random.default_rng(4)
    person = np.repeat([f"p{k:02d}" for k in range(60)], 5)
    y = np.repeat(rng.normal(0, 2, 60), 5) + rng.normal(0, 1, 300)
    X = pd.DataFrame({"x": rng.normal(size=300)})
    model = NMEMLPRegressor((), "layers.0.bias", estimator="laplace").fit(X, y, groups=person)
    return model, X


def test_icc_and_shrinkage_of_a_random_intercept(intercepts):
    model, X = intercepts
    table = summary_table(model, X).set_index(["parameter", "quantity"])["value"]
    variance = model.random_effects_cov_.iloc[0, 0]
    residual = model.residual_variance_
    assert table["", "icc"] == pytest.approx(variance / (variance + residual), rel=1e-6)
    assert table["", "icc"] == pytest.approx(0.8, abs=0.1)
    assert table["", "n_groups"] == 60
    name = "layers.0.bias[0]"
    assert table[name, "variance"] == pytest.approx(variance)
    assert table[name, "sd"] == pytest.approx(variance**0.5)
    reliability = variance / (variance + residual / 5)
    assert table[name, "mean_reliability"] == pytest.approx(reliability, rel=1e-4)
    assert table[name, "shrinkage"] == pytest.approx(1 - reliability, abs=0.02)


def test_icc_with_a_random_slope_averages_over_the_rows():
    rng = np.random.default_rng(5)
    person, x = np.repeat(np.arange(40), 12), rng.normal(3, 2, 480)
    own = rng.normal(size=(40, 2))
    y = own[person, 0] + own[person, 1] * x + rng.normal(size=480)
    model = NMEMLPRegressor((), "all", covariance="full", estimator="laplace")
    model.fit(x[:, None], y, groups=person)
    sigma = model.random_effects_cov_.loc[
        ["layers.0.bias[0]", "layers.0.weight[0,0]"], ["layers.0.bias[0]", "layers.0.weight[0,0]"]
    ].to_numpy()
    design = np.column_stack([np.ones(480), x])
    between = np.einsum("nr,rs,ns->n", design, sigma, design).mean()
    expected = between / (between + model.residual_variance_)
    found = intraclass_correlation(
        model, pd.DataFrame({"x0": x}).set_axis(model.feature_names_in_, axis=1)
    )
    assert found["person"] == pytest.approx(expected, rel=1e-4)


def test_a_network_has_no_icc():
    """Its residual variance is too large for that: a share that is wrong is not given."""
    study = simulate_mood(n_persons=8, seed=3)
    rows, features = study.long, study.roles["features"]
    model = NMEMLPRegressor((4,), epochs=5)
    model.fit(rows[features], rows["mood"], groups=rows["person"])
    assert intraclass_correlation(model, rows[features]) == {}
    assert "icc" not in set(summary_table(model, rows[features])["quantity"])


def test_classes_have_no_icc(crf, chain):
    table = summary_table(crf, chain[["x"]])
    assert "icc" not in set(table["quantity"])
    assert {"variance", "shrinkage", "n_groups"} <= set(table["quantity"])


def test_what_is_approximate_is_said(intercepts, crf, features):
    assert "points" not in str(approximations(intercepts[0]))
    few = approximations(crf)
    assert {entry["table"] for entry in few} == {"fixed_effects", "random_effects", "transitions"}
    assert {entry["status"] for entry in few} == {"not examined"}
    X, person = features
    points = NMEMLPRegressor((), estimator="annealed", epochs=3).fit(X, X["wide"], groups=person)
    assert "points" in approximations(points)[0]["reason"]
