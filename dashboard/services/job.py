"""A job on a finished run: ``python -m dashboard.services.job KIND JOB RUN``.

What it is asked stands in ``request.json`` of the folder JOB; what it finds goes into the run
folder RUN (tests, stability, research) or stays in JOB (certificate).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

from dashboard.services import covariates, jobs, research
from dashboard.services.home import log_exception
from nme_core.analysis import CovariateOptions
from nme_core.exceptions import NMEError, NMEWarning
from nme_core.io import RunFolder, RunState, Status

Say = Callable[[str, float], None]


def _tests(job: RunFolder, run: RunFolder, request: dict[str, Any], say: Say) -> None:
    how = {**request["how"], "confounders": tuple(request["how"]["confounders"])}

    def told(done: int, of: int) -> None:
        say(f"{done} of {of} covariates", done / of)

    say("Permuting people", 0.0)
    covariates.make_tests(run, request["family"], CovariateOptions(**how), told)


def _stability(job: RunFolder, run: RunFolder, request: dict[str, Any], say: Say) -> None:
    from nme_core.runs.stability import stability

    table = stability(
        run, request["long"], request["covariates"], seeds=request["seeds"], report=say
    )
    run.write_table("stability", table)


def _certificate(job: RunFolder, run: RunFolder, request: dict[str, Any], say: Say) -> None:
    from nme_core.analysis import certify
    from nme_core.runs.recorded import read_study

    say("Fitting the linear model twice", 0.1)
    _, found = certify(read_study(run, request["long"], request["covariates"]))
    job.write_table("certificate", found.table)
    job.write_json("certificate", {"verdict": found.verdict, "notes": list(found.notes)})


def _research(job: RunFolder, run: RunFolder, request: dict[str, Any], say: Say) -> None:
    from nme_core.runs.research.tasks import TaskOptions
    from nme_core.runs.research.tools import Files, ask

    files = Files(request["long"], request["covariates"])
    tasks = TaskOptions(jobs=request["jobs"], dask=request["dask"], resume=True)
    ask(request["tool"], run, request["asked"], files, tasks, report=say)


_WORK = {jobs.TESTS: _tests, jobs.STABILITY: _stability, jobs.CERTIFICATE: _certificate}
_WORK |= {research.kind_of(tool): _research for tool in research.TABLES}


def main(kind: str, job: RunFolder, run: RunFolder) -> int:
    """Do the job; 0 where it came to its end."""

    def say(message: str, progress: float) -> None:
        job.write_status(Status(RunState.RUNNING, progress=progress, message=message))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NMEWarning)  # the pages show what they say
            _WORK[kind](job, run, job.read_json("request"), say)
    except NMEError as error:
        job.write_status(Status(RunState.FAILED, message=str(error)))
        return 2
    except Exception as error:
        words = f"Something unexpected happened; the details are in {log_exception(error)}."
        job.write_status(Status(RunState.FAILED, message=words))
        return 1
    job.write_status(Status(RunState.DONE, progress=1.0, message="Done"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], RunFolder(sys.argv[2]), RunFolder(sys.argv[3])))
