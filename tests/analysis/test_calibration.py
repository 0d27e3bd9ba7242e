"""Calibration tables against known probabilities."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, poisson

from nme_core import NMEMLPRegressor
from nme_core.analysis import class_calibration, number_calibration


def predictions(distort):
    rng = np.random.default_rng(0)
    p = rng.uniform(size=4000)
    observed = np.where(rng.random(4000) < p, "yes", "no").astype(object)
    said = 0.5 + distort * (p - 0.5)
    observed[:3] = None
    return pd.DataFrame(
        {"model": "nme", "split": "test", "observed": observed, "p_no": 1 - said, "p_yes": said}
    )


def test_probabilities_that_are_right_are_found_right():
    table = class_calibration(predictions(1.0))
    assert table.groupby("class")["n"].sum().tolist() == [3997, 3997]
    assert (table["expected"] >= table["low"]).all()
    assert (table["expected"] <= table["high"]).all()
    inside = (table["ci_low"] <= table["expected"]) & (table["expected"] <= table["ci_high"])
    assert inside.mean() >= 0.8  # binomial, n = 20
    yes = table.query("`class` == 'yes' and low == 0.8")
    assert yes["observed"].item() == pytest.approx(0.85, abs=0.05)


def test_probabilities_that_are_too_cautious_are_found_so():
    table = class_calibration(predictions(0.4)).query("`class` == 'yes'")
    assert table["low"].min() == pytest.approx(0.3)
    high = table[table["low"] >= 0.6]
    assert (high["ci_low"] > high["expected"]).all()


def test_histogram_and_coverage_of_the_probability_integral():
    integral = np.array([0.0, 0.02, 0.31, 0.51, 0.55, 0.97, 1.0, 0.8])
    table = number_calibration(integral, model="nme", split="test")
    pit = table[table["kind"] == "pit"]
    assert (pit["observed"] * 8).tolist() == [2, 0, 0, 1, 0, 2, 0, 0, 1, 2]
    intervals = table[table["kind"] == "interval"].set_index("expected")["observed"]
    assert intervals.to_dict() == {0.5: 3 / 8, 0.8: 4 / 8, 0.9: 4 / 8, 0.95: 5 / 8}
    assert (table["n"] == 8).all()


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_the_integral_is_uniform_where_the_model_is_right(family):
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(25), 30)
    x = rng.normal(size=(len(person), 1))
    mean = 0.6 * rng.normal(size=25)[person] + 0.5 * x[:, 0]
    y = rng.poisson(np.exp(mean)) if family == "poisson" else mean + rng.normal(size=len(mean))
    options = {"epochs": 250} if family == "poisson" else {"estimator": "laplace"}
    model = NMEMLPRegressor((), "layers.0.bias", family=family, **options)
    model.fit(x, y, groups=person)
    integral = model.probability_integral(x, y, person)
    assert kstest(integral, "uniform").pvalue > 0.001
    if family == "poisson":  # of one row, by hand
        k = int(np.argmax(y))
        means = model.predict(x[k : k + 1], person[k : k + 1])
        low, high = poisson.cdf([y[k] - 1, y[k]], means)
        assert low - 0.1 <= integral[k] <= high + 0.1
