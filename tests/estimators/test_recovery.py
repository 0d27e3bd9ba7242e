"""What was planted in simulation comes back, in units of the data."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import spearmanr

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.simulate import simulate_dyads
from nme_core.study import Study

INTERCEPT, SLOPE = "layers.0.bias[0]", "layers.0.weight[0,0]"
N_PERSONS, N_ROWS = 100, 20
COVARIANCE = np.array([[4.0, 0.32], [0.32, 0.16]])


@pytest.fixture(scope="module")
def linear():
    """y = 50 + b₀ + (0.3 + b₁)(x − 20) + ε, sd of ε 3; fits of NME and of MixedLM (ML)."""
    rng = np.random.default_rng(0)
    own = rng.multivariate_normal([0, 0], COVARIANCE, N_PERSONS)
    person = np.repeat(np.arange(N_PERSONS), N_ROWS)
    x = rng.normal(0, 5, len(person))
    y = 50 + own[person, 0] + (0.3 + own[person, 1]) * x + rng.normal(0, 3, len(person))
    groups = np.array([f"p{k:03d}" for k in person])
    model = NMEMLPRegressor((), placement="all", covariance="full").fit(
        pd.DataFrame({"x": x}), y, groups=groups
    )
    design = sm.add_constant(pd.DataFrame({"x": x}))
    peer = sm.MixedLM(y, design, groups=groups, exog_re=design).fit(reml=False)
    assert peer.converged
    return own, x, y, groups, model, peer


def test_fixed_effects_agree_with_mixedlm(linear):
    *_, model, peer = linear
    found = model.fixed_effects_[[INTERCEPT, SLOPE]].to_numpy()
    assert (np.abs(found - peer.fe_params) < 0.5 * peer.bse_fe).all()
    assert (np.abs(found - [50, 0.3]) < 3 * peer.bse_fe).all()


def test_variances_agree_with_mixedlm(linear):
    *_, model, peer = linear
    found = model.random_effects_cov_.loc[[INTERCEPT, SLOPE], [INTERCEPT, SLOPE]].to_numpy()
    expected = peer.cov_re.to_numpy()
    np.testing.assert_allclose(found.diagonal(), expected.diagonal(), rtol=0.05)
    np.testing.assert_allclose(found.diagonal(), COVARIANCE.diagonal(), rtol=0.4)
    correlation, peers = (m[0, 1] / np.sqrt(m[0, 0] * m[1, 1]) for m in (found, expected))
    assert correlation == pytest.approx(peers, abs=0.05)
    assert model.residual_variance_ == pytest.approx(peer.scale, rel=0.02)
    assert model.residual_variance_ == pytest.approx(9.0, rel=0.1)


def test_random_effects_agree_with_mixedlm_and_the_truth(linear):
    own, *_, model, peer = linear
    found = model.random_effects_[[INTERCEPT, SLOPE]].to_numpy()
    expected = pd.DataFrame(peer.random_effects).T.loc[model.groups_].to_numpy()
    for k in range(2):
        assert np.corrcoef(found[:, k], expected[:, k])[0, 1] > 0.99
        assert np.corrcoef(found[:, k], own[:, k])[0, 1] > 0.85
        assert found[:, k].std() == pytest.approx(expected[:, k].std(), rel=0.05)


def test_standard_errors_agree_with_mixedlm_and_cover_the_truth(linear):
    own, *_, model, peer = linear
    errors = model.random_effects_se_[[INTERCEPT, SLOPE]]
    peers = np.array([np.sqrt(np.diag(v)) for v in peer.random_effects_cov.values()])
    found = model.random_effects_[[INTERCEPT, SLOPE]].to_numpy()
    for k in range(2):
        assert errors.iloc[:, k].mean() == pytest.approx(peers[:, k].mean(), rel=0.06)
        covered = np.abs(found[:, k] - own[:, k]) < 1.96 * errors.iloc[:, k].to_numpy()
        assert 0.85 <= covered.mean() <= 0.99


def test_reliability_is_that_of_a_known_variance(linear):
    """Of the intercept, with n rows: about τ²/(τ² + σ²/n)."""
    *_, model, _ = linear
    expected = 4 / (4 + 9 / N_ROWS)
    assert model.reliability_[INTERCEPT].mean() == pytest.approx(expected, abs=0.04)


def test_persons_with_more_rows_are_more_certain():
    rng = np.random.default_rng(3)
    sizes = rng.integers(3, 60, 60)
    person = np.repeat(np.arange(60), sizes)
    x = rng.normal(size=(len(person), 1))
    y = rng.normal(size=60)[person] + rng.normal(size=len(person))
    placement = ["layers.0.bias"]
    model = NMEMLPRegressor((), placement=placement, epochs=600).fit(x, y, groups=person)
    errors = model.random_effects_se_[INTERCEPT]
    assert spearmanr(errors, sizes).statistic < -0.95
    variance = model.random_effects_cov_.iloc[0, 0]
    exact = np.sqrt(1 / (1 / variance + sizes / model.residual_variance_))
    np.testing.assert_allclose(errors, exact, rtol=0.15)


def test_a_person_specific_curve_is_found():
    """Persons differ in how a bend goes; one straight line for all cannot tell them apart."""
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(30), 60)
    bend = rng.normal(0, 1.0, 30)
    x = rng.uniform(-2, 2, (len(person), 1))
    y = bend[person] * (x[:, 0] ** 2 - 1.3) + 0.5 * rng.normal(size=len(person))
    test = np.arange(len(person)) % 3 == 0
    errors = {}
    for pooling in ("partial", "complete"):
        model = NMEMLPRegressor((16,), pooling=pooling, epochs=500)
        model.fit(x[~test], y[~test], groups=person[~test])
        answer = model.predict(x[test], person[test])
        errors[pooling] = np.mean((answer - y[test]) ** 2)
    assert errors["partial"] < 0.36  # 0.25 is the noise
    assert errors["complete"] > 1.0


def test_personal_class_probabilities_are_found():
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(40), 50)
    own, slope = rng.normal(0, 1.5, 40), 1.0
    x = rng.normal(size=(len(person), 1))
    p = 1 / (1 + np.exp(-(own[person] + slope * x[:, 0])))
    y = np.where(rng.random(len(person)) < p, "yes", "no")
    model = NMEMLPClassifier((), placement=["layers.0.bias"], epochs=500)
    model.fit(x, y, groups=person)
    found = model.random_effects_["layers.0.bias[0]"]
    assert np.corrcoef(found, own)[0, 1] > 0.95
    assert found.std() == pytest.approx(own.std(), rel=0.25)
    fixed = model.fixed_effects_
    assert fixed["layers.0.weight[0,0]"] == pytest.approx(1, abs=0.2)
    assert np.abs(model.predict_proba(x, person)[:, 1] - p).mean() < 0.06


def double_centred(scores):
    scores = scores - scores.mean(axis=-1, keepdims=True)
    return scores - scores.mean(axis=-2, keepdims=True)


@pytest.fixture(scope="module")
def dyads():
    """Simulated dyads; true and found double-centred scores, P + 1 matrices, and depression."""
    sample = simulate_dyads(60, 250, seed=11)
    roles = {name: value for name, value in sample.roles.items() if name != "model"}
    study = Study.from_frame(sample.long, **roles)
    model = NMECRF(placement="transitions")
    model.fit(study.X, study.y, groups=study.groups, sequence_ids=study.sequence_ids)
    order = [sample.truth["states"].index(state) for state in model.classes_]
    persons = [sample.truth["persons"][person]["transitions"] for person in model.groups_]
    true = np.array([*persons, sample.truth["population"]["transitions"]])
    true = double_centred(true[:, order][:, :, order])
    depression = sample.covariates.set_index("dyad").loc[model.groups_, "depression"]
    return model, true, model.transition_matrices("scores"), depression.to_numpy()


def test_transition_scores_of_dyads_are_found(dyads):
    _, true, found, _ = dyads
    assert np.corrcoef(true[:-1].ravel(), found[:-1].ravel())[0, 1] > 0.9
    assert np.corrcoef(true[-1].ravel(), found[-1].ravel())[0, 1] > 0.97
    own = [(scores[:-1] - scores[-1]).ravel() for scores in (true, found)]
    # What tells a dyad from the population; the best that can be had, with everything else known,
    # is about 0.79.
    assert np.corrcoef(*own)[0, 1] > 0.72


def test_the_variance_of_transition_scores_is_found(dyads):
    model, *_ = dyads
    assert np.diag(model.random_effects_cov_).mean() == pytest.approx(0.25, rel=0.2)


def test_planted_slopes_of_depression_are_found(dyads):
    model, true, found, depression = dyads
    states = model.classes_.tolist()
    for state, sign in (("Dysphoric", 1), ("Positive", -1)):
        k = states.index(state)
        assert sign * spearmanr(found[:-1, k, k], depression).statistic > 0.3
        slopes = [np.polyfit(depression, scores[:-1, k, k], 1)[0] for scores in (true, found)]
        assert 0.6 < slopes[1] / slopes[0] < 1.3


def test_emissions_of_dyads_are_found(dyads):
    """Smiling mothers go with positive states, frowning ones with aggressive states."""
    model, *_ = dyads
    fixed, states = model.fixed_effects_, model.classes_.tolist()

    def weight(state, feature):
        column = model.feature_names_in_.tolist().index(feature)
        place = states.index(state) - 1  # log-odds against the first state
        return fixed[f"emission.layers.0.weight[{place},{column}]"] if place >= 0 else 0.0

    # per unit of the data: (0.8 + 0.2)/0.15 and (0.6 + 0.2)/0.12
    difference = weight("Positive", "mother_smile") - weight("Other", "mother_smile")
    assert difference == pytest.approx(6.67, rel=0.2)
    difference = weight("Aggressive", "mother_frown") - weight("Other", "mother_frown")
    assert difference == pytest.approx(6.67, rel=0.2)


@pytest.mark.filterwarnings("ignore:The variance between people:UserWarning")
def test_intervals_of_dyads_cover_the_truth_in_a_small_study():
    """Few steps: Σ must have arrived before training counts as converged."""
    sample = simulate_dyads(80, 120, effect=0.0, seed=3)
    roles = {name: value for name, value in sample.roles.items() if name != "model"}
    study = Study.from_frame(sample.long, **roles)
    model = NMECRF(placement="transitions")
    model.fit(study.X, study.y, groups=study.groups, sequence_ids=study.sequence_ids)
    order = [sample.truth["states"].index(state) for state in model.classes_]
    persons = [sample.truth["persons"][person]["transitions"] for person in model.groups_]
    matrices = np.array([*persons, sample.truth["population"]["transitions"]])
    true = double_centred(matrices[:, order][:, :, order])
    low, high = model.transition_intervals("scores")
    inside = (low < true) & (true < high)
    assert inside[-1].sum() >= 13  # of 16
    assert 0.88 < inside[:-1].mean() < 0.98
    assert np.diag(model.random_effects_cov_).mean() == pytest.approx(0.25, rel=0.25)
