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
def check(study: StudyOptions) -> None:
    """Report what a study holds and what should be looked at. Exit code 0: usable, 2: not."""
    from nme_core.data import check_study

    report = check_study(study.read())
    typer.echo("\n".join(report.lines()))
    if not report.usable:
        raise DataError(
            "The study is not usable as it is.", remedy="The lines above that say STOP tell why."
        )
