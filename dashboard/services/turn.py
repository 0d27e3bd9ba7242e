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
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from dashboard.services.cluster import STOP, send
from dashboard.services.home import home, write_json
from dashboard.services.settings import trainings_at_once
from nme_core.io import durable

_LOOK_EVERY_S = 0.5
#: States of ``status.json`` before the end; spelt out, as nme_core.io would import pandas.
_UNFINISHED = ("queued", "running")
_WINDOWS = sys.platform == "win32"


def living_process(content: dict[str, Any]) -> psutil.Process | None:
    """The process that ``run.json`` names; its birth guards against a reused id.

    The birth is no time of the clock, which may be set while a training is at work.
    """
    pid = content.get("pid")
    birth = None if pid is None else durable.born(pid)
    if birth is None or birth != content.get("process_born"):
        return None
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def process_of(pid: int) -> dict[str, Any]:
    """What `living_process` needs in order to know a process again."""
    return {"pid": pid, "process_born": durable.born(pid)}


def end(process: psutil.Process) -> None:
    """End a process and those that it started, and wait until they are gone."""
    family = [*process.children(recursive=True), process]
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    _, stubborn = psutil.wait_procs(family, timeout=3)
    for member in stubborn:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(stubborn, timeout=3)


def is_starting(content: dict[str, Any]) -> bool:
    """Whether a run has no process yet, and the one that is to start it is there."""
    return content.get("pid") is None and living_process(content.get("starter") or {}) is not None


def queue() -> list[str]:
    """Ids of the runs that train or wait on this computer, in the order they were asked for."""
    found = []
    for path, content in _unfinished():
        if content.get("scheduler"):
            continue  # it takes no place here
        if is_starting(content) or living_process(content) is not None:
            found.append((content.get("queued", 0), path.name))
    return [name for _, name in sorted(found)]


def last_in_line() -> int:
    """The number of a run that is asked for now: behind all others, whatever the clock says."""
    return 1 + max((content.get("queued", 0) for _, content in _unfinished()), default=0)


def wait(run: Path) -> BinaryIO:
    """Wait for the turn of a run; returns the lock that has to be kept open while it trains."""
    while (run / "run.json").exists() and not (run / STOP).exists():
        order = queue()
        ahead = order.index(run.name) if run.name in order else len(order)
        slots = trainings_at_once()
        if ahead < slots and (lock := _take(slots)) is not None:
            return lock
        time.sleep(_LOOK_EVERY_S)
    raise SystemExit(130)  # cancelled or deleted


def _unfinished() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Folder and ``run.json`` of the runs that have not come to an end."""
    parent = home() / "runs"
    for path in parent.iterdir() if parent.is_dir() else ():
        try:
            status = json.loads((path / "status.json").read_text(encoding="utf-8"))
            if status["state"] not in _UNFINISHED:
                continue
            content = json.loads((path / "run.json").read_text(encoding="utf-8"))
            if isinstance(content, dict):
                yield path, content
        except (OSError, ValueError, LookupError, TypeError):
            continue  # being deleted, or damaged: it holds up nobody


def _take(slots: int) -> BinaryIO | None:
    """Take one of the places; None where every one is taken."""
    folder = home() / "queue"
    durable.make_folder(folder)
    for place in range(slots):
        file = durable.append_to(folder / f"place-{place}.lock")
        if _lock(file):
            return file
        file.close()
    return None


def _lock(file: BinaryIO) -> bool:
    """Lock a file for this process until it ends; False where another one has it."""
    try:
        if sys.platform == "win32":
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
    # Whoever started this may be killed before saying so.
    write_json(run / "run.json", {**content, **process_of(os.getpid())})
    if content.get("scheduler"):
        return send(content["scheduler"], run, command)
    lock = wait(run)
    if _WINDOWS:  # no process can become another there
        return subprocess.call(command)
    os.set_inheritable(lock.fileno(), True)
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
