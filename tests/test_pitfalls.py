"""Studies in which a model seems to know more than it does: the run says so in words."""

import numpy as np
import pandas as pd
import pytest

from nme_core import Study
from nme_core.io import RunFolder
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.runs.skill import simple_is_as_good, skill_sentences
from nme_core.study import check_study

P, N = 30, 40


def base(seed):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(P), N)
    table = pd.DataFrame({"person": [f"p{i:02d}" for i in person], "day": np.tile(np.arange(N), P)})
    table["noise"] = rng.normal(size=P * N)
    return rng, person, table


def level_only(seed):
    """People differ in their level; nothing explains when."""
    rng, person, table = base(seed)
    table["mood"] = rng.normal(size=P)[person] + rng.normal(size=P * N)
    return table


def yesterday(seed):
    """Yesterday explains today; the feature does not."""
    rng, _, table = base(seed)
    mood = rng.normal(size=(P, N))
    for t in range(1, N):
        mood[:, t] = 0.9 * mood[:, t - 1] + np.sqrt(1 - 0.81) * mood[:, t]
    table["mood"] = mood.ravel()
    return table


def weekday(seed):
    """A weekday pattern that everybody shares explains all."""
    rng, _, table = base(seed)
    table["weekend"] = (table["day"] % 7 >= 5).astype(float)
    table["mood"] = 2 * table["weekend"] + rng.normal(size=P * N)
    return table


def fitted(table, folder, residual="iid"):
    study = Study.from_frame(table, person="person", outcome="mood", time="day")
    options = FitOptions(
        model="nme-mlp", hidden=(), baselines=("generic",), residual=residual, refit="none"
    )
    run = RunFolder(folder)
    run_experiment(study, options, run)
    return run


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.parametrize(
    ("study", "words"),
    [
        (level_only, "no better than each person's mean"),
        (yesterday, "One row ahead a simple rule predicts better than the model"),
        (weekday, "One model for everybody does as well"),
    ],
)
def test_the_run_says_so(study, words, tmp_path):
    run = fitted(study(1), tmp_path / "run")
    skill = run.table("skill")
    assert words in " ".join(skill_sentences(skill))
    warned = [one["kind"] for one in run.config["warnings"]]
    assert ("PredictionWarning" in warned) == simple_is_as_good(skill)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_a_model_that_remembers_is_as_good_one_row_ahead(tmp_path):
    run = fitted(yesterday(1), tmp_path / "run", residual="ar1")
    said = " ".join(skill_sentences(run.table("skill")))
    assert "One row ahead" not in said


def test_a_feature_that_was_computed_from_the_outcome_is_pointed_out():
    table = level_only(2)
    table["score"] = 3 * table["mood"] + 0.01 * table["noise"]
    study = Study.from_frame(table, person="person", outcome="mood", time="day")
    said = " ".join(check_study(study).lines())
    assert "'score' all but determines the outcome 'mood'" in said
