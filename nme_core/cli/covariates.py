"""``nme hsic``: persons' parameters against covariates."""

from __future__ import annotations

from typing import Annotated

import typer

from nme_core.cli.options import Run, Seed
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder


def hsic(
    run: Run,
    covariate: Annotated[list[str], typer.Option(help="Covariate to test; may be repeated.")],
    reps: Annotated[int, typer.Option(min=99, help="Permutations.")] = 2000,
    strata: Annotated[
        str,
        typer.Option(metavar="none|n_obs|COL", help="Permute among persons alike in this."),
    ] = "n_obs",
    adjust: Annotated[
        str, typer.Option(metavar="bh|holm", help="Correction for several tests.")
    ] = "bh",
    seed: Seed = 0,
) -> None:
    """Test whether persons' parameters go with covariates; writes hsic.csv and effects.csv."""
    from nme_core import independence
    from nme_core.analysis import person_parameters

    folder = RunFolder(run)
    parameters = person_parameters(folder)
    covariates = folder.covariates
    if covariates.columns.empty:
        raise OptionError(
            f"The run {run} has no covariates.",
            remedy="Fit it with --covariates C.csv, a table with one row per person.",
        )
    result = independence.test_covariates(
        parameters.values,
        covariates,
        parameters.n_obs,
        parameters=parameters.label,
        reps=reps,
        strata=strata,
        adjust=adjust,
        seed=seed,
        standardise=parameters.standardise,
        columns=covariate,
    )
    folder.write_table("hsic", result.hsic)
    folder.write_table("effects", result.effects)
    typer.echo("\n".join(independence.hsic_lines(result.hsic)))
    typer.echo("\nStrongest single effects (of all that were tested, corrected together):")
    typer.echo("\n".join(independence.effects_lines(result.effects)))
