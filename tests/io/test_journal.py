"""The journal: status and history while a run goes on."""

from datetime import datetime

import pytest

from nme_core.io import Journal, RunFolder, RunState
from nme_core.io import journal as module


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def row(epoch):
    names = ("train_loss", "validation_loss", "residual_variance", "mean_random_variance")
    return {"model": "nme", "epoch": epoch, **dict.fromkeys(names, 0.5), "seconds": 0.1}


def test_a_run_counts_as_running_at_once(folder):
    Journal(folder)
    status = folder.status
    assert (status.state, status.progress, status.finished) == (RunState.RUNNING, 0, None)
    assert status.pid
    assert datetime.fromisoformat(status.started).tzinfo is not None


def test_history_grows_and_progress_follows_the_weights(folder, monkeypatch):
    monkeypatch.setattr(module, "_WRITE_EVERY_S", 0.0)
    monkeypatch.setattr(module, "_WRITE_SHARE", float("inf"))
    told = []
    journal = Journal(folder, lambda message, progress: told.append((message, progress)))
    journal.plan({"nme": 3.0, "generic": 1.0})
    lengths = []
    for epoch, fit in ((1, "nme"), (2, "nme"), (1, "generic")):
        journal.record(fit, row(epoch), 0.5 * epoch, f"{fit} {epoch}")
        lengths.append(len(folder.table("history")))
    assert lengths == [1, 2, 3]
    parts = [progress for _, progress in told]
    assert parts == pytest.approx([0.97 * 3 / 8, 0.97 * 3 / 4, 0.97 * 7 / 8])
    assert folder.status.progress == pytest.approx(parts[-1], abs=1e-4)
    assert folder.status.message == "generic 1"


def test_quick_epochs_do_not_wear_out_the_disk(folder, monkeypatch):
    monkeypatch.setattr(module, "_WRITE_EVERY_S", 3600.0)
    journal = Journal(folder)
    journal.plan({"nme": 1.0})
    journal.say("now", 0.0)
    for epoch in range(1, 50):
        journal.record("nme", row(epoch), epoch / 50, "fit")
    assert not folder.has_table("history")
    journal.close(RunState.CANCELLED, "stopped")
    assert len(folder.table("history")) == 49


@pytest.mark.parametrize("state", [RunState.DONE, RunState.FAILED, RunState.CANCELLED])
def test_the_last_status_says_how_it_ended(folder, state):
    journal = Journal(folder)
    journal.plan({"nme": 1.0})
    journal.record("nme", row(1), 0.5, "fit")
    journal.close(state, "The end")
    status = folder.status
    assert (status.state, status.message) == (state, "The end")
    assert status.progress == (1.0 if state is RunState.DONE else pytest.approx(0.485))
    assert status.finished >= status.started
