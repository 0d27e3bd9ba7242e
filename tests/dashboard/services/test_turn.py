"""Trainings wait for each other, in order, whoever starts them and whatever is killed."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dashboard.services import runs, settings, studies, turn
from nme_core.io import RunFolder, RunState, Status
from nme_core.vocabulary.settings import FitSettings

# Writes that it runs, then goes on until a file "end" lies in its folder.
TRAINS = """
import os, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
def say(state):
    (folder / ".new").write_text('{"state": "%s", "progress": 0.5}' % state)
    os.replace(folder / ".new", folder / "status.json")
say("running")
while not (folder / "end").exists():
    time.sleep(0.02)
say("done")
"""


@pytest.fixture
def begin(state_study: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Start a small program in place of `nme fit`, one at a time; returns the run."""
    monkeypatch.setattr(
        runs, "command", lambda *words: [sys.executable, "-S", "-c", TRAINS, str(words[3])]
    )
    settings.set_trainings_at_once(1)
    record = studies.study_record(state_study)
    return lambda: runs.start(record, FitSettings("nme-crf", "transitions"))


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("did not happen within a minute")


def state(identity: str) -> RunState:
    return runs.run_record(identity).status.state


def end(home: Path, identity: str) -> None:
    (home / "runs" / identity / "end").touch()


def test_one_after_the_other_and_a_killed_one_frees_its_place(
    begin: Callable[[], str], home: Path
) -> None:
    first, second, third, fourth = (begin() for _ in range(4))
    until(lambda: state(first) is RunState.RUNNING)
    assert turn.queue() == [first, second, third, fourth]
    assert [state(run) for run in (second, third, fourth)] == [RunState.QUEUED] * 3
    assert [runs.place(run) for run in (second, fourth)] == [1, 3]
    runs.cancel(third)
    assert state(third) is RunState.CANCELLED
    # Nobody can be told that a process was killed; the operating system frees its lock.
    os.kill(RunFolder(home / "runs" / first).read_json("run")["pid"], 9)
    until(lambda: state(second) is RunState.RUNNING)
    assert state(first) is RunState.FAILED
    assert state(fourth) is RunState.QUEUED
    end(home, second)
    until(lambda: state(fourth) is RunState.RUNNING)
    assert state(second) is RunState.DONE

    runs.restart(first)
    assert turn.queue() == [fourth, first]
    settings.set_trainings_at_once(2)
    until(lambda: state(first) is RunState.RUNNING)
    assert state(fourth) is RunState.RUNNING
    for run in (first, fourth):
        end(home, run)
        until(lambda run=run: state(run) is RunState.DONE)
    assert turn.queue() == []


def test_a_run_without_a_process_counts_only_while_it_is_being_started(
    crf_run: str, home: Path
) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    folder.write_status(Status(RunState.QUEUED))
    content = {**folder.read_json("run"), "pid": None}
    folder.write_json("run", {**content, "starter": turn.process_of(os.getpid())})
    assert turn.queue() == [crf_run]
    assert runs.run_record(crf_run).active
    folder.write_json("run", {**content, "starter": {"pid": 2**22 + 1, "process_born": "1"}})
    assert turn.queue() == []
    assert state(crf_run) is RunState.FAILED


def test_a_reused_process_number_is_not_taken_for_the_run() -> None:
    mine = psutil.Process()
    known = turn.process_of(mine.pid)
    assert turn.living_process(known) == mine
    assert turn.living_process({**known, "process_born": f"{known['process_born']}0"}) is None
    assert turn.living_process({"pid": None}) is None


def test_a_place_is_one_process_s_alone(home: Path) -> None:
    lock = turn._take(2)
    other = turn._take(2)
    assert lock is not None
    assert other is not None
    assert turn._take(2) is None
    lock.close()
    freed = turn._take(2)
    assert freed is not None
    freed.close()
    other.close()


def test_a_run_whose_study_is_gone_cannot_be_restarted(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    folder.write_json("run", {**folder.read_json("run"), "study": "20260101-000000-00000000"})
    with pytest.raises(runs.DataError, match="no longer there"):
        runs.restart(crf_run)


@pytest.mark.parametrize("jump", [-400 * 86_400, 400 * 86_400])
def test_a_clock_that_jumps_loses_no_run_and_no_order(
    begin: Callable[[], str], home: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    first, second = begin(), begin()
    until(lambda: state(first) is RunState.RUNNING)
    real = time.time
    boot = psutil._pslinux.boot_time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    monkeypatch.setattr(time, "time_ns", lambda: int((real() + jump) * 1e9))
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: boot() + jump)
    third = begin()
    assert turn.queue() == [first, second, third]
    assert state(first) is RunState.RUNNING
    for run in (first, second, third):
        until(lambda run=run: state(run) is RunState.RUNNING)
        end(home, run)
        until(lambda run=run: state(run) is RunState.DONE)


@pytest.mark.parametrize(("name", "text"), [("run.json", "{"), ("status.json", "[]")])
def test_a_damaged_run_holds_up_no_other(
    begin: Callable[[], str], crf_run: str, home: Path, name: str, text: str
) -> None:
    RunFolder(home / "runs" / crf_run).write_status(Status(RunState.QUEUED))
    (home / "runs" / crf_run / name).write_text(text)
    run = begin()
    until(lambda: state(run) is RunState.RUNNING)
    assert turn.queue() == [run]
    end(home, run)
    until(lambda: state(run) is RunState.DONE)
