"""Model checks against values by hand, and on data from the model and from another one."""

import numpy as np
import pandas as pd
import pytest

from nme_core import NMEMLPRegressor
from nme_core.analysis import model_checks


def pick(table, check, statistic, person="", column="observed"):
    chosen = table.query("check == @check and statistic == @statistic and person == @person")
    return chosen[column].item()


@pytest.fixture(scope="module")
def states(crf, chain):
    return model_checks(
        crf, chain[["x"]], chain["state"], chain["person"], sequence_ids=chain["sequence"]
    )


def test_observed_statistics_of_states_are_those_counted_by_hand(states):
    # b: c t c t l c | l . c t;  007: c c c l l t
    assert pick(states, "share", "calm") == pytest.approx(7 / 15)
    assert pick(states, "share", "low") == pytest.approx(4 / 15)
    assert pick(states, "person", "share of tense", "b") == pytest.approx(3 / 9)
    # calm has 7 steps in 5 stays, low 4 in 3, tense 4 in 4
    assert pick(states, "dwell", "calm") == pytest.approx(7 / 5)
    assert pick(states, "dwell", "low") == pytest.approx(4 / 3)
    assert pick(states, "dwell", "tense") == pytest.approx(1)
    assert pick(states, "transition", "transitions[calm,tense]") == pytest.approx(3 / 6)
    assert pick(states, "transition", "transitions[tense,calm]") == pytest.approx(1 / 2)
    spread = np.std([4 / 9, 3 / 6])
    assert pick(states, "persons", "sd of share of calm") == pytest.approx(spread)


def test_simulated_values_have_an_order_and_every_person_is_there(states):
    known = states.dropna()
    assert (known["simulated_low"] <= known["simulated_high"]).all()
    assert set(states["person"]) == {"", "b", "007"}
    assert not states.duplicated(["check", "statistic", "person"]).any()
    assert len(states) == 3 + 3 + 9 + 3 + 2 * 3


def numbers(autocorrelation, seed=0):
    """A random intercept; residuals of one person's rows depend on the one before."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(30, 40))
    for t in range(1, 40):
        noise[:, t] = autocorrelation * noise[:, t - 1] + noise[:, t]
    y = (rng.normal(size=(30, 1)) + noise).ravel()
    person = pd.Series(np.repeat([f"p{k:02d}" for k in range(30)], 40))
    return pd.DataFrame({"x": rng.normal(size=len(y))}), pd.Series(y), person


@pytest.mark.parametrize(("autocorrelation", "fits"), [(0.0, True), (0.6, False)])
def test_dependence_that_the_model_lacks_is_seen(autocorrelation, fits):
    X, y, person = numbers(autocorrelation)
    model = NMEMLPRegressor((), "layers.0.bias", estimator="laplace").fit(X, y, groups=person)
    table = model_checks(model, X, y, person, sequence_ids=person)
    low, high = (pick(table, "autocorrelation", "lag 1", column=f"simulated_{end}")
                 for end in ("low", "high"))  # fmt: skip
    assert (low <= pick(table, "autocorrelation", "lag 1") <= high) is fits
    pairs = y.groupby(person).shift().notna().to_numpy()
    own = (y - y.groupby(person).transform("mean")).to_numpy()
    expected = np.corrcoef(own[:-1][pairs[1:]], own[1:][pairs[1:]])[0, 1]
    assert pick(table, "autocorrelation", "lag 1") == pytest.approx(expected, abs=0.01)
    for statistic in ("mean", "sd", "skewness", "quantile 0.5"):
        low, high = (
            pick(table, "distribution", statistic, column=f"simulated_{e}") for e in ("low", "high")
        )
        assert low <= pick(table, "distribution", statistic) <= high
    assert pick(table, "persons", "sd of means") == pytest.approx(
        y.groupby(person).mean().std(ddof=0)
    )
    sds = y.groupby(person).std()
    assert pick(table, "persons", "mean of sds") == pytest.approx(sds.mean())
    assert pick(table, "person", "sd", "p03") == pytest.approx(sds["p03"])


def test_missing_outcomes_are_missing_in_what_is_simulated(chain, crf):
    """A state that is simulated at a missing step counts in nobody's share."""
    y = chain["state"].where(chain["person"] != "007")
    table = model_checks(
        crf, chain[["x"]], y, chain["person"], sequence_ids=chain["sequence"]
    ).set_index(["check", "statistic", "person"])
    assert np.isnan(table.loc[("person", "share of calm", "007"), "simulated_mean"])
    assert table.loc[("share", "calm", ""), "simulated_high"] <= 1
