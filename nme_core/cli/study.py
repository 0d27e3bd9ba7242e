"""``nme sample`` and ``nme check``: a study before anything is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import StudyOptions, check_folder, takes_study
from nme_core.exceptions import DataError


def sample(
    name: Annotated[str, typer.Argument(help="dyads, mood or null.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
) -> None:
    """Write a simulated sample study: long.csv, covariates.csv, truth.json, README.md."""
    from nme_core.data.simulate import sample_study

    check_folder(out)
    sample_study(name).write(out)
    typer.echo(f"Wrote the simulated study {name!r} to {out}; its README.md says how to use it.")


@takes_study
def check(
    study: StudyOptions,
    planned: Annotated[
        int | None, typer.Option(help="Occasions that were planned for each person.")
    ] = None,
) -> None:
    """Report what a study holds and what should be looked at. Exit code 0: usable, 2: not."""
    from nme_core.data import check_study

    try:
        table = study.read()
    except DataError:
        problems = study.problems()
        typer.echo("\n".join(line for problem in problems for line in problem.lines()))
        raise
    report = check_study(table, planned=planned)
    typer.echo("\n".join(report.lines()))
    if not report.usable:
        raise DataError(
            "The study is not usable as it is.", remedy="The lines above that say STOP tell why."
        )
