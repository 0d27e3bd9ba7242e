"""Runs: training in a process of its own, followed through the files that it writes."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

import nme_core
from dashboard.services.cluster import LOG, STOP, WORKER
from dashboard.services.home import folder, home, new_id, now, utc_text
from dashboard.services.settings import scheduler
from dashboard.services.studies import (
    CODEBOOK,
    StudyRecord,
    recipe_file,
    require_whole,
    study_record,
)
from dashboard.services.terms import placement_words
from dashboard.services.turn import (
    end,
    is_starting,
    last_in_line,
    living_process,
    process_of,
    queue,
)
from nme_core.exceptions import DataError, NMEError, OptionError, RunFolderError
from nme_core.io import RunFolder, RunState, Status, durable
from nme_core.io.renewal import clear
from nme_core.vocabulary.settings import AUTO, SETTINGS, FitSettings, layers

#: Characters that the name of a run or a study may have.
LONGEST_NAME = 100
#: A worker that is asked to stop has so many seconds before its run is given up.
_WORKER_ENDS_S = 15.0
_SENT = "Waiting for a worker of the cluster."
_UNEXPECTED = "Training stopped unexpectedly. The details are in {log}."
_KILLED = (
    "Training was ended from outside, or the computer ran out of memory: the process has gone "
    "without a word. Train again; if it happens again, close other programs or use fewer features."
)
_CANCELLED = "Cancelled."
_DAMAGED = "This run is damaged: {what}"
_CHILDREN: dict[str, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Run:
    """One run: what it was asked for and where it stands."""

    id: str
    name: str
    study: str
    created: str
    options: dict[str, Any]
    status: Status

    @property
    def model(self) -> str:
        """``nme-crf`` or ``nme-mlp``."""
        return str(self.options["model"])

    @property
    def active(self) -> bool:
        """Whether its process is at work."""
        return self.status.state in (RunState.QUEUED, RunState.RUNNING)

    @property
    def waiting(self) -> bool:
        """Whether it has yet to begin."""
        return self.status.state is RunState.QUEUED

    @property
    def done(self) -> bool:
        """Whether it finished and every table is there."""
        return self.status.state is RunState.DONE


def command(study: Path, record: StudyRecord, options: FitSettings, out: Path) -> list[str]:
    """The ``nme fit`` call for a study in its folder, as a list of arguments."""
    words = [sys.executable, "-m", "nme_core", "fit", str(study / "long.csv")]
    if (study / "covariates.csv").is_file():
        words += ["--covariates", str(study / "covariates.csv")]
    words += ["--recipe", str(recipe_file(study, record))]
    if (study / CODEBOOK).is_file():
        words += ["--codebook", str(study / CODEBOOK)]
    return [*words, *options.words(), "--out", str(out), "--quiet"]


def start(record: StudyRecord, options: FitSettings) -> str:
    """Start training a study in its own process, or let it wait there; returns the run's id."""
    require_whole(record.id)
    identity, path = new_id("runs")
    content = {
        "name": _free_name(record, options),
        "study": record.id,
        "created": utc_text(),
        "options": asdict(options),
    }
    with durable.folder_beside(path) as new:
        content = _queue(RunFolder(new), content)
    _launch(identity, path, record, content)
    return identity


def _free_name(record: StudyRecord, options: FitSettings) -> str:
    """Study, model and placement in words, with a number where another run is called so."""
    where = f", {placement_words(options.placement)}" if options.placement else ""
    about = f", {options.model.upper()}{where}"
    taken = {run.name for run in list_runs()}
    for number in itertools.count(1):
        end = about if number == 1 else f"{about} ({number})"
        name = record.name[: LONGEST_NAME - len(end)] + end
        if name not in taken:
            break
    return name


def restart(identity: str) -> None:
    """Train a run that has ended once more, with the same choices and at the same address.

    Raises
    ------
    DataError
        The study is no longer there.
    """
    path = folder("runs", identity)
    if path is None:
        raise FileNotFoundError(f"run {identity}")
    content = RunFolder(path).read_json("run")
    record = study_record(content["study"])
    if record is None:
        raise DataError(
            "The study of this run is no longer there.", remedy="Load it again and train on it."
        )
    require_whole(record.id)
    clear(RunFolder(path))
    for name in (LOG, STOP, WORKER, "new-persons", "jobs"):
        durable.remove(path / name)
    _launch(identity, path, record, _queue(RunFolder(path), content))


def _queue(run: RunFolder, content: dict[str, Any]) -> dict[str, Any]:
    """Put a run in the queue, behind all others; what ``run.json`` then holds."""
    where = scheduler()
    message = "Starting." if where is None else _SENT
    run.write_status(Status(RunState.QUEUED, started=utc_text(), message=message))
    content = {**content, "scheduler": where, "queued": last_in_line()}
    content |= {"pid": None, "starter": process_of(os.getpid())}
    run.write_json("run", content)
    return content


def _launch(identity: str, path: Path, record: StudyRecord, content: dict[str, Any]) -> None:
    """Start the process of a run, which waits for its turn."""
    study = folder("studies", record.id)
    assert study is not None
    options = chosen_options(content["options"])
    words = [sys.executable, "-m", "dashboard.services.turn", str(path)]
    child = launch([*words, *command(study, record, options, path)], path)
    _CHILDREN[identity] = child
    RunFolder(path).write_json("run", {**content, **process_of(child.pid)})


def layers_of(text: str, model: str) -> str | tuple[int, ...] | None:
    """Hidden layers from what was typed; None where it makes no sense for this model."""
    try:
        found = layers(text)
    except OptionError:
        return None
    sensible = model == "nme-mlp" if found == AUTO else min(map(int, found), default=1) > 0
    return found if sensible else None


def chosen_options(content: dict[str, Any]) -> FitSettings:
    """The choices of a run as ``run.json`` holds them."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in content.items()
        if name in SETTINGS
    }
    return FitSettings(**values)


def launch(words: list[str], path: Path) -> subprocess.Popen[bytes]:
    """Start a process that outlives the page and the server; its words go into the log there."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    root = Path(nme_core.__file__).parent.parent
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        detached = {"creationflags": flags}
    with durable.append_to(path / LOG) as log:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=root,
            env=environment,
            **detached,
        )


def run_record(identity: str) -> Run | None:
    """Where a run stands now; None where there is no such run.

    A run whose process has gone without saying so is marked failed, with its last words. One of
    which a file is cut, changed or missing is shown as failed, with the file's name.

    Raises
    ------
    RunFolderError
        Where nobody can say what it is.
    """
    path = folder("runs", identity)
    if path is None or not (path / "run.json").is_file():
        return None
    run = RunFolder(path)
    content = run.read_json("run")
    # The process first: one that ends between the two looks would seem to have died.
    alive = is_starting(content) or _process(identity, content) is not None
    status = run.status
    if status.state in (RunState.QUEUED, RunState.RUNNING) and not alive:
        stopped = (path / STOP).exists()  # another session's cancelling may not have got further
        status = replace(
            status,
            state=RunState.CANCELLED if stopped else RunState.FAILED,
            finished=utc_text(),
            message=_CANCELLED if stopped else _last_words(path),
        )
        run.write_status(status)
    if status.state is RunState.FAILED and _crashed(path):
        status = replace(status, message=_UNEXPECTED.format(log=path / LOG))
    if status.state is RunState.CANCELLED:  # its process may have said it first, in more words
        status = replace(status, message=_CANCELLED)
    if status.state is RunState.DONE:
        try:
            run.require_whole()
        except RunFolderError as error:
            status = replace(status, state=RunState.FAILED, message=_DAMAGED.format(what=error))
    try:
        told = {name: content[name] for name in ("name", "study", "created", "options")}
        assert told["options"]["model"]
        return Run(id=identity, status=status, **told)
    except (LookupError, TypeError, AssertionError) as error:
        raise RunFolderError(f"{path}/run.json is damaged.", remedy="Delete the run.") from error


def list_runs(study: str | None = None) -> list[Run]:
    """Runs on this computer (of one study, or all), newest first."""
    parent = home() / "runs"
    names = sorted((p.name for p in parent.iterdir()), reverse=True) if parent.is_dir() else []
    runs = []
    for name in names:
        with suppress(NMEError):  # `library.damaged` has those
            runs.append(run_record(name))
    return [run for run in runs if run is not None and study in (None, run.study)]


def place(identity: str) -> int:
    """How many runs that train or wait were asked for before this one."""
    order = queue()
    return order.index(identity) if identity in order else len(order)


def history(identity: str) -> pd.DataFrame | None:
    """Losses so far; None before the first epoch."""
    path = folder("runs", identity)
    if path is None or not RunFolder(path).has_table("history"):
        return None
    table = RunFolder(path).table("history")
    return table if len(table) else None


def seconds_left(status: Status) -> float | None:
    """Rough time to the end in seconds, from the progress so far; None while nobody can say."""
    if status.started is None or not 0.03 <= status.progress < 1:
        return None
    elapsed = (now() - pd.Timestamp(status.started).to_pydatetime()).total_seconds()
    return max(elapsed, 0.0) * (1 - status.progress) / status.progress


def cancel(identity: str) -> None:
    """Stop a run's process; its folder keeps what was written so far."""
    path = folder("runs", identity)
    if path is None:
        return
    run = RunFolder(path)
    try:
        content, status = run.read_json("run"), run.status
    except RunFolderError:
        return  # nobody knows its process
    process = _process(identity, content)
    durable.write(path / STOP, b"")
    if process is not None and content.get("scheduler"):  # not this computer's to end
        psutil.wait_procs([process], timeout=_WORKER_ENDS_S)
        process = _process(identity, content)
    if process is not None:
        end(process)
    status = run.status
    if status.state is not RunState.DONE:
        run.write_status(
            replace(
                status,
                state=RunState.CANCELLED,
                finished=utc_text(),
                message=_CANCELLED,
            )
        )


def end_jobs(path: Path) -> None:
    """End the jobs on a run that are at work, as before it is deleted."""
    for file in path.glob("*/*/job.json"):
        with suppress(RunFolderError):
            process = living_process(RunFolder(file.parent).read_json("job"))
            if process is not None:
                end(process)


def kept_models(identity: str) -> tuple[str, ...]:
    """Models that were finished and judged in a run, whether or not the run came to its end."""
    path = folder("runs", identity)
    if path is None or not (path / "config.json").is_file():
        return ()
    run = RunFolder(path)
    try:
        if not all(run.has_table(name) for name in ("metrics", "comparison", "history")):
            return ()
        judged = set(run.table("metrics")["model"])
        return tuple(name for name in run.config.get("verdicts", {}) if name in judged)
    except RunFolderError:
        return ()


def _process(identity: str, content: dict[str, Any]) -> psutil.Process | None:
    """The run's living process."""
    child = _CHILDREN.get(identity)
    if child is not None and child.poll() is not None:
        del _CHILDREN[identity]
    return living_process(content)


def _last_words(path: Path) -> str:
    if _crashed(path):
        return _UNEXPECTED.format(log=path / LOG)
    lines = [line.strip() for line in _log(path).splitlines()]
    said = [line for line in lines if line and not line.startswith("nme: warning:")]
    if not said:
        return _KILLED
    return said[-1].removeprefix("nme: ")[:500]


def _crashed(path: Path) -> bool:
    """Whether the log holds a trace or an internal error: not for the screen."""
    text = _log(path)
    return "Traceback" in text or "internal error" in text


def _log(path: Path) -> str:
    log = path / LOG
    return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
