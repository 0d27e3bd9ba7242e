"""``nme certify``: the user's own linear study, fitted by us and by statsmodels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import StudyOptions, check_folder, takes_study, write_csv
from nme_core.exceptions import OptionError


@takes_study
def certify(
    study: StudyOptions,
    placement: Annotated[
        str,
        typer.Option(
            metavar="all|layers.0.bias", help="Random intercept and slopes, or intercept alone."
        ),
    ] = "all",
    covariance: Annotated[str, typer.Option(help="full or diagonal.")] = "full",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Where to write the table.")
    ] = None,
) -> None:
    """Fit a linear mixed model twice, by nme and by MixedLM, side by side. Exit 1: they differ."""
    from nme_core.analysis.certificate import certify as compare

    if out is not None:
        check_folder(out.parent)
        if out.is_dir() or any(out.exists() and out.samefile(path) for path in study.files):
            raise OptionError(
                f"--out {out} is a folder or a file of the study.", remedy="Name another file."
            )
    model, certificate = compare(study.read(), placement=placement, covariance=covariance)
    persons, rows = len(model.groups_), int(model.n_obs_.sum())
    typer.echo(f"Linear mixed model of {rows} rows of {persons} people, maximum likelihood:")
    typer.echo("\n".join(certificate.lines()))
    if out is not None:
        write_csv(out, certificate.table)
        typer.echo(f"Wrote {out}.")
    if not certificate.agrees:
        raise typer.Exit(1)
