"""Kill −9 at random moments of an upload, a training, a deletion; is all whole afterwards?

``python -m benchmarks.kills [KILLS [SECONDS [SEED]]]`` keeps a small study, trains a linear model
on it, replaces a run, tests it against a covariate and deletes things, each in a process of its own
that is killed at a random moment; then sweeps as the app does when it starts. Every study and run
has to be whole, said to be damaged or unfinished, or gone; nothing else may lie there.
"""

from __future__ import annotations

import math
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.home import at_home

#: What is done in the process that is killed, by name; HOME is empty or as the last one left it.
UPLOAD, DELETE_RUN, DELETE_STUDY = "upload", "delete a run", "delete a study"
TRAIN, REPLACE, TEST, BUNDLE = "train", "replace a run", "test", "bundle"
WORK = (UPLOAD, TRAIN, REPLACE, TEST, BUNDLE, DELETE_RUN, DELETE_STUDY)

_ROWS = "pid,day,sleep,mood\n" + "".join(
    f"{p:03d},{d},{(7 * p + 3 * d) % 11},{p % 3 + (5 * d + p) % 7 / 2}\n"
    for p in range(1, 9)
    for d in range(8)
)
_PERSONS = "pid,age\n" + "".join(f"{p:03d},{20 + 3 * p}\n" for p in range(1, 9))


def prepare(what: str) -> None:
    """Give a piece of work what it works on."""
    from dashboard.services import library, studies

    if what in (REPLACE, TEST, BUNDLE) and not _finished():
        work(TRAIN)
    if what == DELETE_STUDY and not studies.list_studies():
        work(UPLOAD)
    if what == DELETE_RUN and not library.list_runs():
        work(TRAIN)


def work(what: str) -> None:
    """Do one piece of work."""
    from dashboard.services import library, studies

    if what == UPLOAD:
        draft = studies.draft_upload("long.csv", _ROWS.encode(), _PERSONS.encode())
        roles = studies.ChosenRoles("pid", "mood", "day", None, ("sleep",), ("age",))
        studies.keep_study(draft, roles, f"study {time.monotonic_ns()}")
    elif what == TRAIN:
        _train(None)
    elif what == REPLACE:
        _train(_finished()[0])
    elif what == TEST:
        from nme_core.analysis import CovariateOptions, covariate_tests
        from nme_core.analysis.kept_tests import keep_tests
        from nme_core.io import RunFolder

        run = RunFolder(_finished()[0])
        options = CovariateOptions(reps=99, guard="strata")
        for _ in range(20):
            keep_tests(run, covariate_tests(run, ["age"], options))
    elif what == BUNDLE:
        from nme_core.io import RunFolder
        from nme_core.reports.bundle import write_bundle

        write_bundle(RunFolder(_finished()[0]), Path(os.environ["NME_HOME"]) / "bundle.zip")
    elif what == DELETE_RUN:
        library.delete_run(library.list_runs()[0].id)
    else:
        library.delete_study(studies.list_studies()[0].id)


def _finished() -> list[Path]:
    """Folders of the runs that are finished."""
    from dashboard.services import library
    from dashboard.services.home import home

    return [home() / "runs" / run.id for run in library.list_runs() if run.done]


def _train(path: Path | None) -> None:
    """Train a linear model, as the app's process does, in a new folder or in one that is there."""
    from io import StringIO

    import pandas as pd

    from dashboard.services.home import new_id
    from nme_core.io import RunFolder, RunState, Status, durable
    from nme_core.runs.fit import FitOptions, run_experiment
    from nme_core.study import Study

    long, persons = (
        pd.read_csv(StringIO(text), dtype={"pid": "str"}) for text in (_ROWS, _PERSONS)
    )
    study = Study.from_frame(
        long, person="pid", outcome="mood", time="day", features=["sleep"], covariates=persons
    )
    if path is None:
        _, path = new_id("runs")
        options = {"model": "nme-mlp", "placement": "last"}
        about = {"name": "a run", "study": "", "created": "", "options": options}
        with durable.folder_beside(path) as new:
            RunFolder(new).write_json("run", {**about, "pid": os.getpid(), "process_born": None})
            RunFolder(new).write_status(Status(RunState.QUEUED))
    options = FitOptions(
        model="nme-mlp", placement="last", estimator="laplace", hidden=(), baselines=("generic",)
    )
    run_experiment(study, options, RunFolder(path))


def forked(what: str, task: Callable[[str], None]) -> int:
    """Begin a task in a process of its own, which shares what was imported; the process."""
    pid = os.fork()
    if pid == 0:
        try:
            warnings.simplefilter("ignore")
            task(what)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def ended(pid: int, after_s: float | None = None) -> bool:
    """Wait for a process, or kill it so long after; whether it came to its end by itself."""
    end = math.inf if after_s is None else time.monotonic() + after_s
    while (found := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        if time.monotonic() >= end:
            os.kill(pid, signal.SIGKILL)
            found = os.waitpid(pid, 0)
            break
        time.sleep(0.0005)
    if os.WIFEXITED(found[1]) and os.WEXITSTATUS(found[1]):
        raise RuntimeError("the work failed by itself")
    return os.WIFEXITED(found[1])


def look(home: Path) -> Iterator[tuple[str, str]]:
    """What each study and run is, after the sweep of a start; AssertionError where it is neither.

    Yields its kind, and ``whole``, ``unfinished`` or ``damaged``.
    """
    from dashboard.services import library, studies
    from dashboard.services.home import tidy
    from nme_core.io import RunFolder, durable

    tidy()
    for path in (*home.rglob("*"), *Path(tempfile.gettempdir()).glob(".nme.*")):
        assert not durable.is_leftover(path.name), f"left behind: {path}"
        assert path.stat().st_mode & 0o077 == 0 or path.suffix == ".zip", f"not private: {path}"
    for record in studies.list_studies():
        study, _ = studies.open_study(record.id)
        assert study.n_rows == _ROWS.count("\n") - 1
        yield "study", "whole"
    for run in library.list_runs():
        if not run.done:
            assert run.status.message, f"nothing is said of {run.id}"
            yield "run", "unfinished"
            continue
        folder = RunFolder(home / "runs" / run.id)
        folder.require_whole()
        for name in ("metrics", "random_effects", "predictions"):
            assert len(folder.table(name))
        yield "run", "whole"
    for one in library.damaged():
        assert one.why
        yield one.kind, "damaged"
    bundle = home / "bundle.zip"
    if bundle.exists():
        from nme_core.reports.bundle import open_bundle

        with durable.scratch() as scratch:
            open_bundle(bundle, scratch / "run").require_whole()


def run(kills: int, seconds: float, seed: int = 0) -> Counter[tuple[str, str]]:
    """Kill so many pieces of work, or for so many seconds; counts by work and by what was found."""
    import nme_core.reports.bundle
    import nme_core.runs.fit  # noqa: F401
    from nme_core.io.home import home

    chance, end = random.Random(seed), time.monotonic() + seconds
    found: Counter[tuple[str, str]] = Counter()
    longest = dict.fromkeys(WORK, 1.0)
    with tempfile.TemporaryDirectory() as folder, at_home(Path(folder) / "home"):
        number = 0
        while number < kills and time.monotonic() < end:
            what = chance.choice(WORK)
            ended(forked(what, prepare))
            after = chance.random() * longest[what]
            done = ended(forked(what, work), after)
            # Aim at the time that it takes: closer where it ended first, else a little further.
            longest[what] = after if done else 1.05 * longest[what]
            found[what, "ended first" if done else "killed"] += 1
            number += not done
            found.update((f"afterwards: {thing}", state) for thing, state in look(home()))
    return found


if __name__ == "__main__":
    words = [float(word) for word in sys.argv[1:]]
    kills, seconds, seed = (*words, *(200, 900, 0)[len(words) :])
    for (thing, what), count in sorted(run(int(kills), seconds, int(seed)).items()):
        print(f"{thing:<20}{what:<14}{count:>6}")
