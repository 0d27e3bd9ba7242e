"""A new run in a folder: what was finished stays until the new one is, and nothing is half."""

import os
from contextlib import suppress

import pandas as pd
import pytest

from nme_core.exceptions import OptionError, RunFolderError
from nme_core.io import TABLES, Journal, RunFolder, RunState, Status, durable, renewal
from nme_core.io.renewal import recover, renewed


def metrics(value):
    return pd.DataFrame([dict.fromkeys(TABLES["metrics"], "") | {"value": value, "n": 1}])


def fill(folder, value, *, extra=()):
    """Write a run whose one metric is `value`."""
    journal = Journal(folder)
    folder.write_table("metrics", metrics(value))
    for name in extra:
        folder.write_json(name, {})
    journal.close(RunState.DONE, "Done")


@pytest.fixture
def done(tmp_path):
    """A folder with a finished run, and a file that is the user's."""
    folder = RunFolder(tmp_path / "runs" / "a")
    with renewed(folder) as new:
        fill(new, 1, extra=["data"])
    (folder.path / "notes.txt").write_text("mine")
    return folder


def value(folder):
    folder.require_whole()
    return folder.table("metrics")["value"].tolist()


def earlier(folder):
    return [RunFolder(path) for path in sorted((folder.path / "earlier").glob("*"))]


def test_a_run_that_is_refused_leaves_no_trace(tmp_path):
    folder = RunFolder(tmp_path / "runs" / "a")
    with pytest.raises(ValueError, match="no"), renewed(folder) as new:  # noqa: PT012
        Journal(new).close(RunState.FAILED, "no")
        raise ValueError("no")
    assert not list(tmp_path.iterdir())


def test_the_user_s_own_files_are_left_by_a_run_that_is_refused(tmp_path):
    (tmp_path / "covariates.csv").write_text("id,age\n1,2\n")
    with pytest.raises(ValueError, match="no"), renewed(RunFolder(tmp_path)) as new:  # noqa: PT012
        new.write_json("config", {})
        raise ValueError("no")
    assert [path.name for path in tmp_path.iterdir()] == ["covariates.csv"]


def test_a_cancelled_run_keeps_what_was_finished_and_says_so(tmp_path):
    folder = RunFolder(tmp_path / "a")
    with pytest.raises(KeyboardInterrupt), renewed(folder) as new:  # noqa: PT012
        journal = Journal(new)
        new.write_table("metrics", metrics(1))
        journal.close(RunState.CANCELLED, "Cancelled")
        raise KeyboardInterrupt
    assert folder.status.state is RunState.CANCELLED
    assert value(folder) == [1]


def test_a_finished_run_is_replaced_when_the_new_one_is_done(done):
    with renewed(done) as new:
        fill(new, 2)
        assert value(done) == [1]
    assert value(done) == [2]
    assert not (done.path / "data.json").exists()
    assert [value(one) for one in earlier(done)] == [[1]]
    assert {path.name for path in done.path.iterdir()} == {
        "metrics.csv", "status.json", "manifest.json", "notes.txt", "earlier",
    }  # fmt: skip


def test_trials_are_kept_of_a_run_that_is_stopped_before_it_is_judged(tmp_path, done):
    trials = pd.DataFrame([dict.fromkeys(TABLES["tuning"], 1)])
    for folder in (RunFolder(tmp_path / "b"), done):
        with pytest.raises(KeyboardInterrupt), renewed(folder) as new:  # noqa: PT012
            journal = Journal(new)
            new.write_table("tuning", trials)
            journal.close(RunState.CANCELLED, "Cancelled")
            raise KeyboardInterrupt
    assert len(RunFolder(tmp_path / "b").table("tuning")) == 1
    (kept,) = (done.path / "unfinished").glob("*")
    assert len(RunFolder(kept).table("tuning")) == 1
    assert value(done) == [1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("judged", [True, False])
def test_a_finished_run_stays_where_the_new_one_is_not(done, error, judged):
    with pytest.raises(error), renewed(done) as new:  # noqa: PT012
        journal = Journal(new)
        if judged:
            new.write_table("metrics", metrics(2))
        journal.close(RunState.CANCELLED, "Cancelled")
        raise error
    assert value(done) == [1]
    kept = [RunFolder(path) for path in (done.path / "unfinished").glob("*")]
    assert [value(one) for one in kept] == ([[2]] if judged else [])
    assert not list(done.path.glob(".*"))


def test_runs_that_finished_in_the_same_second_are_both_kept(done):
    for number in (2, 3, 4):
        done.finish(Status(RunState.DONE, finished="2026-01-01T00:00:00"))
        with renewed(done) as new:
            fill(new, number)
    assert sorted(value(one)[0] for one in earlier(done)) == [1, 2, 3]


class Killed(BaseException):
    """Nothing is tidied up after it."""


@pytest.mark.parametrize("at", range(14))
def test_a_kill_while_a_run_is_replaced_is_made_good(done, monkeypatch, at):
    """However far it came: the new run or the old one stands there whole, and the old is kept."""
    context = renewed(done)
    new = context.__enter__()
    fill(new, 2)
    steps = [0]

    def counted(real):
        def step(*words, **options):
            steps[0] += 1
            if steps[0] > at:
                raise Killed
            return real(*words, **options)

        return step

    with monkeypatch.context() as patch:
        for module, name in ((os, "replace"), (os, "rename"), (renewal.shutil, "copy2")):
            patch.setattr(module, name, counted(getattr(module, name)))
        patch.setattr(durable.shutil, "rmtree", lambda *_, **__: None)
        with suppress(Killed):
            renewal._take(done, new)
    monkeypatch.setattr(durable, "is_leftover", lambda name: name.endswith((".part", ".gone")))
    recover(done)
    assert value(done) == [2]
    assert 1 in [value(one)[0] for one in earlier(done)]
    assert not list(done.path.glob(".*"))


def test_a_new_run_that_was_not_done_is_swept(done, monkeypatch):
    new = renewed(done).__enter__()
    new.write_status(Status(RunState.RUNNING))
    monkeypatch.setattr(durable, "is_leftover", lambda name: name.endswith(".part"))
    recover(done)
    assert value(done) == [1]
    assert not list(done.path.glob(".*"))


def test_a_run_that_another_process_writes_is_not_touched(tmp_path):
    folder = RunFolder(tmp_path / "a")
    other = os.getppid()
    folder.write_status(Status(RunState.RUNNING, pid=other, born=durable.born(other)))
    with pytest.raises(OptionError, match=f"Another process .{other}."), renewed(folder):
        pass
    folder.write_status(Status(RunState.RUNNING, pid=other, born="another"))  # a reused id
    with renewed(folder) as new:
        fill(new, 1)
    assert value(folder) == [1]


def test_a_damaged_run_is_replaced_but_kept(done):
    (done.path / "status.json").write_text("{")
    with pytest.raises(RunFolderError, match=r"status\.json"):
        _ = done.status
    with renewed(done) as new:
        fill(new, 2)
    assert value(done) == [2]
    assert earlier(done)[0].path.name == "unknown"
