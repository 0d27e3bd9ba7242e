"""Shrinkage and quadrature of models without hidden layers: what they do, and where they do not."""

import numpy as np
import pytest

from nme_core import NMEMLPClassifier, NMEMLPRegressor
from nme_core.analysis import approximations
from nme_core.estimators import baseline
from nme_core.exceptions import OptionError
from tests.reference.load import reference
from tests.reference.studies import study

LEVEL = ["layers.0.bias"]
N_PERSONS, N_ROWS, N_USELESS = 15, 6, 30


def small_study(seed=0):
    """Few rows, 3 features that count and many that do not; and later rows of the same people."""
    rng = np.random.default_rng(seed)
    weight = np.concatenate([[0.8, -0.6, 0.5], np.zeros(N_USELESS)])
    level = rng.normal(scale=0.7, size=N_PERSONS)

    def rows(n):
        person = np.repeat(np.arange(N_PERSONS), n)
        x = rng.normal(size=(len(person), len(weight)))
        return x, x @ weight + level[person], person

    x, expected, person = rows(N_ROWS)
    return x, expected + rng.normal(size=len(expected)), person, rows(40)


@pytest.mark.parametrize("times", [False, True])
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_shrinkage_predicts_a_small_study_with_many_useless_features_better(times):
    x, y, person, (new, expected, whose) = small_study()
    given = {"times": np.tile(np.arange(N_ROWS), N_PERSONS)} if times else {}
    errors, models = [], []
    for shrink in ("none", "inputs"):
        model = NMEMLPRegressor(hidden=(), placement=LEVEL, shrink=shrink)
        models.append(model.fit(x, y, groups=person, **given))
        errors.append(np.mean(np.square(model.predict(new, groups=whose) - expected)))
    assert errors[1] < 0.75 * errors[0]
    weight = models[1].fixed_effects_.to_numpy()[:-1]
    assert np.abs(weight[:3]).min() > 0.2
    assert np.abs(weight[3:]).mean() < 0.06


def test_more_features_than_rows_can_be_shrunk():
    x, y, person, (new, expected, whose) = small_study(1)
    few = person < 5
    model = NMEMLPRegressor(hidden=(), placement=LEVEL, shrink="inputs")
    model.fit(x[few], y[few], groups=person[few])
    known = whose < 5
    error = np.mean(np.square(model.predict(new[known], groups=whose[known]) - expected[known]))
    assert error < np.var(expected)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_a_shrunk_model_has_no_likelihood_and_says_what_it_is_for():
    x, y, person, _ = small_study()
    for model, outcome in (
        (NMEMLPRegressor(hidden=(), placement=LEVEL, shrink="inputs"), y),
        (NMEMLPClassifier(hidden=(), placement=LEVEL, shrink="inputs"), np.where(y > 0, "b", "a")),
    ):
        model.fit(x[:, :5], outcome, groups=person)
        assert model.likelihood() is None
        reasons = [
            one["reason"] for one in approximations(model) if one["table"] == "fixed_effects"
        ]
        assert any("for prediction" in reason for reason in reasons)


def test_quadrature_is_that_of_glmer():
    rows, r = study("cbpp"), reference("lme4", "cbpp_agq25")
    features = ["period2", "period3", "period4"]
    model = NMEMLPClassifier(hidden=(), placement=LEVEL, quadrature=25)
    model.fit(rows[features], rows["incidence"].astype(str), groups=rows["herd"])
    assert model.likelihood_method_ == "quadrature"
    assert model.log_likelihood_ == pytest.approx(r.log_likelihood, abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        (NMEMLPRegressor, {"quadrature": 5, "placement": LEVEL}, "exact without"),
        (NMEMLPClassifier, {"quadrature": 5, "placement": "all"}, "one random effect"),
        (NMEMLPClassifier, {"quadrature": 5, "hidden": (4,)}, "hidden"),
        (NMEMLPClassifier, {"quadrature": 0}, "no number of points"),
        (NMEMLPRegressor, {"shrink": "inputs", "hidden": (4,)}, "hidden"),
        (NMEMLPRegressor, {"shrink": "all"}, "does not exist"),
    ],
)
def test_options_that_do_not_apply_are_refused_with_a_remedy(kind, options, said):
    x, y, person, _ = small_study()
    outcome = np.where(y > 0, "b", "a") if kind is NMEMLPClassifier else y
    with pytest.raises(OptionError, match=said) as found:
        kind(**{"hidden": (), **options}).fit(x[:, :3], outcome, groups=person)
    assert found.value.remedy


def test_several_factors_are_refused():
    x, y, person, _ = small_study()
    both = np.stack([person, np.tile(np.arange(N_ROWS), N_PERSONS)], axis=1)
    for options in ({"shrink": "inputs"}, {"quadrature": 5}):
        model = NMEMLPClassifier(hidden=(), placement=LEVEL, **options)
        with pytest.raises(OptionError, match="one grouping factor"):
            model.fit(x[:, :3], np.where(y > 0, "b", "a"), groups=both)


def test_baselines_take_what_they_can():
    model = NMEMLPClassifier(hidden=(), shrink="inputs", quadrature=5)
    assert baseline(model, "generic").shrink == "inputs"
    assert baseline(model, "specific").shrink == "none"
    assert {baseline(model, name).quadrature for name in ("generic", "specific")} == {1}
