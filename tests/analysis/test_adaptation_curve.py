"""Error on new persons by the rows that they bring."""

import numpy as np
import pandas as pd
import pytest

from nme_core import NMECRF, NMEMLPRegressor, Study
from nme_core.analysis.adaptation_curve import adaptation_curve
from nme_core.exceptions import DataError, OptionError

N_PERSONS, N_ROWS = 40, 20


@pytest.fixture(scope="module")
def intercepts():
    """A random intercept, sd 2, and noise, sd 1; the last person has 4 rows."""
    rng = np.random.default_rng(0)
    person = np.repeat([f"p{k:02d}" for k in range(N_PERSONS)], N_ROWS)
    y = np.repeat(rng.normal(0, 2, N_PERSONS), N_ROWS) + rng.normal(size=len(person))
    frame = pd.DataFrame({"person": person, "t": np.tile(np.arange(N_ROWS), N_PERSONS), "y": y})
    frame["x"] = rng.normal(size=len(y))
    frame = frame.drop(frame.index[-16:])
    return Study.from_frame(frame, person="person", time="t", outcome="y", features=["x"])


def make():
    return NMEMLPRegressor((), "layers.0.bias", estimator="laplace")


@pytest.fixture(scope="module")
def curve(intercepts):
    return adaptation_curve(intercepts, make, steps=[0, 1, 2, 5, 10], folds=4).set_index("k")


def test_zero_rows_are_the_population(curve):
    assert curve.loc[0, "error"] == curve.loc[0, "population_error"]
    assert curve.loc[0, ["difference", "ci_low", "ci_high", "reliability"]].tolist() == [0, 0, 0, 0]


def test_the_error_falls_as_the_posterior_variance_does(curve):
    """E error = σ² + τ²σ²/(σ² + kτ²), with σ² = 1; that of the population is σ² + τ²."""
    variance = curve.loc[0, "population_error"] - 1
    assert 1.5 < variance < 6
    assert (curve["n_persons"] == N_PERSONS - 1).all()
    assert (curve["n_rows"] == (N_PERSONS - 1) * 10).all()
    assert (curve["metric"] == "mse").all()
    for k in (1, 2, 5, 10):
        assert curve.loc[k, "error"] == pytest.approx(1 + variance / (1 + k * variance), rel=0.2)
        assert curve.loc[k, "ci_high"] < 0
        reliability = variance / (variance + 1 / k)
        assert curve.loc[k, "reliability"] == pytest.approx(reliability, abs=0.05)
    assert curve["population_error"].nunique() == 1


def test_states_are_judged_by_their_log_loss():
    rng = np.random.default_rng(1)
    stay = np.repeat(rng.random(12) < 0.5, 14)
    state = np.where(stay, "a", rng.choice(["a", "b"], len(stay)))
    frame = pd.DataFrame(
        {
            "person": np.repeat([f"p{k}" for k in range(12)], 14),
            "t": np.tile(np.arange(14), 12),
            "state": state,
            "x": rng.normal(size=len(stay)),
        }
    )
    study = Study.from_frame(frame, person="person", time="t", outcome="state", features=["x"])
    table = adaptation_curve(study, lambda: NMECRF(epochs=40), steps=[0, 8], folds=2)
    assert table["metric"].tolist() == ["log_loss"] * 2
    assert table["difference"].iloc[1] < 0
    assert np.isfinite(table.drop(columns="metric").to_numpy()).all()


def test_what_cannot_be_judged_is_said(intercepts):
    with pytest.raises(DataError, match="0 of 40 people have the 103 rows"):
        adaptation_curve(intercepts, make, steps=[0, 100])
    with pytest.raises(OptionError, match="numbers of rows"):
        adaptation_curve(intercepts, make, steps=[-1])


def test_the_command_writes_the_table(nme, intercepts, tmp_path):
    frame = pd.DataFrame({"id": intercepts.groups, "y": intercepts.y, "x": intercepts.X["x"]})
    frame.to_csv(tmp_path / "long.csv", index=False)
    said = nme(
        *("adapt-curve", tmp_path / "long.csv", "--person", "id", "--outcome", "y"),
        *("--model", "nme-mlp", "--placement", "layers.0.bias", "--hidden", ""),
        *("--estimator", "laplace", "--steps", "0,2", "--folds", "2"),
        *("--out", tmp_path / "curve.csv"),
    )
    assert said.code == 0
    table = pd.read_csv(tmp_path / "curve.csv")
    assert table["k"].tolist() == [0, 2]
    assert table["difference"].iloc[1] < 0
    assert "below 0 where adapting helps" in said.out
