"""Research tools: ``nme covariance``, ``nme calibrate``, ``nme replicate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import Run
from nme_core.cli.progress import ProgressBar
from nme_core.cli.research_grids import Dask, Jobs, Resume
from nme_core.io import RunFolder

Long = Annotated[
    Path, typer.Argument(metavar="LONG.csv", help="The table that the run was fitted on.")
]
Remedied = Annotated[
    Path | None,
    typer.Option(metavar="C.csv", help="Its covariates; only where remedies are about them."),
]


def bar() -> ProgressBar:
    """The bar of a research tool: on a terminal alone."""
    return ProgressBar(shown=sys.stderr.isatty())


def covariance(
    run: Run,
    long: Long,
    covariates: Remedied = None,
    jobs: Jobs = 1,
    dask: Dask = None,
    resume: Resume = False,
) -> None:
    """Ask whether Σ is diagonal; writes covariance_models.csv and verdict.json into RUN."""
    from nme_core.runs.research.covariance import covariance_models
    from nme_core.runs.research.tasks import TaskOptions

    folder = RunFolder(run)
    with bar() as shown:
        found = covariance_models(
            folder, long, covariates, tasks=TaskOptions(jobs, dask, resume), report=shown.show
        )
    found.write(folder)
    typer.echo("\n".join(found.verdict.lines()))
    table = found.table.drop(columns="note").to_string(index=False, float_format="{:.5g}".format)
    typer.echo(f"\n{table}\n\nWrote {folder.path}/covariance_models.csv and verdict.json.")
