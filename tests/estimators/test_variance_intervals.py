"""Standard errors and intervals of variances, beside lme4 and glmmTMB."""

import numpy as np
import pandas as pd
import pytest

from nme_core import NMEMLPClassifier, NMEMLPRegressor
from nme_core.analysis import summary_table
from nme_core.estimators.saving import load
from nme_core.estimators.variance_intervals import Asked
from tests.reference.load import reference
from tests.reference.studies import study

LEVEL = ["layers.0.bias"]


@pytest.fixture(scope="module")
def sleep():
    rows = study("sleepstudy")
    model = NMEMLPRegressor((), "all", covariance="full", estimator="laplace")
    return model.fit(rows[["Days"]], rows["Reaction"], groups=rows["Subject"]), rows


def test_intervals_of_a_linear_model_are_those_of_lme4(sleep):
    """Profiles; those of the intercept in units of the data, where slopes are random, too."""
    model, _ = sleep
    low, high = (
        reference("lme4", "sleepstudy_slope_ml").values(f"profile_{end}") for end in ("low", "high")
    )
    found = np.sqrt(model.variance_intervals()[["low", "high"]])
    for name, term in (
        ("layers.0.weight[0,0]", "sd_Days|Subject"),
        ("layers.0.bias[0]", "sd_(Intercept)|Subject"),
    ):
        np.testing.assert_allclose(found.loc[name], [low[term], high[term]], rtol=2e-4)
    sigma = np.sqrt(model.residual_variance_interval()[["low", "high"]])
    np.testing.assert_allclose(sigma, [low["sigma"], high["sigma"]], rtol=6e-3)  # on the log scale


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.DispersionWarning")
@pytest.mark.parametrize(
    ("name", "data", "outcome", "factor", "features", "family"),
    [
        ("cbpp_laplace", "cbpp", "incidence", "herd", ["period2", "period3", "period4"], None),
        ("epilepsy_laplace", "epilepsy", "seizures", "subject",
         ["treatment", "base", "age", "period"], "poisson"),
    ],
)  # fmt: skip
def test_standard_errors_are_those_of_glmmtmb(name, data, outcome, factor, features, family):
    rows, r = study(data), reference("glmmTMB", name)
    kind = NMEMLPRegressor if family else NMEMLPClassifier
    y = rows[outcome] if family else rows[outcome].astype(str)
    model = kind((), LEVEL, family=family).fit(rows[features], y, groups=rows[factor])
    sd = np.sqrt(model.random_effects_cov_.iloc[0, 0])
    found = model.variance_intervals().iloc[0]
    assert found["se"] / (2 * sd) == pytest.approx(r.values("sd_se", factor).iloc[0], rel=1e-3)
    assert found["low"] < sd**2 < found["high"]


def test_the_profile_of_binary_outcomes_is_that_of_lme4():
    """confint of glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp)."""
    rows = study("cbpp")
    model = NMEMLPClassifier((), LEVEL)
    model.fit(
        rows[["period2", "period3", "period4"]],
        rows["incidence"].astype(str),
        groups=rows["herd"],
    )
    found = np.sqrt(model.variance_intervals().iloc[0][["low", "high"]])
    np.testing.assert_allclose(found, [0.346073, 1.09997], atol=1e-4)


def test_several_factors_have_standard_errors():
    rows, r = study("grouseticks"), reference("glmmTMB", "grouseticks_full_laplace")
    model = NMEMLPRegressor((), LEVEL, family="poisson")
    features = [c for c in r.values("fixed").index if c != "(Intercept)"]
    model.fit(rows[features], rows["TICKS"], groups=rows[["INDEX", "BROOD", "LOCATION"]])
    for factor in ("INDEX", "BROOD", "LOCATION"):
        sd = np.sqrt(model.covariance_of(factor).iloc[0, 0])
        se = model.variance_intervals(factor)["se"].iloc[0] / (2 * sd)
        assert se == pytest.approx(r.values("sd_se", factor).iloc[0], rel=0.01)


def test_a_variance_of_0_has_an_interval_from_0_and_no_standard_error():
    rng = np.random.default_rng(0)
    person, x = np.repeat(np.arange(40), 5), rng.normal(size=(200, 1))
    noise = rng.normal(size=200).reshape(40, 5)
    y = (noise - noise.mean(1, keepdims=True)).reshape(-1) + x[:, 0]
    outcomes = (NMEMLPRegressor, y), (NMEMLPClassifier, np.where(y > 0, "b", "a"))
    for kind, outcome in outcomes:
        with pytest.warns(match="0"):
            model = kind((), LEVEL, estimator="laplace").fit(x, outcome, groups=person)
        found = model.variance_intervals().iloc[0]
        assert np.isnan(found["se"])
        assert found["low"] == 0
        assert found["high"] > 0.001


def test_summary_and_file_keep_them(sleep, tmp_path):
    model, rows = sleep
    table = summary_table(model, rows[["Days"]]).set_index(["parameter", "quantity"])["value"]
    known = model.variance_intervals()
    for name in known.index:
        assert table[name, "variance_se"] == known.loc[name, "se"]
        assert table[name, "sd_low"] == pytest.approx(known.loc[name, "low"] ** 0.5)
    assert table["", "residual_variance_low"] < table["", "residual_variance"]
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors").variance_intervals()
    pd.testing.assert_frame_equal(again, known)


def test_networks_have_none():
    rng = np.random.default_rng(0)
    x, person = rng.normal(size=(60, 1)), np.repeat(np.arange(10), 6)
    model = NMEMLPRegressor((4,), epochs=2).fit(x, x[:, 0], groups=person)
    assert model.variance_intervals().isna().all(axis=None)
    table = summary_table(model, pd.DataFrame(x, columns=model.feature_names_in_))
    assert "variance_se" not in set(table["quantity"])


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_a_residual_variance_of_few_rows_has_an_interval():
    rng = np.random.default_rng(0)
    X = 3 * rng.uniform(size=(10, 1))
    groups = np.arange(10) % 5
    model = NMEMLPRegressor(hidden=()).fit(X, X[:, 0].astype(int), groups=groups)
    found = model.residual_variance_interval()
    assert 0 < found["low"] < model.residual_variance_ < found["high"]


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
@pytest.mark.parametrize(
    ("data", "outcome", "factors", "features", "options"),
    [
        ("sleepstudy", "Reaction", ["Subject"], ["Days"], {"placement": "all"}),  # profiles
        ("cbpp", "incidence", ["herd"], ["period2", "period3"], {"placement": LEVEL}),
        ("penicillin", "diameter", ["plate", "sample"], [], {"placement": LEVEL}),
    ],
)
def test_a_fit_can_say_what_its_intervals_hold_without_their_ends(
    data, outcome, factors, features, options
):
    rows = study(data)
    number = data != "cbpp"
    X = rows[features] if features else pd.DataFrame({"one": np.zeros(len(rows))})
    y = rows[outcome] if number else rows[outcome].astype(str)
    groups = rows[factors] if len(factors) > 1 else rows[factors[0]]
    model = (NMEMLPRegressor if number else NMEMLPClassifier)((), **options)
    model.fit(X, y, groups=groups)
    ends = [model.variance_intervals(factor) for factor in model.factors_]
    residual = model.residual_variance_interval()
    assert np.isfinite(ends[0]["high"]).any()
    for end, by, expected in (
        ("low", 0.98, 0),
        ("low", 1.02, 1),
        ("high", 0.98, 1),
        ("high", 1.02, 0),
    ):
        asked = pd.DataFrame([one[end].fillna(1.0) * by for one in ends])
        model._asked = Asked(asked, residual[end] * by)
        model.fit(X, y, groups=groups)
        for one, name in zip(ends, model.factors_, strict=True):
            assert (model.variance_intervals(name)["held"][one[end].gt(0)] == expected).all()
        if np.isfinite(residual["low"]):
            assert model.residual_variance_interval()["held"] == expected
