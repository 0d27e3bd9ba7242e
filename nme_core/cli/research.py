"""Research tools: ``nme covariance``, ``nme calibrate``, ``nme replicate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.fits import Tasks
from nme_core.cli.options import Run, Seed, check_folder, takes
from nme_core.cli.progress import progress_bar
from nme_core.io import RunFolder

Long = Annotated[
    Path, typer.Argument(metavar="LONG.csv", help="The table that the run was fitted on.")
]
Remedied = Annotated[
    Path | None,
    typer.Option(metavar="C.csv", help="Its covariates; only where remedies are about them."),
]


@takes(Tasks)
def covariance(
    tasks: Tasks,
    run: Run,
    long: Long,
    covariates: Remedied = None,
) -> None:
    """Ask whether Σ is diagonal; writes covariance_models.csv and verdict.json into RUN."""
    from nme_core.runs.research.covariance import covariance_models

    folder = RunFolder(run)
    with progress_bar() as bar:
        found = covariance_models(folder, long, covariates, tasks=tasks.options, report=bar.show)
    found.write(folder)
    typer.echo("\n".join(found.verdict.lines()))
    table = found.table.drop(columns="note").to_string(index=False, float_format="{:.5g}".format)
    typer.echo(f"\n{table}\n\nWrote {folder.path}/covariance_models.csv and verdict.json.")


@takes(Tasks)
def calibrate(
    tasks: Tasks,
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
) -> None:
    """Measure the coverage of this study's intervals; writes calibration_study.csv into RUN."""
    from nme_core.runs.research.calibrate import calibrate as measure

    folder = RunFolder(run)
    with progress_bar() as bar:
        found = measure(
            folder, long, covariates, reps=reps, seed=seed, tasks=tasks.options, report=bar.show
        )
    found.write(folder)
    typer.echo("\n".join(found.verdict.lines()))
    typer.echo(f"\nWrote {folder.path}/calibration_study.csv and verdict.json.")


@takes(Tasks)
def replicate(
    tasks: Tasks,
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
) -> None:
    """Freeze study A's finding, run it once on study B; writes replication.csv, verdict.json."""
    from nme_core.analysis import CovariateOptions
    from nme_core.runs.research.replicate import replicate as run_once

    check_folder(out)
    with progress_bar() as bar:
        found = run_once(
            RunFolder(run),
            other,
            covariate,
            out,
            covariates,
            halves=halves,
            options=CovariateOptions(reps=reps, seed=seed),
            tasks=tasks.options,
            report=bar.show,
        )
    found.write(out)
    typer.echo("\n".join(found.verdict.lines()))
    typer.echo(f"\nWrote {out}: replication.csv, similarity.csv, frozen.json and verdict.json.")
