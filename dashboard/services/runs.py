"""Runs: training in a process of its own, followed through the files that it writes."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

import nme_core
from dashboard.services.cluster import LOG, STOP, WORKER
from dashboard.services.home import folder, home, new_id, now, utc_text
from dashboard.services.settings import scheduler
from dashboard.services.studies import CODEBOOK, StudyRecord, recipe_file, study_record
from dashboard.services.terms import placement_words
from dashboard.services.turn import is_starting, living_process, process_of, queue
from nme_core.exceptions import DataError
from nme_core.io import RunFolder, RunState, Status

#: Characters that the name of a run or a study may have.
LONGEST_NAME = 60
#: A worker that is asked to stop has so many seconds before its run is given up.
_WORKER_ENDS_S = 15.0
_SENT = "Waiting for a worker of the cluster."
_UNEXPECTED = "Training stopped unexpectedly. The details are in {log}."
_KILLED = (
    "Training was ended from outside, or the computer ran out of memory: the process has gone "
    "without a word. Train again; if it happens again, close other programs or use fewer features."
)
_CANCELLED = "Cancelled."
_CHILDREN: dict[str, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class ModelOptions:
    """The choices of the model page, as ``nme fit`` knows them.

    Without hidden layers (None), the model has those that it has by default.
    """

    model: str
    placement: str
    covariance: str = "diagonal"
    hidden: str | tuple[int, ...] | None = None
    baselines: tuple[str, ...] = ("generic", "specific")
    epochs: int | None = None
    seed: int = 0
    estimator: str = "variational"
    family: str | None = None
    tune: int = 0
    activation: str | None = None


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


def command(study: Path, record: StudyRecord, options: ModelOptions, out: Path) -> list[str]:
    """The ``nme fit`` call for a study in its folder, as a list of arguments."""
    words = [sys.executable, "-m", "nme_core", "fit", str(study / "long.csv")]
    if (study / "covariates.csv").is_file():
        words += ["--covariates", str(study / "covariates.csv")]
    words += ["--recipe", str(recipe_file(study, record))]
    if (study / CODEBOOK).is_file():
        words += ["--codebook", str(study / CODEBOOK)]
    words += ["--model", options.model, "--placement", options.placement]
    words += ["--covariance", options.covariance, "--estimator", options.estimator]
    if options.family is not None:
        words += ["--family", options.family]
    if options.hidden is not None:
        named = options.hidden
        text = named if isinstance(named, str) else ",".join(str(units) for units in named)
        words += ["--hidden", text or "none"]
    if options.activation is not None:
        words += ["--activation", options.activation]
    words += ["--baselines", ",".join(options.baselines) or "none"]
    if options.epochs is not None:
        words += ["--epochs", str(options.epochs)]
    if options.tune:
        words += ["--tune", str(options.tune)]
    return [*words, "--seed", str(options.seed), "--out", str(out), "--quiet"]


def start(record: StudyRecord, options: ModelOptions) -> str:
    """Start training a study in its own process, or let it wait there; returns the run's id."""
    if folder("studies", record.id) is None:
        raise FileNotFoundError(f"study {record.id}")
    identity, path = new_id("runs")
    content = {
        "name": _free_name(record, options),
        "study": record.id,
        "created": utc_text(),
        "options": asdict(options),
    }
    _begin(identity, path, record, content)
    return identity


def _free_name(record: StudyRecord, options: ModelOptions) -> str:
    """Study, model and placement in words, with a number where another run is called so."""
    about = f", {options.model.upper()}, {placement_words(options.placement)}"
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
    (path / LOG).unlink(missing_ok=True)
    RunFolder(path).clear()
    for made_later in ("new-persons", "jobs"):
        shutil.rmtree(path / made_later, ignore_errors=True)
    _begin(identity, path, record, content)


def _begin(identity: str, path: Path, record: StudyRecord, content: dict[str, Any]) -> None:
    """Put a run in the queue and start its process, which waits there for its turn."""
    study = folder("studies", record.id)
    assert study is not None
    run = RunFolder(path)
    for name in (STOP, WORKER):
        (path / name).unlink(missing_ok=True)
    where = scheduler()
    message = "Starting." if where is None else _SENT
    run.write_status(Status(RunState.QUEUED, started=utc_text(), message=message))
    content = {**content, "scheduler": where, "queued": time.time_ns()}
    content |= {"pid": None, "process_created": None}
    run.write_json("run", content)
    options = chosen_options(content["options"])
    words = [sys.executable, "-m", "dashboard.services.turn", str(path)]
    child = launch([*words, *command(study, record, options, path)], path)
    _CHILDREN[identity] = child
    run.write_json("run", {**content, **process_of(child.pid)})


def chosen_options(content: dict[str, Any]) -> ModelOptions:
    """The choices of a run as ``run.json`` holds them."""
    known = ModelOptions.__dataclass_fields__
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in content.items()
        if name in known
    }
    return ModelOptions(**values)


def launch(words: list[str], path: Path) -> subprocess.Popen[bytes]:
    """Start a process that outlives the page and the server; its words go into the log there."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    root = Path(nme_core.__file__).parent.parent
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        detached = {"creationflags": flags}
    with (path / LOG).open("ab") as log:
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

    A run whose process has gone without saying so is marked failed, with its last words.
    """
    path = folder("runs", identity)
    if path is None or not (path / "run.json").is_file():
        return None
    content = json.loads((path / "run.json").read_text(encoding="utf-8"))
    run = RunFolder(path)
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
    return Run(
        id=identity,
        name=content["name"],
        study=content["study"],
        created=content["created"],
        options=content["options"],
        status=status,
    )


def list_runs(study: str | None = None) -> list[Run]:
    """Runs on this computer (of one study, or all), newest first."""
    parent = home() / "runs"
    names = sorted((p.name for p in parent.iterdir()), reverse=True) if parent.is_dir() else []
    runs = [run for name in names if (run := run_record(name)) is not None]
    return [run for run in runs if study is None or run.study == study]


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
    content = run.read_json("run")
    process = _process(identity, content)
    (path / STOP).touch()
    if process is not None and content.get("scheduler"):  # not this computer's to end
        psutil.wait_procs([process], timeout=_WORKER_ENDS_S)
        process = _process(identity, content)
    if process is not None:
        family = [*process.children(recursive=True), process]
        for member in family:
            _quietly(member.terminate)
        _, stubborn = psutil.wait_procs(family, timeout=3)
        for member in stubborn:
            _quietly(member.kill)
        psutil.wait_procs(stubborn, timeout=3)
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


def kept_models(identity: str) -> tuple[str, ...]:
    """Models that were finished and judged in a run, whether or not the run came to its end."""
    path = folder("runs", identity)
    if path is None or not (path / "config.json").is_file():
        return ()
    run = RunFolder(path)
    if not all(run.has_table(name) for name in ("metrics", "comparison", "history")):
        return ()
    judged = set(run.table("metrics")["model"])
    return tuple(name for name in run.config.get("verdicts", {}) if name in judged)


def _process(identity: str, content: dict[str, Any]) -> psutil.Process | None:
    """The run's living process."""
    child = _CHILDREN.get(identity)
    if child is not None and child.poll() is not None:
        del _CHILDREN[identity]
    return living_process(content)


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except psutil.NoSuchProcess:
        return


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
