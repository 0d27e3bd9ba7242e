"""Counts that vary more than Poisson's; glmmTMB's numbers are in test_certificate_glmm."""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMEMLPRegressor, load
from nme_core.exceptions import BoundaryWarning, DispersionWarning, OptionError

BIAS = ["layers.0.bias"]
SIZE = 1.5


def counts(size=SIZE, seed=7, people=50, rows=12):
    rng = np.random.default_rng(seed)
    person, x = np.repeat(np.arange(people), rows), rng.normal(size=people * rows)
    mean = np.exp(0.8 + 0.4 * x + 0.6 * rng.normal(size=people)[person])
    if size is not None:
        mean = mean * rng.gamma(size, 1 / size, len(mean))
    return pd.DataFrame({"x": x}), rng.poisson(mean), person.astype(str)


@pytest.fixture(scope="module")
def fitted():
    X, y, person = counts()
    return NMEMLPRegressor((), BIAS, family="negative_binomial").fit(X, y, groups=person)


def test_what_was_simulated_is_found(fitted):
    low, high = fitted.dispersion_.interval
    assert low < SIZE < high
    assert high / low < 2
    slope, error = fitted.fixed_effects_.iloc[0], fitted.fixed_effects_se_.iloc[0]
    assert abs(slope - 0.4) < 3 * error
    X, y, person = counts()
    with pytest.warns(DispersionWarning, match=r"vary 2\.\d times as much as Poisson's"):
        plain = NMEMLPRegressor((), BIAS, family="poisson").fit(X, y, groups=person)
    assert plain.fixed_effects_se_.iloc[0] < 0.7 * error
    assert fitted.aic_ < plain.aic_ - 100


def test_the_predictive_distribution_is_right(fitted):
    X, y, person = counts()
    integral = fitted.probability_integral(X, y, person)
    found, _ = np.histogram(integral, bins=5, range=(0, 1))
    assert found / len(y) == pytest.approx(0.2, abs=0.05)
    drawn = next(iter(fitted.simulate(X, groups=person, seed=1)))
    mean = fitted.predict(X, person)
    left = np.square(drawn - mean) / (mean + mean**2 / fitted.dispersion_.size)
    assert left.mean() == pytest.approx(1, abs=0.3)


def test_it_is_the_same_after_saving(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    again, (X, y, person) = load(tmp_path / "model"), counts()
    assert again.dispersion_ == fitted.dispersion_
    np.testing.assert_array_equal(again.log_score(X, y, person), fitted.log_score(X, y, person))


def test_a_network_finds_it_too(fitted):
    X, y, person = counts()
    network = NMEMLPRegressor((4,), family="negative_binomial", epochs=400)
    network.fit(X, y, groups=person, uncertainty=False)
    assert network.dispersion_.size == pytest.approx(fitted.dispersion_.size, rel=0.15)
    assert np.isnan(network.dispersion_.error)


@pytest.mark.filterwarnings("ignore:No variance between people:UserWarning")
def test_counts_that_vary_as_poisson_are_told():
    X, y, person = counts(None)
    y = np.random.default_rng(1).binomial(6, 1 / (1 + np.exp(-X["x"])))  # they vary even less
    with pytest.warns(BoundaryWarning, match="vary no more than Poisson's"):
        NMEMLPRegressor((), BIAS, family="negative_binomial").fit(X, y, groups=person)


@pytest.mark.filterwarnings("error::nme_core.exceptions.DispersionWarning")
def test_counts_of_a_poisson_model_are_not_warned_of():
    X, y, person = counts(None)
    NMEMLPRegressor((), BIAS, family="poisson").fit(X, y, groups=person)


def test_what_cannot_be_had_is_refused(fitted):
    X, y, person = counts()
    with pytest.raises(OptionError, match="does not estimate how much counts vary"):
        NMEMLPRegressor((4,), family="negative_binomial", estimator="annealed").fit(
            X, y, groups=person
        )
    several = pd.DataFrame({"person": person, "clinic": np.tile(["a", "b", "c"], 200)})
    with pytest.raises(OptionError, match="takes one grouping factor"):
        NMEMLPRegressor((), BIAS, family="negative_binomial").fit(X, y, groups=several)
    plain = NMEMLPRegressor((), BIAS, family="poisson").fit(X, counts(None)[1], groups=person)
    with pytest.raises(OptionError, match="poisson has no dispersion"):
        _ = plain.dispersion_
