"""``nme hsic`` and ``nme stability``: people's parameters against covariates, and themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from nme_core.cli.fits import Tasks
from nme_core.cli.options import Run, Seed, takes
from nme_core.cli.progress import progress_bar
from nme_core.io import RunFolder

#: Parameters of which `nme stability` prints a line each, at most.
MOST_LINES = 40


def hsic(
    run: Run,
    covariate: Annotated[list[str], typer.Option(help="Covariate to test; may be repeated.")],
    of: Annotated[
        str | None,
        typer.Option(
            metavar="moves|scores|slopes|curves|weights",
            help="What of each person: moves, scores or weights of NME-CRF, slopes, curves or"
            " weights of NME-MLP; default: moves, slopes.",
        ),
    ] = None,
    reps: Annotated[
        int, typer.Option(min=99, help="Permutations; raised to what the correction needs.")
    ] = 2000,
    strata: Annotated[
        str | None,
        typer.Option(
            metavar="none|n_obs|COL",
            help="Permute among people alike in this (n_obs: the number of observations).",
        ),
    ] = None,
    guard: Annotated[
        str | None,
        typer.Option(
            metavar="reliability|strata|draws",
            help="Against covariates related to how often people were observed; default:"
            " reliability, or strata where --strata is given.",
        ),
    ] = None,
    blocks: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Covariate or grouping factor: people form blocks."),
    ] = None,
    permute: Annotated[
        str,
        typer.Option(metavar="within|whole", help="People within blocks, or whole blocks."),
    ] = "within",
    confounder: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="Covariate to adjust for; may be repeated."),
    ] = None,
    incremental: Annotated[
        bool,
        typer.Option(
            "--incremental",
            help="Adjust for people's mean and variability (of states, shares).",
        ),
    ] = False,
    adjust: Annotated[
        str, typer.Option(metavar="bh|holm", help="Correction for several tests.")
    ] = "bh",
    seed: Seed = 0,
) -> None:
    """Test whether people's parameters depend on covariates; writes hsic.csv and effects.csv."""
    from nme_core import independence
    from nme_core.analysis import CovariateOptions, covariate_tests, keep_tests, other_tests

    folder = RunFolder(run)
    usual = CovariateOptions().guard if strata is None else "strata"
    options = CovariateOptions(
        of=of,
        reps=reps,
        strata=strata,
        guard=guard or usual,
        blocks=blocks,
        permute=permute,
        confounders=tuple(confounder or ()),
        incremental=incremental,
        adjust=adjust,
        seed=seed,
    )
    result = covariate_tests(folder, covariate, options)
    keep_tests(folder, result)
    for line in independence.note_lines(f"Look: {one}" for one in result.doubts):
        typer.echo(line)
    typer.echo("\n".join(independence.hsic_lines(result.hsic)))
    both = independence.both_lines(result.hsic, folder.parameter_names.words)
    tested = f"Tested of each person: {result.hsic['parameters'].iloc[0]}."
    notes = [tested, *both, *result.notes, independence.STRENGTH_NOTE, other_tests(folder)]
    typer.echo("\n".join(independence.note_lines(notes)))
    typer.echo("\nStrongest single effects (of all that were tested, corrected together):")
    typer.echo("\n".join(independence.effects_lines(_in_words(folder, result.effects))))


@takes(Tasks)
def stability(
    tasks: Tasks,
    run: Run,
    long: Annotated[
        Path, typer.Argument(metavar="LONG.csv", help="The table that the run was fitted on.")
    ],
    covariates: Annotated[
        Path | None,
        typer.Option(metavar="C.csv", help="Its covariates; only where remedies are about them."),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=0,
            help="Fits of a network with other seeds, each as long as the run's last fit; 0: none.",
        ),
    ] = 1,
) -> None:
    """Check whether halves of the data and other seeds agree on people; writes stability.csv."""
    from nme_core.analysis.reliability import NO_SEED, TOGETHER, has_seed
    from nme_core.independence import stability_lines
    from nme_core.runs.stability import stability as check_stability

    folder = RunFolder(run)
    with progress_bar() as bar:
        table = check_stability(
            folder, long, covariates, seeds=seeds, tasks=tasks.options, report=bar.show
        )
    folder.write_table("stability", table)
    shown = table[table["parameter"] == TOGETHER] if len(table) > MOST_LINES else table
    typer.echo("\n".join(stability_lines(_in_words(folder, shown))))
    if len(shown) < len(table):
        typer.echo(
            f"Each of the {len(table) - len(shown)} parameters: {folder.path}/stability.csv."
        )
    if table["split_half"].isna().any():
        typer.echo(
            "Empty: the model sees no differences between people in these parameters (their"
            " variance is 0 or next to it), so nothing is left to agree on."
        )
    typer.echo(
        f"Split-half: {table['halves'].iloc[0]}, all else as the run learned it; Spearman and"
        " Brown. 0: halves of a person's data say nothing of each other; 1: the same."
    )
    if not has_seed(folder.config):
        typer.echo(NO_SEED)
    together = table[table["parameter"] == TOGETHER].iloc[0]
    if together["n_weeks"]:
        typer.echo(
            f"Without a {together['weeks']}: agreement with all rows where one of"
            f" {together['n_weeks']:.0f} such parts of each person is left out, the lowest; all"
            f" parameters together agree least without number {together['week']:.0f}."
        )


def _in_words(folder: RunFolder, table: pd.DataFrame) -> pd.DataFrame:
    """A table for reading: parameters as figures and reports name them."""
    return table.assign(parameter=table["parameter"].map(folder.parameter_names.words))
