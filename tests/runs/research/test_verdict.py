"""verdict.json, and the tasks of research tools."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import RunFolderError, TrainingError
from nme_core.io import RunFolder
from nme_core.runs.research.tasks import TaskOptions, kept_in, run_kept
from nme_core.runs.research.verdict import Verdict, verdicts_of, write_tables


def test_numbers_of_numpy_and_tables_become_json(tmp_path: Path) -> None:
    table = pd.DataFrame({"n": np.array([1, 2]), "p": [0.5, np.nan]})
    Verdict("power", "Ten people do.", {"at": np.float64(0.8), "rows": table}).write(tmp_path)
    content = json.loads((tmp_path / "verdict.json").read_text())
    assert content["answer"] == "Ten people do."
    assert content["numbers"] == {"at": 0.8, "rows": [{"n": 1, "p": 0.5}, {"n": 2, "p": None}]}


def test_a_second_tool_keeps_what_the_first_found(tmp_path: Path) -> None:
    Verdict("covariance", "Yes.", {"p": 0.3}).write(tmp_path)
    Verdict("calibrate", "They hold.", {"share": 0.95}).write(tmp_path)
    Verdict("covariance", "No.", {"p": 0.01}).write(tmp_path)
    found = verdicts_of(tmp_path)
    assert list(found) == ["covariance", "calibrate"]
    assert found["covariance"]["answer"] == "No."
    assert found["calibrate"]["numbers"] == {"share": 0.95}


def test_the_manifest_of_a_run_knows_the_verdict(tmp_path: Path) -> None:
    from nme_core.io.run_folder import RunState, Status

    run = RunFolder(tmp_path)
    run.write_json("config", {})
    run.finish(Status(RunState.DONE))
    Verdict("covariance", "Yes.", {}).write(tmp_path)
    run.require_whole()
    (tmp_path / "verdict.json").write_text('{"answer": "No."}')
    with pytest.raises(RunFolderError, match=r"verdict\.json"):
        run.require_whole()


def test_a_damaged_verdict_is_named(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text("{")
    with pytest.raises(RunFolderError, match=r"verdict\.json"):
        verdicts_of(tmp_path)


def test_tables_are_csv(tmp_path: Path) -> None:
    write_tables(tmp_path / "new", {"power": pd.DataFrame({"reps": [3]})})
    assert (tmp_path / "new" / "power.csv").read_text() == "reps\n3\n"


def _half(number: int) -> float:
    if number < 0:
        raise ValueError("negative")
    return number / 2


def test_what_is_finished_is_taken_on_resume_alone(tmp_path: Path) -> None:
    kept, tasks = kept_in(tmp_path, "ablate"), {"one": {"number": 1}}
    run_kept(_half, tasks, kept, TaskOptions())
    kept.write_text(kept.read_text().replace('"value": 0.5', '"value": 7'))
    assert run_kept(_half, tasks, kept, TaskOptions(resume=True))["one"].value == 7
    assert run_kept(_half, tasks, kept, TaskOptions())["one"].value == 0.5


def test_only_failures_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="negative"):
        run_kept(_half, {"one": {"number": -1}}, kept_in(tmp_path, "ablate"), TaskOptions())
