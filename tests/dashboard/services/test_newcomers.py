"""New persons: adapted in steps, in a process of their own, with intervals that narrow."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.services import newcomer, newcomers
from nme_core.exceptions import DataError
from nme_core.io import RunFolder, RunState
from nme_core.runs.prediction import read_new_rows


def rows(outcome: str) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "id": "new",
            "session": "1",
            "beep": [5, 4, 3, 2, 1, 0],
            "sleep": rng.normal(7, 1, 6),
            "stress": rng.normal(0, 1, 6),
            "mood": [12.0, 13, 11, 12, np.nan, 14],
            "state": ["low", "low", "mid", "low", None, "low"],
        }
    )
    return table[["id", "session", "beep", "sleep", "stress", outcome]]


def test_steps_treble_and_end_with_all() -> None:
    assert newcomer.sizes(1) == [1]
    assert newcomer.sizes(6) == [1, 3, 6]
    assert newcomer.sizes(9) == [1, 3, 9]


@pytest.mark.parametrize(("model", "outcome"), [("nme-mlp", "mood"), ("nme-crf", "state")])
def test_intervals_narrow_from_the_first_outcome_to_all(
    fit_tiny: Callable[..., Path], tmp_path: Path, model: str, outcome: str
) -> None:
    run = RunFolder(fit_tiny(model))
    table = rows(outcome)
    first = newcomer.first_rows(table, run, 2)
    # In order of time: beep 0, the row without an outcome, and the second outcome.
    assert first["beep"].tolist() == [0, 1, 2]
    table.to_csv(tmp_path / newcomer.ROWS, index=False)
    newcomer.adapt_stepwise(run, table, tmp_path)
    believed = pd.read_csv(tmp_path / newcomer.NARROWING, keep_default_na=False, na_values=[""])
    own = believed[believed["person"] == "new"]
    assert sorted(own["k"].unique()) == [1, 3, 5]
    width = (own["ci_high"] - own["ci_low"]).groupby(own["k"]).mean()
    assert np.all(np.diff(width) < 0)
    assert ((own["value"] >= own["ci_low"]) & (own["value"] <= own["ci_high"])).all()
    shared = believed[believed["person"].isna()]
    keys = [name for name in believed if name not in ("person", "k", "value", "ci_low", "ci_high")]
    # The population stays what it was.
    assert np.ptp(shared.pivot(index=keys, columns="k", values="value"), axis=1).max() < 1e-6
    folder = RunFolder(tmp_path / newcomer.ALL)
    assert folder.table("random_effects")["person"].unique().tolist() == ["new"]


def test_typed_rows_get_a_person_and_an_order(fit_tiny: Callable[..., Path], home: Path) -> None:
    (home / "runs").mkdir(parents=True)
    (home / "runs" / "a-run").symlink_to(fit_tiny("nme-mlp"))
    typed = pd.DataFrame(
        {"sleep": [7.0, None, 6], "stress": [0.1, None, None], "mood": [5, None, 6]}
    )
    table = newcomers.typed_table("a-run", typed)
    assert table["id"].unique().tolist() == [newcomers.TYPED]
    assert table["beep"].isna().all()
    read = read_new_rows(RunFolder(home / "runs" / "a-run"), table)
    assert read.about["sequence"].nunique() == 1
    assert read.about["row"].tolist() == [0, 1]
    given = newcomers.typed_table("a-run", typed.assign(beep=[4.0, 8.0, 9.0]))
    assert given["beep"].tolist() == [4, 9]
    with pytest.raises(DataError, match="Row 2 has no 'beep', others have"):
        newcomers.typed_table("a-run", typed.assign(beep=[4.0, 8.0, np.nan]))
    assert newcomers.time_kind("a-run") == "float64"
    with pytest.raises(DataError, match="No row has a value of 'mood'"):
        newcomers.typed_table("a-run", typed.assign(mood=np.nan))


def test_the_time_of_a_trend_has_to_be_typed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = {"person": "id", "outcome": "y", "time": "week", "sequence": None, "features": ["week"]}
    monkeypatch.setattr(newcomers, "columns", lambda _: roles)
    typed = pd.DataFrame({"week": [0.0, 1.0], "y": [5.0, 6.0]})
    assert newcomers.typed_table("a-run", typed)["week"].tolist() == [0, 1]
    with pytest.raises(DataError, match=r"Row 1 has no 'week', over which .* a trend"):
        newcomers.typed_table("a-run", typed.assign(week=np.nan))


def test_a_process_of_its_own_does_the_work_and_says_why_it_cannot(
    fit_tiny: Callable[..., Path], home: Path
) -> None:
    import shutil

    (home / "runs").mkdir(parents=True)
    shutil.copytree(fit_tiny("nme-mlp"), home / "runs" / "a-run")
    assert newcomers.possible("a-run")
    jobs = [
        newcomers.start("a-run", table.to_csv(index=False).encode())
        for table in (rows("mood").head(2), rows("mood").drop(columns="sleep"))
    ]
    with pytest.raises(DataError, match="no rows"):
        newcomers.start("a-run", b"id,beep\n")
    for job, state in zip(jobs, (RunState.DONE, RunState.FAILED), strict=True):
        for _ in range(600):
            found = newcomers.status("a-run", job)
            if found.state not in (RunState.QUEUED, RunState.RUNNING):
                break
            time.sleep(0.1)
        assert found.state is state, found
    assert "sleep" in found.message
    assert set(newcomers.narrowing("a-run", jobs[0])["person"]) == {"", "new"}
    assert newcomers.status("a-run", "../..") is None
