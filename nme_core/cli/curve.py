"""``nme adapt-curve``: how much a model gains from a new person's first rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.fits import ModelOptions, numbers
from nme_core.cli.options import StudyOptions, check_folder, takes, write_csv
from nme_core.exceptions import OptionError


@takes(StudyOptions, ModelOptions)
def adapt_curve(
    study: StudyOptions,
    model: ModelOptions,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write.")],
    steps: Annotated[
        str, typer.Option(metavar="0,1,2,…", help="Rows of a new person that are learned from.")
    ] = "0,1,2,5,10,20",
    folds: Annotated[
        int, typer.Option(min=2, help="Parts of the people; each is left out of one fit.")
    ] = 5,
    placement: Annotated[
        str | None, typer.Option(help="Where the person-specific parameters stand.")
    ] = None,
) -> None:
    """Leave whole people out, adapt to their first rows, and judge on their later ones."""
    from nme_core.analysis.adaptation_curve import adaptation_curve

    check_folder(out.parent)
    if out.is_dir() or any(out.exists() and out.samefile(path) for path in study.files):
        raise OptionError(f"--out {out} is no file to write to.", remedy="Name another file.")
    chosen = numbers("--steps", steps, int)
    _, table = model.read(study)
    options = model.fit_options(placement)
    curve = adaptation_curve(
        table, lambda: options.estimator_for(table), steps=chosen, folds=folds, seed=model.seed
    )
    write_csv(out, curve)
    typer.echo(curve.round(4).to_string(index=False))
    typer.echo(
        f"Wrote {out}. k: rows of a new person that the model was adapted to; difference: adapted −"
        " population, below 0 where adapting helps."
    )
