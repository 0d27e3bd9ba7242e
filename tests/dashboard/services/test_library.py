from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.services import library, runs
from nme_core.exceptions import NMEError
from nme_core.io import RunFolder, RunState, Status


def second_run(home: Path, first: str, shift: float) -> str:
    """A copy of a run whose metrics are a known amount higher, for every person."""
    import shutil

    identity = "20260102-000000-0000beef"
    shutil.copytree(home / "runs" / first, home / "runs" / identity)
    for name, extra in ((first, 0.0), (identity, shift)):
        folder = RunFolder(home / "runs" / name)
        rng = np.random.default_rng(0)
        pooled = folder.table("metrics").query("scope == 'pooled'")
        persons = folder.table("random_effects")["person"].unique()
        own = pd.DataFrame(
            {
                "model": "nme",
                "split": "test",
                "scope": "person",
                "person": persons,
                "metric": "log_loss",
                "value": rng.normal(1, 0.1, len(persons)) + extra,
                "n": 4,
            }
        )
        folder.write_table("metrics", pd.concat([pooled, own], ignore_index=True))
    return identity


def test_shelves_hold_each_study_s_runs_newest_first(crf_run: str, home: Path) -> None:
    later = second_run(home, crf_run, 0.0)
    folder = RunFolder(home / "runs" / later)
    folder.write_json("run", {**folder.read_json("run"), "study": "20250101-000000-00000000"})
    kept, orphans = library.shelves()
    assert [run.id for run in kept.runs] == [crf_run]
    assert kept.study.name == "diary"
    assert orphans.study is None
    assert [run.id for run in orphans.runs] == [later]


def test_outcome_is_the_main_metric_beside_the_generic_model(crf_run: str, home: Path) -> None:
    found = library.outcome(runs.run_record(crf_run))
    assert (found.metric, found.value, found.generic) == ("log_loss", 0.7, pytest.approx(0.8))
    assert found.ending == "converged after 10 epochs"
    RunFolder(home / "runs" / crf_run).path.joinpath("config.json").unlink()
    assert library.outcome(runs.run_record(crf_run)) is None


def test_rename(crf_run: str, state_study: str, home: Path) -> None:
    library.rename_run(crf_run, "  the   good one ")
    library.rename_study(state_study, "winter")
    (shelf,) = library.shelves()
    assert shelf.runs[0].name == "the good one"
    assert shelf.study.name == "winter"
    with pytest.raises(NMEError, match="at least one character"):
        library.rename_run(crf_run, " ")
    with pytest.raises(NMEError, match="no longer there"):
        library.rename_run("../../etc", "x")


def test_delete_leaves_nothing(crf_run: str, state_study: str, home: Path) -> None:
    later = second_run(home, crf_run, 0.0)
    library.delete_run(later)
    assert [path.name for path in (home / "runs").iterdir()] == [crf_run]
    library.delete_study(state_study)
    assert list((home / "runs").iterdir()) == []
    assert list((home / "studies").iterdir()) == []
    assert library.shelves() == []


def test_deleting_stops_a_run_that_is_at_work(
    crf_run: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = []
    monkeypatch.setattr(library, "cancel", stopped.append)
    RunFolder(home / "runs" / crf_run).write_status(Status(RunState.RUNNING))
    library.delete_run(crf_run)
    assert stopped == [crf_run]


def test_two_runs_are_paired_over_persons(crf_run: str, home: Path) -> None:
    later = second_run(home, crf_run, 0.25)
    pair: list[runs.Run] = [runs.run_record(name) for name in (crf_run, later)]
    found = library.contrast(*pair)
    (row,) = found.paired.to_dict("records")
    assert row["model"] == library.SECOND
    assert row["difference"] == pytest.approx(0.25)
    assert row["n_persons"] == 24
    assert found.metrics.loc["log_loss"].tolist() == [0.7, 0.7]


def test_runs_on_other_rows_are_not_paired(crf_run: str, home: Path) -> None:
    later = second_run(home, crf_run, 0.25)
    RunFolder(home / "runs" / later).write_json("data", {"inputs": [{"sha256": "other"}]})
    pair = [runs.run_record(name) for name in (crf_run, later)]
    assert library.contrast(*pair).paired is None
    assert not library.same_rows(*pair)
