"""Counts and ordered classes: what was planted comes back, and bad outcomes are refused."""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import DataError, OptionError

N_PERSONS, N_ROWS = 60, 25
BIAS, SLOPE = "layers.0.bias[0]", "layers.0.weight[0,0]"


@pytest.fixture(scope="module")
def counts():
    """log E y = 1 + b_i + 0.4 x, sd of b 0.6."""
    rng = np.random.default_rng(0)
    own = rng.normal(0, 0.6, N_PERSONS)
    person = np.repeat(np.arange(N_PERSONS), N_ROWS)
    x = rng.normal(3, 2, len(person))
    y = rng.poisson(np.exp(1 + own[person] + 0.4 * (x - 3)))
    model = NMEMLPRegressor((), placement=["layers.0.bias"], family="poisson")
    return own, x, y, person, model.fit(pd.DataFrame({"x": x}), y, groups=person)


def test_counts(counts):
    own, x, y, person, model = counts
    assert model.fixed_effects_[SLOPE] == pytest.approx(0.4, abs=0.03)
    assert model.fixed_effects_[BIAS] == pytest.approx(1 - 1.2, abs=0.25)
    assert model.random_effects_cov_.loc[BIAS, BIAS] == pytest.approx(own.var(), rel=0.2)
    assert np.corrcoef(model.random_effects_[BIAS], own)[0, 1] > 0.95
    assert model.residual_variance_ == 1.0
    predicted = model.predict(pd.DataFrame({"x": x}), person)
    assert predicted.min() > 0
    assert predicted.mean() == pytest.approx(y.mean(), rel=0.03)


@pytest.mark.parametrize("wrong", [-1.0, 2.5])
def test_what_is_no_count_is_refused(counts, wrong):
    _, x, y, person, _ = counts
    bad = y.astype(float)
    bad[7] = wrong
    with pytest.raises(DataError, match="no count in row 7"):
        NMEMLPRegressor(family="poisson").fit(pd.DataFrame({"x": x}), bad, groups=person)


@pytest.fixture(scope="module")
def grades():
    """Cumulative logits with cuts at −1, 0.5, 2; sd of the person's score 1."""
    rng = np.random.default_rng(1)
    own = rng.normal(0, 1, N_PERSONS)
    person = np.repeat(np.arange(N_PERSONS), N_ROWS)
    x = rng.normal(size=len(person))
    score = 1.2 * x + own[person] + rng.logistic(size=len(person))
    y = np.array(["0", "2", "5", "10"])[np.searchsorted([-1, 0.5, 2], score)]
    model = NMEMLPClassifier((), placement=["layers.0.bias"], family="ordinal")
    return own, x, y, person, model.fit(pd.DataFrame({"x": x}), y, groups=person)


def test_ordered_classes(grades):
    own, x, y, person, model = grades
    assert list(model.classes_) == ["0", "2", "5", "10"], "by number, not by text"
    effects = model.fixed_effects_
    assert np.exp(effects[["gaps[0]", "gaps[1]"]]).tolist() == pytest.approx([1.5, 1.5], abs=0.3)
    assert effects[BIAS] == pytest.approx(1, abs=0.35)
    assert effects[SLOPE] == pytest.approx(1.2 * x.std(), abs=0.2)
    assert model.random_effects_cov_.loc[BIAS, BIAS] == pytest.approx(own.var(), rel=0.35)
    p = model.predict_proba(pd.DataFrame({"x": x}), person)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    shares = pd.Series(y).value_counts(normalize=True)[model.classes_]
    np.testing.assert_allclose(p.mean(axis=0), shares, atol=0.03)


def test_order_of_an_ordered_categorical_is_kept(grades):
    _, x, _, person, _ = grades
    y = pd.Series(
        pd.Categorical(["low", "high", "mid"] * 500, ["low", "mid", "high"], ordered=True)
    )
    model = NMEMLPClassifier((), family="ordinal", epochs=1)
    model.fit(pd.DataFrame({"x": x}), y, groups=person)
    assert list(model.classes_) == ["low", "mid", "high"]
    with pytest.raises(DataError, match="order of the class 'high' is not known"):
        model.fit(pd.DataFrame({"x": x}), y.astype(str), groups=person)


def test_round_trip_through_a_file(grades, counts, tmp_path):
    for (_, x, _, person, model), kind in ((grades, NMEMLPClassifier), (counts, NMEMLPRegressor)):
        model.save(tmp_path / "model.safetensors")
        again = kind.load(tmp_path / "model.safetensors")
        rows = pd.DataFrame({"x": x})
        np.testing.assert_array_equal(again.predict(rows, person), model.predict(rows, person))


def test_unknown_family_is_refused(grades):
    _, x, y, person, _ = grades
    with pytest.raises(OptionError, match=r"'poisson'.*categorical, ordinal"):
        NMEMLPClassifier(family="poisson").fit(pd.DataFrame({"x": x}), y, groups=person)
