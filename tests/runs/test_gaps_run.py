"""The limit of gaps goes from ``nme fit`` into the run, and from there to new rows."""

import pandas as pd
import pytest

from nme_core.io import RunFolder
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.runs.fit.rows import StudyRows
from nme_core.runs.prediction import read_new_rows
from nme_core.study import Study

QUICK = ("--baselines", "none", "--refit", "none", "--max-gap", "1.5")


@pytest.fixture(scope="module")
def run(fit_tiny):
    return RunFolder(fit_tiny("nme-crf", *QUICK))


def some_rows(tiny_study):
    """One session, without its fourth beep."""
    table = pd.read_csv(tiny_study / "long.csv", dtype={"id": "str", "session": "str"})
    first = (table["id"] == table["id"][0]) & (table["session"] == table["session"][0])
    own = table[first].sort_values("beep").reset_index(drop=True)
    return own.drop(index=3).reset_index(drop=True)


def test_the_run_records_it(run):
    assert run.data["max_gap"] == "1.5"
    assert any("sequences: longer than 1.5" in note for note in run.data["notes"])


def test_new_rows_are_broken_by_it(run, tiny_study):
    table = some_rows(tiny_study)
    steps = table["beep"].diff().to_numpy()[1:]
    assert (steps > 1.5).any()
    found = read_new_rows(run, table).about["sequence"]
    changes = (found != found.shift())[1:].to_numpy()
    assert changes.tolist() == (steps > 1.5).tolist()


def test_an_adapted_run_follows_it(run, tiny_study, nme, tmp_path):
    new = some_rows(tiny_study).assign(id="somebody")
    new.to_csv(tmp_path / "new.csv", index=False)
    said = nme("adapt", run.path, tmp_path / "new.csv", "--out", tmp_path / "adapted")
    assert said.code == 0
    assert RunFolder(tmp_path / "adapted").data["max_gap"] == "1.5"


def test_nights_break_the_sequences_that_a_model_is_fitted_to(tmp_path):
    days = pd.date_range("2026-03-01", periods=6)
    beeps = [day + pd.Timedelta(hours=hour) for day in days for hour in (9, 12, 15, 18)]
    table = pd.DataFrame(
        {
            "id": [person for person in ("a", "b", "c") for _ in beeps],
            "beep": beeps * 3,
            "x": [float(k % 5) for k in range(72)],
            "mood": ["high" if (k * k) % 7 < 3 else "low" for k in range(72)],
        }
    )
    study = Study.from_frame(table, person="id", outcome="mood", time="beep")
    rows = StudyRows.of(study, sequential=True)
    assert rows.sequence_ids.tolist() == study.sequence_ids.tolist()
    assert rows.sequence_ids.nunique() == 18
    folder = RunFolder(tmp_path)
    options = FitOptions("nme-crf", baselines=(), epochs=2, refit="none")
    run_experiment(study, options, folder)
    assert folder.table("predictions")["sequence"].nunique() == 18


def test_a_limit_that_makes_no_sense_is_one_line(nme, tiny_study):
    roles = ("--person", "id", "--outcome", "mood", "--time", "beep", "--sequence", "session")
    said = nme("check", tiny_study / "long.csv", *roles, "--max-gap", "8h")
    assert said.code == 2
    assert "has a unit, but the times in 'beep' are plain numbers" in said.err
