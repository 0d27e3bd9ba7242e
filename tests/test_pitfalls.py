"""Studies in which a model seems to know more than it does: the run says so in words."""

from dataclasses import replace

import pytest

from benchmarks.pitfalls import PITFALLS, options, said_of, study_of, yesterday
from nme_core.io import RunFolder
from nme_core.runs.fit import run_experiment
from nme_core.runs.skill import simple_is_as_good, skill_sentences


def fitted(table, folder, residual="iid"):
    run = RunFolder(folder)
    run_experiment(study_of(table), replace(options("none"), residual=residual), run)
    return run


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.parametrize("pitfall", [name for name in PITFALLS if "computed" not in name])
def test_the_run_says_so(pitfall, tmp_path):
    study, words = PITFALLS[pitfall]
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


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_the_benchmark_hears_what_a_run_says(pitfall):
    assert PITFALLS[pitfall][1] in said_of(pitfall, 1)
