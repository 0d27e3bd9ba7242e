"""The many fits of a research tool: over processes or a Dask cluster, kept as they finish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nme_core.exceptions import TrainingError
from nme_core.parallel import Arguments, Outcome, run_tasks

#: Called with what is being done and the part of the way behind, 0 to 1.
Report = Callable[[str, float], None]


@dataclass(frozen=True)
class TaskOptions:
    """Where the fits run; the names and values are those of the command line.

    Attributes
    ----------
    jobs : int
        Processes on this computer.
    dask : str, optional
        Address of a Dask scheduler, whose workers see the same files; instead of `jobs`.
    resume : bool
        Whether to take what an interrupted call has finished; else it is thrown away.
    """

    jobs: int = 1
    dask: str | None = None
    resume: bool = False


def kept_in(folder: Path, tool: str) -> Path:
    """The file that keeps what a tool has finished, beside its results."""
    return folder / f"{tool}_tasks.jsonl"


def run_kept(
    function: Callable[..., Any],
    tasks: Mapping[str, Arguments],
    kept: Path,
    options: TaskOptions,
    report: Report | None = None,
) -> dict[str, Outcome]:
    """Run tasks as `run_tasks` does; each is kept in a file until all are done.

    Raises
    ------
    TrainingError
        Where not one of them ended well.
    """

    def told(outcome: Outcome, done: int, total: int) -> None:
        if report is not None:
            report(f"{outcome.key} ({done} of {total})", done / total)

    if not options.resume:
        kept.unlink(missing_ok=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    found = run_tasks(
        function,
        tasks,
        jobs=options.jobs,
        dask=options.dask,
        kept=kept,
        progress=told,
        on_the_way=report,
    )
    errors = [one.error for one in found.values() if one.error]
    if tasks and len(errors) == len(tasks):
        raise TrainingError(f"Not one of {len(tasks)} fits succeeded. The first: {errors[0]}")
    return found
