"""Runs on a Dask cluster: a real scheduler with two workers, the same runs service as here."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dashboard.services import runs, studies
from dashboard.services.turn import queue
from nme_core.io import RunFolder, RunState
from nme_core.vocabulary.settings import FitSettings

pytest.importorskip("distributed", reason="the extra [dask] is not installed")

CLUSTER = """
import sys
from distributed import LocalCluster
cluster = LocalCluster(
    n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1",
    dashboard_address=None,
)
print(cluster.scheduler_address, flush=True)
sys.stdin.read()
"""
SLEEPS = "import sys, time; print(sys.argv[1], flush=True); time.sleep(float(sys.argv[1]))"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a scheduler with two workers of one thread each."""
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("tcp://127.0.0.1:")
        yield address
        process.terminate()


def begin(study: str, **choices: object) -> str:
    record = studies.study_record(study)
    assert record is not None
    options = FitSettings("nme-mlp", "last", baselines=(), **choices)  # type: ignore[arg-type]
    return runs.start(record, options)


def wait_until(identity: str, *states: RunState) -> runs.Run:
    for _ in range(1200):
        run = runs.run_record(identity)
        assert run is not None
        if run.status.state in states:
            return run
        time.sleep(0.1)
    raise AssertionError(f"never {states}: {run.status}")


def worker_of(identity: str, home: Path) -> dict[str, object]:
    file = home / "runs" / identity / "worker.json"
    for _ in range(600):
        if file.is_file() and (text := file.read_text()):
            return dict(json.loads(text))
        time.sleep(0.1)
    raise AssertionError("no worker took the run")


def is_cancelled(identity: str) -> bool:
    runs.cancel(identity)
    run = runs.run_record(identity)
    return run is not None and run.status.state is RunState.CANCELLED


def test_runs_are_spread_cancelled_and_trained(
    scheduler: str, number_study: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NME_DASK_SCHEDULER", scheduler)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "command", lambda *_: [sys.executable, "-c", SLEEPS, "600"])
        busy = [begin(number_study), begin(number_study)]
        workers = [worker_of(identity, home) for identity in busy]
        assert workers[0]["worker"] != workers[1]["worker"]
        waiting = begin(number_study)
    assert queue() == []  # none of them takes a place here
    assert is_cancelled(waiting)
    assert not (home / "runs" / waiting / "worker.json").exists()
    assert is_cancelled(busy[0])
    assert not psutil.pid_exists(int(str(workers[0]["pid"])))

    trained = begin(number_study, epochs=2, hidden=())
    done = wait_until(trained, RunState.DONE, RunState.FAILED)
    assert done.done, done.status.message
    assert len(RunFolder(home / "runs" / trained).table("random_effects")) > 0
    assert worker_of(trained, home)["worker"] == workers[0]["worker"]
    assert is_cancelled(busy[1])


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1"])
def test_a_scheduler_that_is_not_there_is_named(
    number_study: str, home: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("NME_DASK_SCHEDULER", address)
    run = wait_until(begin(number_study), RunState.FAILED)
    assert f"No Dask scheduler answers at {address}" in run.status.message


def test_a_run_is_not_taken_twice(
    scheduler: str, number_study: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NME_DASK_SCHEDULER", scheduler)
    monkeypatch.setattr(runs, "command", lambda *_: [sys.executable, "-c", SLEEPS, "0"])
    original = runs.launch

    def launch(words: list[str], path: Path) -> subprocess.Popen[bytes]:
        (path / "worker.json").write_text("{}")
        return original(words, path)

    monkeypatch.setattr(runs, "launch", launch)
    run = wait_until(begin(number_study), RunState.FAILED)
    assert "has gone without a word" in run.status.message
