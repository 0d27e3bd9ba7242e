"""Likelihood, AIC and BIC: those of lme4; a network's bound, below the likelihood."""

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import likelihood_row
from nme_core.estimators import LinearMixedModel, NMEMLPClassifier, NMEMLPRegressor, baseline
from nme_core.exceptions import OptionError
from tests.reference.load import reference
from tests.reference.studies import study


def sleepstudy():
    table = study("sleepstudy")
    return table[["Days"]].astype(float), table["Reaction"].astype(float), table["Subject"]


@pytest.mark.parametrize(
    ("name", "placement", "covariance"),
    [
        ("sleepstudy_slope_ml", "all", "full"),
        ("sleepstudy_intercept_ml", ["layers.0.bias"], "diagonal"),
    ],
)
def test_it_equals_lme4(name, placement, covariance):
    X, y, groups = sleepstudy()
    model = NMEMLPRegressor((), placement, covariance=covariance, estimator="laplace")
    model.fit(X, y, groups=groups)
    expected = reference("lme4", name)
    assert model.log_likelihood_ == pytest.approx(expected.log_likelihood, abs=1e-3)
    assert model.aic_ == pytest.approx(expected.number("aic"), abs=2e-3)
    assert model.bic_ == pytest.approx(expected.number("bic"), abs=2e-3)
    assert model.likelihood_method_ == "exact"
    with pytest.raises(OptionError, match="variational"):
        _ = model.bound_


def test_baselines_that_are_linear_have_one_too():
    X, y, groups = sleepstudy()
    own = NMEMLPRegressor((), "all", covariance="full", estimator="laplace")
    expected = reference("lme4", "sleepstudy_slope_ml")
    lme = LinearMixedModel().fit(X, y, groups=groups).likelihood()
    assert 2 * (lme.n_parameters - lme.value) == pytest.approx(expected.number("aic"), abs=2e-3)
    assert lme.bic == pytest.approx(expected.number("bic"), abs=2e-3)
    generic = baseline(own, "generic").fit(X, y, groups=groups)
    residual = y - np.polyval(np.polyfit(X["Days"], y, 1), X["Days"])
    n, variance = len(y), float((residual**2).mean())
    assert generic.log_likelihood_ == pytest.approx(-n / 2 * (np.log(2 * np.pi * variance) + 1))
    assert generic.n_parameters_ == 3
    by_em = baseline(own, "mlp-lme").fit(X, y, groups=groups)
    assert by_em.n_parameters_ == 2 + 2 + 1 or by_em.n_parameters_ == 2 + 3 + 1
    assert by_em.likelihood_method_ == "exact"


def test_units_of_the_outcome_shift_it_by_the_jacobian():
    X, y, groups = sleepstudy()
    models = [
        NMEMLPRegressor((), "all", estimator="laplace").fit(X, scale * y, groups=groups)
        for scale in (1.0, 1000.0)
    ]
    shift = models[0].log_likelihood_ - models[1].log_likelihood_
    assert shift == pytest.approx(len(y) * np.log(1000), rel=1e-7)


def test_a_bound_lies_below_the_likelihood_that_it_bounds():
    """Of a linear model asked for by draws: below its maximum, by little; no criteria with it."""
    X, y, groups = sleepstudy()
    exact = NMEMLPRegressor((), "all").fit(X, y, groups=groups).log_likelihood_
    model = NMEMLPRegressor((), "all", epochs=2000).fit(X, y, groups=groups)
    assert exact - 25 < model.bound_ < exact
    row = likelihood_row(model, "nme").iloc[0]
    assert row["method"] == "bound"
    assert row["log_likelihood"] == model.bound_
    assert row[["n_parameters", "aic", "bic"]].isna().all()
    for name in ("log_likelihood_", "aic_", "bic_", "n_parameters_"):
        with pytest.raises(OptionError, match="linear in its parameters"):
            getattr(model, name)


def test_the_bound_of_a_network_is_the_same_each_time_and_after_a_file(one_of_each, tmp_path):
    model, again = one_of_each.fit(hidden=(4,)), one_of_each.fit(hidden=(4,))
    assert model.bound_ == again.bound_ < 0
    model.save(tmp_path / "model")
    assert type(model).load(tmp_path / "model").bound_ == model.bound_


def test_the_bound_of_counts_has_all_constants():
    """Under the best Poisson model without persons, whose likelihood is known."""
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"x": rng.normal(size=400)}), rng.poisson(3.0, 400)
    groups = np.repeat(np.arange(20), 20)
    model = NMEMLPRegressor((2,), family="poisson", epochs=400).fit(X, y, groups=groups)
    from scipy.stats import poisson

    best = float(poisson.logpmf(y, y.mean()).sum())
    assert best - 60 < model.bound_ < best + 10


def test_points_have_none(cases):
    for name in ("regressor annealed", "classifier annealed", "crf annealed"):
        model = cases[name].fit()
        assert model.likelihood() is None
        assert likelihood_row(model, "nme").empty
        with pytest.raises(OptionError, match="linear"):
            _ = model.log_likelihood_
    X, y, groups = sleepstudy()
    free = NMEMLPClassifier((), pooling="free", epochs=3).fit(X, y > 300, groups=groups)
    assert free.likelihood() is None
