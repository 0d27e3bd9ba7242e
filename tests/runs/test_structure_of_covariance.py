"""``--covariance auto`` in a run: what it chose is in the folder, and in words."""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.io import RunFolder
from nme_core.reports.methods import methods
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.runs.fit.options import fit_options
from nme_core.study import Study

pytestmark = pytest.mark.filterwarnings(
    "ignore::nme_core.exceptions.BoundaryWarning", "ignore::nme_core.exceptions.PredictionWarning"
)


def table(correlation, *, n_people=20, n_rows=15):
    draw = np.random.default_rng(1)
    sigma = [[1, correlation], [correlation, 1]]
    effects = draw.multivariate_normal([0, 0], sigma, size=n_people)
    person = np.repeat(np.arange(n_people), n_rows)
    sleep = draw.normal(size=len(person))
    mood = effects[person, 0] + effects[person, 1] * sleep + draw.normal(size=len(person))
    day = np.tile(np.arange(n_rows), n_people)
    return pd.DataFrame({"id": person, "day": day, "sleep": sleep, "mood": mood})


def run(rows, folder, **options):
    study = Study.from_frame(rows, person="id", outcome="mood", time="day", features=["sleep"])
    asked = FitOptions("nme-mlp", hidden=(), baselines=(), **options)
    run_experiment(study, asked, RunFolder(folder), command="nme fit")
    return RunFolder(folder)


@pytest.mark.parametrize(("correlation", "kind"), [(0.8, "full"), (0.0, "diagonal")])
def test_the_choice_stands_in_the_folder_and_in_the_report(correlation, kind, tmp_path):
    found = run(table(correlation), tmp_path / "run")
    assert found.config["covariance"] == kind
    choice = found.config["covariance_choice"]
    assert choice["words"].startswith(f"Σ is {kind}")
    assert (choice["aic_gain"] > 0) == (kind == "full")
    text = " ".join(methods(found))
    assert f"Σ being {kind}." in text
    assert choice["words"] in text
    # tools that fit the run again take what was chosen
    assert fit_options(found.config).covariance == kind


def test_a_structure_that_is_named_is_not_chosen(tmp_path):
    found = run(table(0.8), tmp_path / "run", covariance="diagonal")
    assert found.config["covariance"] == "diagonal"
    assert "covariance_choice" not in found.config


def test_other_models_have_a_diagonal_one():
    rows = table(0.8).assign(mood=lambda one: np.where(one["mood"] > 0, "a", "b"))
    study = Study.from_frame(rows, person="id", outcome="mood", time="day", features=["sleep"])
    for model, kind in (("nme-mlp", NMEMLPClassifier), ("nme-crf", NMECRF)):
        one = FitOptions(model, baselines=()).estimator_for(study)
        assert isinstance(one, kind)
        assert one.covariance == "diagonal"
    numbers = Study.from_frame(table(0.8), person="id", outcome="mood", features=["sleep"])
    network = FitOptions("nme-mlp", hidden=(4,), baselines=()).estimator_for(numbers)
    assert isinstance(network, NMEMLPRegressor)
    assert network.covariance_ == "diagonal"
