"""Response curves: whose, where, and what the model says there."""

import numpy as np
import pandas as pd
import pytest

from nme_core import NMEMLPRegressor, analysis
from nme_core.analysis import response_curves
from nme_core.exceptions import OptionError
from nme_core.io import TABLES


@pytest.fixture(scope="module")
def curves(regressor, features):
    return response_curves(regressor, *features)


def test_a_persons_curve_stays_in_the_persons_own_range(curves, features):
    X, person = features
    own = curves[curves["person"] != ""]
    assert own["person"].nunique() == 6
    for (who, feature), curve in own.groupby(["person", "feature"]):
        seen = X.loc[(person == who).to_numpy(), feature]
        assert seen.min() <= curve["x"].min()
        assert curve["x"].max() <= seen.max()
    wide = own[own["feature"] == "wide"].groupby("person")["x"].agg(["min", "max"])
    assert (wide["max"] - wide["min"]).min() > 2


def test_the_populations_curve_spans_nearly_all_values(curves, features):
    x = curves[(curves["person"] == "") & (curves["feature"] == "wide")]["x"]
    assert len(x) == 25
    assert (x.min(), x.max()) == pytest.approx(tuple(features[0]["wide"].quantile([0.01, 0.99])))


def test_a_feature_of_few_values_is_shown_at_these(curves):
    flag = curves[curves["feature"] == "flag"]
    assert set(flag["x"]) == {0, 1}
    assert "p5" not in set(flag["person"])  # never observed


def test_values_are_predictions_with_the_other_features_at_their_mean(curves, regressor, features):
    X, _ = features
    assert list(curves.columns) == [*TABLES["response_curves"], "ci_low", "ci_high"]
    for who in ("p2", ""):
        curve = curves[(curves["person"] == who) & (curves["feature"] == "wide")]
        rows = pd.DataFrame({**X.mean().to_dict(), "wide": curve["x"].to_numpy()})
        if who:
            expected = regressor.predict(rows, [who] * len(rows))
        else:
            expected = regressor.predict(rows, level="population")
        assert curve["value"].to_numpy() == pytest.approx(expected, abs=1e-5)


def test_intervals_are_the_models_own_and_only_of_persons(curves, regressor, features, monkeypatch):
    curve = curves[(curves["person"] == "p2") & (curves["feature"] == "wide")]
    rows = pd.DataFrame({**features[0].mean().to_dict(), "wide": curve["x"].to_numpy()})
    low, high = regressor.predict_interval(rows, ["p2"] * len(rows))
    assert curve["ci_low"].to_numpy() == pytest.approx(low, abs=1e-5)
    assert curve["ci_high"].to_numpy() == pytest.approx(high, abs=1e-5)
    assert (curve["ci_low"] < curve["value"]).all()
    assert curves.loc[curves["person"] == "", ["ci_low", "ci_high"]].isna().all(axis=None)
    monkeypatch.setitem(analysis.response_curves.__globals__, "LARGEST_WITH_INTERVALS", 10)
    large = response_curves(regressor, *features)
    assert large[["ci_low", "ci_high"]].isna().all(axis=None)
    assert large["value"].tolist() == curves["value"].tolist()


def test_probabilities_of_all_classes_sum_to_one(classifier, features):
    curves = response_curves(classifier, *features)
    assert set(curves["class"]) == {"no", "so", "yes"}
    own = curves[curves["person"] != ""]
    assert own["ci_low"].between(0, own["value"] + 1e-6).all()
    assert own["ci_high"].between(own["value"] - 1e-6, 1).all()
    sums = curves.groupby(["person", "feature", "x"])["value"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(sums)), abs=1e-5)


def test_a_feature_that_no_person_varies_in_has_the_populations_curve():
    rng = np.random.default_rng(0)
    person = pd.Series(np.repeat([f"p{k:02d}" for k in range(40)], 2))
    X = pd.DataFrame({"age": np.repeat(rng.uniform(20, 60, 40), 2)})
    X.iloc[::2] = np.nan  # given once only
    model = NMEMLPRegressor(hidden=(), epochs=2).fit(X, rng.normal(size=80), groups=person)
    curves = response_curves(model, X, person)
    assert curves["person"].tolist() == [""] * 25


def test_a_table_that_would_be_too_large_is_refused(regressor, features, monkeypatch):
    monkeypatch.setitem(analysis.response_curves.__globals__, "LARGEST", 10)
    with pytest.raises(OptionError, match="too large"):
        response_curves(regressor, *features)
