"""``nme adapt-curve``: how much a model gains from a new person's first rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import (
    Seed,
    StudyOptions,
    check_folder,
    layers,
    names,
    takes_study,
    write_csv,
)
from nme_core.exceptions import OptionError


@takes_study
def adapt_curve(
    study: StudyOptions,
    model: Annotated[str, typer.Option(metavar="nme-mlp|nme-crf", help="Kind of model.")],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write.")],
    steps: Annotated[
        str, typer.Option(metavar="0,1,2,…", help="Rows of a new person that are learned from.")
    ] = "0,1,2,5,10,20",
    folds: Annotated[
        int, typer.Option(min=2, help="Parts of the persons; each is left out of one fit.")
    ] = 5,
    placement: Annotated[
        str | None, typer.Option(help="Where the person-specific parameters stand.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="Kind of outcome, as in nme fit.")] = None,
    covariance: Annotated[str, typer.Option(help="diagonal or full.")] = "diagonal",
    estimator: Annotated[
        str, typer.Option(help="variational, laplace or annealed.")
    ] = "variational",
    hidden: Annotated[
        str | None,
        typer.Option(metavar="32[,16…]", help="Units of each hidden layer; '' for none."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Exactly so many; default: until converged.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Leave whole persons out, adapt to their first rows, and judge on their later ones."""
    from nme_core.analysis.adaptation_curve import adaptation_curve
    from nme_core.runs.fit import FitOptions

    check_folder(out.parent)
    if out.is_dir() or any(out.exists() and out.samefile(path) for path in study.files):
        raise OptionError(f"--out {out} is no file to write to.", remedy="Name another file.")
    states = model == "nme-crf" or family in ("categorical", "ordinal")
    table = study.read_filled(states=states)
    options = FitOptions(
        model=model,
        placement=placement,
        family=family,
        covariance=covariance,
        estimator=estimator,
        hidden=None if hidden is None else layers(hidden),
        baselines=(),
        epochs=epochs,
        seed=seed,
    )
    try:
        chosen = [int(step) for step in names(steps) or ()]
    except ValueError:
        raise OptionError(
            f"--steps {steps!r} is not a list of numbers.", remedy="Write for example 0,1,2,5."
        ) from None
    curve = adaptation_curve(
        table, lambda: options.estimator_for(table), steps=chosen, folds=folds, seed=seed
    )
    write_csv(out, curve)
    typer.echo(curve.round(4).to_string(index=False))
    typer.echo(
        f"Wrote {out}. k: rows of a new person that the model was adapted to; difference: adapted −"
        " population, below 0 where adapting helps."
    )
