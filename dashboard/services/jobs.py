"""Work on a finished run that takes longer than a click: a process of its own for each job.

A job has a folder, and is followed through the ``status.json`` there; it outlives page and server.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dashboard.services.home import folder
from dashboard.services.results import run_folder
from dashboard.services.runs import launch
from dashboard.services.turn import end, living_process, process_of
from nme_core.io import RunFolder, RunState, Status, durable

FOLDER = "jobs"
TESTS, STABILITY, CERTIFICATE = "tests", "stability", "certificate"
_ACTIVE = (RunState.QUEUED, RunState.RUNNING)
_CHILDREN: dict[Path, subprocess.Popen[bytes]] = {}
_STOPPED = "Stopped. What was finished is kept for the next time."
_GONE = "The process has gone without a word. Try again."


def begin(path: Path, words: Sequence[str]) -> None:
    """Start a job in its folder, which has to be there."""
    RunFolder(path).write_status(Status(RunState.QUEUED, message="Starting."))
    child = launch([*words], path)
    _CHILDREN[path] = child
    RunFolder(path).write_json("job", process_of(child.pid))


def standing(path: Path) -> Status | None:
    """Where the job in a folder stands; None where there is none."""
    if not (path / "job.json").is_file():
        return None
    child = _CHILDREN.get(path)
    if child is not None:
        child.poll()
    alive = living_process(RunFolder(path).read_json("job")) is not None
    found = RunFolder(path).status
    if found.state in _ACTIVE and not alive:
        return Status(RunState.FAILED, message=_GONE)
    return found


def start(identity: str, kind: str, **request: Any) -> None:
    """Start a job on a run, unless one of its kind is at work; `request` is what it is asked."""
    if is_active(identity, kind):
        return
    run = run_folder(identity).path
    path = run / FOLDER / kind
    durable.remove(path)
    with durable.folder_beside(path) as new:
        RunFolder(new).write_json("request", request)
    begin(path, [sys.executable, "-m", "dashboard.services.job", kind, str(path), str(run)])


def status(identity: str, kind: str) -> Status | None:
    """Where the last job of a kind on a run stands; None where there was none."""
    path = place(identity, kind)
    return None if path is None else standing(path)


def is_active(identity: str, kind: str) -> bool:
    """Whether a job of this kind is at work on a run."""
    found = status(identity, kind)
    return found is not None and found.state in _ACTIVE


def place(identity: str, kind: str) -> Path | None:
    """Folder of the last job of a kind on a run; None where there was none."""
    run = folder("runs", identity)
    path = None if run is None else run / FOLDER / kind
    return path if path is not None and path.is_dir() else None


def cancel(identity: str, kind: str) -> None:
    """End a job that is at work; what it has kept stays."""
    path = place(identity, kind)
    if path is None or not is_active(identity, kind):
        return
    process = living_process(RunFolder(path).read_json("job"))
    if process is not None:
        end(process)
    RunFolder(path).write_status(Status(RunState.CANCELLED, message=_STOPPED))


def dismiss(identity: str, kind: str) -> None:
    """Forget a job that has ended."""
    path = place(identity, kind)
    if path is not None and not is_active(identity, kind):
        durable.remove(path)
