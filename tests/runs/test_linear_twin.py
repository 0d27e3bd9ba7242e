"""A network is judged beside the same model without hidden layers, fitted exactly."""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor, linear_twin
from nme_core.exceptions import DataError, FallbackWarning, PredictionWarning
from nme_core.io import RunFolder
from nme_core.runs.fit import FitOptions, run, run_experiment
from nme_core.runs.fit.candidates import warn_of_gap
from nme_core.study import Study
from nme_core.study.held_back import plan_split

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")


def study(kind="number", group=None):
    rng = np.random.default_rng(4)
    person, day = np.repeat(np.arange(12), 15), np.tile(np.arange(15), 12)
    x = rng.normal(size=180)
    y = x + rng.normal(size=12)[person] + rng.normal(size=180)
    table = pd.DataFrame({"id": [f"p{i}" for i in person], "day": day, "x": x, "y": y})
    table["clinic"] = [f"c{i % 4}" for i in person]
    outcome = {"number": y, "count": np.floor(np.exp(y / 2)), "class": np.where(y > 0, "up", "no")}
    table["y"] = outcome[kind]
    groups = {} if group is None else {"group": [group]}
    return Study.from_frame(table, person="id", outcome="y", time="day", features=["x"], **groups)


@pytest.mark.parametrize(
    ("kind", "more", "of"),
    [
        ("number", {}, NMEMLPRegressor(())),
        ("count", {"family": "poisson"}, NMEMLPRegressor((), family="poisson")),
        ("class", {}, NMEMLPClassifier(())),
        ("number", {"placement": ("layers.1.bias",)}, NMEMLPRegressor(())),
    ],
)
def test_it_is_the_exact_model_of_the_training_rows(kind, more, of, tmp_path):
    data, folder = study(kind), RunFolder(tmp_path / "run")
    options = FitOptions("nme-mlp", hidden=(3,), epochs=2, baselines=(), refit="none", **more)
    run_experiment(data, options, folder)
    train, test = (np.asarray(plan_split(data).parts == part) for part in ("train", "test"))
    times = {"times": data.time[train]} if kind == "number" else {}
    of.fit(data.X[train], data.y[train], groups=data.groups[train], **times)
    found = folder.table("predictions").query("model == 'linear' and split == 'test'")
    column = "p_up" if kind == "class" else "predicted"
    expected = of.predict(data.X[test], data.groups[test])
    if kind == "class":
        expected = of.predict_proba(data.X[test], data.groups[test])[:, 1]
    assert found[column].to_numpy() == pytest.approx(expected, rel=1e-5)
    skill = folder.table("skill")
    assert {"linear", "mean"} <= set(skill["reference"]) or kind == "class"
    assert "linear" in set(skill["reference"])
    assert "linear" not in folder.config["baselines"]


def test_who_is_linear_has_none_and_several_factors_have_intercepts():
    assert linear_twin(NMEMLPRegressor(())) is None
    assert linear_twin(NMECRF()) is None
    assert linear_twin(NMEMLPRegressor((), estimator="annealed")).estimator == "variational"
    assert linear_twin(NMEMLPRegressor("auto"), 2).placement == ["layers.0.bias"]
    assert linear_twin(NMEMLPRegressor((8,), placement="all")).placement == "all"
    assert linear_twin(NMECRF((8,), placement="transitions"), 2).placement == "transitions"


def test_a_network_with_two_factors_has_one(tmp_path):
    folder = RunFolder(tmp_path / "run")
    options = FitOptions("nme-mlp", hidden=(3,), epochs=2, baselines=(), refit="none")
    run_experiment(study(group="clinic"), options, folder)
    assert "linear" in set(folder.table("skill")["reference"])


def runs_without_it(folder, reason):
    options = FitOptions("nme-mlp", hidden=(3,), epochs=2, baselines=(), refit="none")
    with pytest.warns(FallbackWarning, match=f"not among those compared: {reason}"):
        run_experiment(study(), options, folder)
    assert "linear" not in set(folder.table("skill")["reference"])
    assert folder.status.finished


def test_of_very_many_rows_it_is_not_fitted_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr("nme_core.runs.fit.rows.MANY", 100)
    runs_without_it(RunFolder(tmp_path / "run"), r"With \d+ rows it may")


def test_where_it_cannot_be_fitted_the_run_goes_on_and_says_so(tmp_path, monkeypatch):
    def fails(model, *_, **__):
        if len(model.hidden) == 0:
            raise DataError("Nothing varies.")
        return fit_split(model, *_, **__)

    fit_split = run.fit_split
    monkeypatch.setattr(run, "fit_split", fails)
    runs_without_it(RunFolder(tmp_path / "run"), "Nothing varies")


def metrics(values, n=10):
    return pd.DataFrame(
        {"scope": "person", "person": list("abcdefgh"), "metric": "mse", "value": values, "n": n}
    )


def test_an_error_far_above_that_on_training_rows_is_told():
    rng = np.random.default_rng(1)
    learned = rng.uniform(0.8, 1.2, 8)
    with pytest.warns(PredictionWarning, match=r"squared error is 3\.0 times that on training"):
        warn_of_gap(metrics(learned), metrics(3 * learned, n=4))


@pytest.mark.filterwarnings("error")
def test_an_error_a_little_above_or_of_one_person_is_not():
    warn_of_gap(metrics([1.0] * 8), metrics([1.3] * 8))
    warn_of_gap(metrics([1.0] * 8), metrics([1.0] * 7 + [9.0]))
    warn_of_gap(metrics([1.0] * 8).iloc[:0], metrics([1.0] * 8))
