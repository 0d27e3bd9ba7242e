"""Person and clinic: effects of two grouping factors, nested and crossed."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.base import clone

from nme_core.analysis.approximation import approximations
from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import DataError, FallbackWarning, OptionError, UnknownPersonError

INTERCEPT = "layers.0.bias[0]"
SD = {"person": 2.0, "clinic": 1.5, "residual": 1.0}


def simulate(
    design: str, n_persons: int = 120, n_clinics: int = 24, n_rows: int = 12, seed: int = 0
):
    """y = 10 + 0.5 x + person + clinic + ε; a person has one clinic, or visits several."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_persons), n_rows)
    own = rng.normal(0, SD["person"], n_persons)
    of_clinic = rng.normal(0, SD["clinic"], n_clinics)
    clinic = person % n_clinics if design == "nested" else rng.integers(n_clinics, size=len(person))
    x = rng.normal(size=len(person))
    noise = rng.normal(0, SD["residual"], len(person))
    return SimpleNamespace(
        X=pd.DataFrame({"x": x}),
        y=10 + 0.5 * x + own[person] + of_clinic[clinic] + noise,
        groups=pd.DataFrame(
            {"person": [f"p{k:03d}" for k in person], "clinic": [f"c{k:02d}" for k in clinic]}
        ),
        truth={"person": own, "clinic": of_clinic},
    )


def mixed_lm(study) -> dict[str, float]:
    """Variances by statsmodels' MixedLM with two variance components."""
    data = study.groups.assign(y=study.y, x=study.X["x"], all=1)
    peer = sm.MixedLM.from_formula(
        "y ~ x",
        data,
        groups="all",
        vc_formula={"person": "0 + C(person)", "clinic": "0 + C(clinic)"},
        re_formula="0",
    ).fit(reml=False)
    names = peer.model.exog_vc.names
    return {**dict(zip(names, peer.vcomp, strict=True)), "residual": peer.scale}


@pytest.fixture(scope="module", params=["nested", "crossed"])
def fitted(request):
    study = simulate(request.param)
    model = NMEMLPRegressor((), placement=["layers.0.bias"])
    return study, model.fit(study.X, study.y, groups=study.groups)


def test_effects_and_their_errors_are_those_of_the_normal_equations(fitted):
    """Given the variances, the posterior of all effects together is known."""
    study, model = fitted
    assert list(model.factors_) == ["person", "clinic"]
    dummies = [pd.get_dummies(study.groups[name], dtype=float) for name in model.factors_]
    design = pd.concat(dummies, axis=1)[np.concatenate(list(model.factors_.values()))].to_numpy()
    sizes = [len(levels) for levels in model.factors_.values()]
    variances = [model.effects(name).variance[INTERCEPT] for name in model.factors_]
    precision = design.T @ design / model.residual_variance_
    covariance = np.linalg.inv(precision + np.diag(1 / np.repeat(variances, sizes)))
    residual = study.y - model.predict(study.X, level="population")
    expected = covariance @ design.T @ residual / model.residual_variance_
    parts = [model.effects(name) for name in model.factors_]
    found = np.concatenate([part.estimate[INTERCEPT] for part in parts])
    errors = np.concatenate([part.se[INTERCEPT] for part in parts])
    ratio = errors / np.sqrt(np.diag(covariance))
    for start, stop in ((0, sizes[0]), (sizes[0], sum(sizes))):
        assert np.median(ratio[start:stop]) == pytest.approx(1, abs=0.15)
    assert np.abs(found - expected).max() < 0.5 * errors.min()


def test_intervals_of_expected_outcomes_know_how_factors_meet(fitted):
    """Variance of a row's x β + b_person + b_clinic from Henderson's equations of all effects."""
    study, model = fitted
    x = np.column_stack([np.ones(len(study.y)), study.X["x"]])
    dummies = [
        pd.get_dummies(study.groups[name], dtype=float)[levels].to_numpy()
        for name, levels in model.factors_.items()
    ]
    design = np.column_stack([x, *dummies])
    variances = [model.effects(name).variance[INTERCEPT] for name in model.factors_]
    sizes = [len(levels) for levels in model.factors_.values()]
    precision = design.T @ design / model.residual_variance_
    precision += np.diag(np.concatenate([[0, 0], 1 / np.repeat(variances, sizes)]))
    covariance = np.linalg.inv(precision)
    expected = np.sqrt(np.einsum("jr,rs,js->j", design, covariance, design))
    low, high = model.predict_interval(study.X, study.groups)
    np.testing.assert_allclose((low + high) / 2, model.predict(study.X, study.groups), atol=1e-6)
    ratio = (high - low) / (2 * 1.96 * expected)  # the standard deviation of 64 draws
    assert np.sqrt(np.mean(ratio**2)) == pytest.approx(1, abs=0.05)
    errors = model.effects("clinic").error[INTERCEPT].to_numpy()
    assert (errors > 0.97 * np.sqrt(np.diag(covariance))[-sizes[1] :]).all()
    np.testing.assert_allclose(
        model.fixed_effects_se_[INTERCEPT], np.sqrt(covariance[0, 0]), rtol=1e-4
    )


def test_variances_agree_with_mixedlm(fitted):
    study, model = fitted
    for name, expected in mixed_lm(study).items():
        if name == "residual":
            assert model.residual_variance_ == pytest.approx(expected, rel=0.06)
        else:
            found = model.effects(name).variance[INTERCEPT]
            assert found == pytest.approx(expected, rel=0.12), name


def test_persons_are_the_first_factor(fitted):
    study, model = fitted
    assert list(model.groups_) == list(study.groups["person"].unique())
    pd.testing.assert_frame_equal(model.random_effects_, model.effects("person").estimate)
    assert model.effects("clinic").estimate.index.name == "clinic"
    counts = study.groups["clinic"].value_counts()
    assert model.n_obs_of("clinic").to_dict() == counts.to_dict()
    with pytest.raises(OptionError, match=r"'ward'.*person, clinic"):
        model.effects("ward")


def test_predictions_add_both_effects(fitted):
    study, model = fitted
    rows = slice(0, 60, 7)
    found = model.predict(study.X[rows], study.groups[rows])
    population = model.predict(study.X[rows], level="population")
    for k, (person, clinic) in enumerate(study.groups[rows].itertuples(index=False)):
        own = model.effects().estimate.loc[person, INTERCEPT]
        of_clinic = model.effects("clinic").estimate.loc[clinic, INTERCEPT]
        assert found[k] - population[k] == pytest.approx(own + of_clinic, abs=1e-3)


def test_columns_are_found_by_name(fitted):
    study, model = fitted
    part = study.groups[:20]
    turned = part[["clinic", "person"]].rename_axis(columns=None)
    np.testing.assert_array_equal(
        model.predict(study.X[:20], turned), model.predict(study.X[:20], part)
    )
    with pytest.raises(DataError, match=r"2 grouping factors; these rows have 1.*person, clinic"):
        model.predict(study.X[:20], part["person"])
    with pytest.raises(UnknownPersonError, match="clinic 'nowhere'"):
        model.predict(study.X[:20], part.assign(clinic="nowhere"))


def test_round_trip_through_a_file(fitted, tmp_path):
    study, model = fitted
    model.save(tmp_path / "model.safetensors")
    again = NMEMLPRegressor.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        again.predict(study.X, study.groups), model.predict(study.X, study.groups)
    )
    pd.testing.assert_frame_equal(again.effects("clinic").se, model.effects("clinic").se)


def test_intervals_are_kept_in_a_file(fitted, tmp_path):
    study, model = fitted
    model.save(tmp_path / "model.safetensors")
    again = NMEMLPRegressor.load(tmp_path / "model.safetensors")
    for one, other in zip(
        again.predict_interval(study.X, study.groups),
        model.predict_interval(study.X, study.groups),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    persons, all_factors = model.of_persons(), model.effects("person")
    pd.testing.assert_frame_equal(persons.effects().error, all_factors.error)


@pytest.mark.parametrize("family", ["poisson", "ordinal", "classes"])
def test_other_outcomes_do_not_depend_on_the_order_of_rows(family):
    study = simulate("crossed", n_persons=30, n_clinics=8, n_rows=12)
    score = pd.Series(study.y - 10)
    rng = np.random.default_rng(1)
    if family == "poisson":
        y = pd.Series(rng.poisson(np.exp(score / 2))).astype(float)
        model = NMEMLPRegressor((), placement=["layers.0.bias"], family="poisson")
    else:
        y = pd.cut(score + rng.logistic(size=len(score)), [-99, -1, 1, 99], labels=False)
        y = pd.Series(y) if family == "ordinal" else pd.Series(y).map({0: "a", 1: "b", 2: "c"})
        kind = "ordinal" if family == "ordinal" else None
        model = NMEMLPClassifier((), placement=["layers.0.bias"], family=kind)
    rows = rng.permutation(len(y))
    one = model.fit(study.X, y, groups=study.groups)
    other = clone(model).fit(study.X.iloc[rows], y.iloc[rows], groups=study.groups.iloc[rows])
    assert one.verdict_ == other.verdict_ == "converged"
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, abs=1e-8)
    assert one.likelihood_method_ == "laplace"
    np.testing.assert_allclose(one.fixed_effects_, other.fixed_effects_, atol=1e-8)
    for factor in one.factors_:
        pd.testing.assert_frame_equal(
            one.effects(factor).error, other.effects(factor).error, atol=1e-8
        )


def test_factors_that_cannot_have_effects_are_refused():
    study = simulate("nested", n_persons=20, n_clinics=4, n_rows=5)
    model = NMEMLPRegressor((), placement=["layers.0.bias"])
    same = study.groups.assign(clinic="of " + study.groups["person"])
    with pytest.raises(DataError, match="'clinic' has the same groups as 'person'"):
        model.fit(study.X, study.y, groups=same)
    with pytest.raises(DataError, match="'clinic' has a single group"):
        model.fit(study.X, study.y, groups=study.groups.assign(clinic="c"))
    each = study.groups.assign(clinic=np.arange(100).astype(str))
    with pytest.raises(DataError, match=r"'clinic' has another group in every row.*the residual"):
        model.fit(study.X, study.y, groups=each)
    answers = pd.Series(study.y > 10).astype(int).groupby(study.groups["person"]).transform("first")
    with pytest.raises(DataError, match="never changes within a person"):
        NMEMLPClassifier((), placement=["layers.0.bias"]).fit(study.X, answers, groups=study.groups)


def test_too_many_levels_for_a_dense_matrix_are_told(monkeypatch):
    monkeypatch.setattr("nme_core.estimators.problems.LARGEST_DENSE", 5)
    study = simulate("crossed", n_persons=12, n_clinics=6, n_rows=5)
    with pytest.warns(FallbackWarning, match="6 effects of factors that cross, more than 5"):
        NMEMLPRegressor((), placement=["layers.0.bias"], epochs=None).fit(
            study.X, study.y, groups=study.groups
        )
    with pytest.raises(OptionError, match="at most 5 effects"):
        NMEMLPRegressor((), placement=["layers.0.bias"], estimator="laplace").fit(
            study.X, study.y, groups=study.groups
        )


def test_intervals_of_the_population_count_the_factor_with_the_fewest_groups(fitted):
    _, model = fitted
    low, high = model.fixed_effects_interval()
    half = (high - low) / 2 / model.fixed_effects_se_
    assert half[INTERCEPT] == pytest.approx(2.0687, abs=1e-3)  # t of 24 clinics
    assert half["layers.0.weight[0,0]"] == pytest.approx(1.9801, abs=1e-3)  # t of 120 persons


def test_restricted_likelihood_takes_one_factor():
    study = simulate("crossed", n_persons=12, n_clinics=6, n_rows=5)
    model = NMEMLPRegressor((), placement=["layers.0.bias"], reml=True)
    with pytest.raises(OptionError, match="reml=True takes one grouping factor"):
        model.fit(study.X, study.y, groups=study.groups)


def test_what_is_approximate_is_said(fitted):
    """Of studies as large as this one nobody has looked; smaller ones were simulated."""
    _, large = fitted
    assert {one["status"] for one in approximations(large)} == {"not examined"}
    study = simulate("crossed", n_persons=40, n_clinics=16, n_rows=8)
    model = NMEMLPRegressor((), placement=["layers.0.bias"])
    assert approximations(model.fit(study.X, study.y, groups=study.groups)) == []
    y = (study.y > np.median(study.y)).astype(int)
    binary = NMEMLPClassifier((), placement=["layers.0.bias"])
    said = approximations(binary.fit(study.X, y, groups=study.groups))
    assert [one["table"] for one in said] == ["random_effects"]
    assert "86 to 90 %" in said[0]["reason"]


def test_one_network_per_person_leaves_the_other_factor_out():
    study = simulate("nested", n_persons=6, n_clinics=3)
    model = NMEMLPRegressor((), pooling="none", epochs=5)
    model.fit(study.X, study.y, groups=study.groups, validation=(study.X, study.y, study.groups))
    assert list(model.factors_) == ["person"]
    np.testing.assert_array_equal(
        model.predict(study.X, study.groups), model.predict(study.X, study.groups["person"])
    )


def test_a_sequence_stays_in_one_clinic():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"x": rng.normal(size=12)}), rng.choice(["a", "b"], 12)
    groups = pd.DataFrame({"person": list("aaaabbbbcccc"), "clinic": list("uuuuvvvvvvuu")})
    model = NMECRF(placement="transitions", epochs=3)
    with pytest.raises(DataError, match="'clinic' changes within a sequence, in row 10"):
        model.fit(X, y, groups=groups)
    model.fit(X, y, groups=groups, sequence_ids=[*"aaaabbbbccdd"])
    assert model.effects("clinic").estimate.shape == (2, 4)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")  # twelve steps
def test_a_chain_with_clinics_predicts():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"x": rng.normal(size=12)}), rng.choice(["a", "b"], 12)
    groups = pd.DataFrame({"person": list("aaaabbbbcccc"), "clinic": list("uuuuvvvvuuuu")})
    model = NMECRF(placement="transitions", epochs=30).fit(X, y, groups=groups)
    own = model.predict_proba(X, groups)
    turned = model.predict_proba(X, groups[["clinic", "person"]])
    np.testing.assert_array_equal(own, turned)
    people = model.predict_proba(X, groups, level="population")
    alone = model.predict_proba(X, groups["person"], level="population")
    np.testing.assert_array_equal(people, alone)
    assert model.score(X, y, groups) == np.mean(model.predict(X, groups) == y)
    assert np.isfinite(model.sequence_loss(X, y, groups)).all()
