"""Waiting for one's turn: every training begins in this program, in a process of its own.

A run that is meant for a Dask cluster is handed over to it at once; the scheduler has a queue of
its own. All others wait here.

``python -m dashboard.services.turn RUN COMMAND...`` waits until fewer trainings than may run at
once stand before the run, then becomes the command. Nobody else is needed for it: the order is
that of ``queued`` in every ``run.json``, and a run counts for as long as its process lives. A
lock that the operating system holds for the process, and frees with it, keeps two from starting
at the same moment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from dashboard.services.cluster import send
from dashboard.services.home import home
from dashboard.services.settings import trainings_at_once

_LOOK_EVERY_S = 0.5
#: A run that has no process yet counts for so long: its process is being started.
_STARTING_S = 60.0
#: States of ``status.json`` before the end; spelt out, as nme_core.io would import pandas.
_UNFINISHED = ("queued", "running")
_WINDOWS = sys.platform == "win32"


def living_process(content: dict[str, Any]) -> psutil.Process | None:
    """The process that ``run.json`` names; the time it was created guards against a reused id."""
    if content.get("pid") is None:
        return None
    try:
        process = psutil.Process(content["pid"])
        same = abs(process.create_time() - content["process_created"]) < 1.0
        alive = same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if alive else None


def process_of(pid: int) -> dict[str, Any]:
    """What `living_process` needs in order to know a process again."""
    return {"pid": pid, "process_created": psutil.Process(pid).create_time()}


def is_starting(content: dict[str, Any]) -> bool:
    """Whether a run was asked for a moment ago and has no process yet."""
    waited = time.time() - content.get("queued", 0) / 1e9
    return content.get("pid") is None and waited < _STARTING_S


def queue() -> list[str]:
    """Ids of the runs that train or wait on this computer, in the order they were asked for."""
    found = []
    for path, content in _unfinished():
        if content.get("scheduler"):
            continue  # it takes no place here
        if is_starting(content) or living_process(content) is not None:
            found.append((content.get("queued", 0), path.name))
    return [name for _, name in sorted(found)]


def wait(run: Path) -> BinaryIO:
    """Wait for the turn of a run; returns the lock that has to be kept open while it trains."""
    while True:
        order = queue()
        ahead = order.index(run.name) if run.name in order else len(order)
        slots = trainings_at_once()
        if ahead < slots and (lock := _take(slots)) is not None:
            return lock
        time.sleep(_LOOK_EVERY_S)


def _unfinished() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Folder and ``run.json`` of the runs that have not come to an end."""
    parent = home() / "runs"
    for path in parent.iterdir() if parent.is_dir() else ():
        try:
            status = json.loads((path / "status.json").read_text(encoding="utf-8"))
            if status["state"] not in _UNFINISHED:
                continue
            yield path, json.loads((path / "run.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            continue  # being made or being deleted


def _take(slots: int) -> BinaryIO | None:
    """Take one of the places; None where every one is taken."""
    folder = home() / "queue"
    folder.mkdir(exist_ok=True, mode=0o700)
    for place in range(slots):
        file = (folder / f"place-{place}.lock").open("ab")
        if _lock(file):
            return file
        file.close()
    return None


def _lock(file: BinaryIO) -> bool:
    """Lock a file for this process until it ends; False where another one has it."""
    try:
        if _WINDOWS:
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def main(run: Path, command: list[str]) -> int:
    """Train where the run is meant to: on the cluster, or here in turn; the exit code."""
    content = json.loads((run / "run.json").read_text(encoding="utf-8"))
    if content.get("scheduler"):
        return send(content["scheduler"], run, command)
    lock = wait(run)
    if _WINDOWS:  # no process can become another there
        return subprocess.call(command)
    os.set_inheritable(lock.fileno(), True)
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
