"""Research tools: ``nme covariance``, ``nme calibrate``, ``nme replicate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import Run, Seed, check_folder
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


def calibrate(
    run: Run,
    long: Annotated[
        Path | None,
        typer.Argument(
            metavar="[LONG.csv]",
            help="The table that the run was fitted on; default: where `nme fit` here read it.",
        ),
    ] = None,
    covariates: Remedied = None,
    reps: Annotated[int, typer.Option(min=2, help="Simulated studies.")] = 100,
    seed: Seed = 0,
    jobs: Jobs = 1,
    dask: Dask = None,
    resume: Resume = False,
) -> None:
    """Measure the coverage of this study's intervals; writes calibration_study.csv into RUN."""
    from nme_core.runs.research.calibrate import calibrate as measure
    from nme_core.runs.research.tasks import TaskOptions

    folder, tasks = RunFolder(run), TaskOptions(jobs, dask, resume)
    with bar() as shown:
        found = measure(
            folder, long, covariates, reps=reps, seed=seed, tasks=tasks, report=shown.show
        )
    found.write(folder)
    typer.echo("\n".join(found.verdict.lines()))
    typer.echo(f"\nWrote {folder.path}/calibration_study.csv and verdict.json.")


def replicate(
    run: Run,
    other: Annotated[
        Path, typer.Argument(metavar="OTHER.csv", help="Study B; with --halves study A's own file.")
    ],
    covariate: Annotated[str, typer.Option(metavar="COL", help="What was tested.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
    covariates: Annotated[
        Path | None, typer.Option(metavar="C.csv", help="Covariates of study B.")
    ] = None,
    halves: Annotated[
        bool, typer.Option("--halves", help="Try it on two halves of study A's people.")
    ] = False,
    reps: Annotated[int, typer.Option(min=99, help="Permutations of a test.")] = 2000,
    seed: Seed = 0,
    jobs: Jobs = 1,
    dask: Dask = None,
    resume: Resume = False,
) -> None:
    """Freeze study A's finding, run it once on study B; writes replication.csv, verdict.json."""
    from nme_core.analysis import CovariateOptions
    from nme_core.runs.research.replicate import replicate as run_once
    from nme_core.runs.research.tasks import TaskOptions

    check_folder(out)
    with bar() as shown:
        found = run_once(
            RunFolder(run),
            other,
            covariate,
            out,
            covariates,
            halves=halves,
            options=CovariateOptions(reps=reps, seed=seed),
            tasks=TaskOptions(jobs, dask, resume),
            report=shown.show,
        )
    found.write(out)
    typer.echo("\n".join(found.verdict.lines()))
    typer.echo(f"\nWrote {out}: replication.csv, similarity.csv, frozen.json and verdict.json.")
