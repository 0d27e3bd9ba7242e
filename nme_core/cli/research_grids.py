"""``nme power``, ``nme ablate``, ``nme multiverse``: research tools that fit a grid of studies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nme_core.cli.fits import ModelOptions, Tasks, numbers, write_figure
from nme_core.cli.options import Run, Seed, StudyOptions, check_folder, takes
from nme_core.cli.progress import progress_bar
from nme_core.io import RunFolder
from nme_core.vocabulary.settings import names

if TYPE_CHECKING:
    import pandas as pd

    from nme_core.runs.research.verdict import Verdict

Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")]

#: Lines of a table that are printed.
_MOST_LINES = 40


@takes(Tasks)
def power(
    tasks: Tasks,
    run: Run,
    covariate: Annotated[str, typer.Option(metavar="COL", help="A number, or two groups.")],
    effect: Annotated[
        str,
        typer.Option(
            metavar="D,…",
            help="SDs of people by which what moves is higher where the covariate is one SD higher;"
            " 0: no effect.",
        ),
    ],
    persons: Annotated[str, typer.Option(metavar="50,100,200", help="Numbers of people.")],
    rows: Annotated[str, typer.Option(metavar="30,60", help="Numbers of rows of each person.")],
    out: Out,
    on: Annotated[
        str | None,
        typer.Option(
            metavar="stay|FROM>TO|level|slope:FEATURE",
            help="What moves; default: stay (all moves to the same state) of an nme-crf, the first "
            "of level and slopes that people differ in of an nme-mlp.",
        ),
    ] = None,
    reps: Annotated[int, typer.Option(min=1, help="Studies of each kind.")] = 100,
    adjust: Annotated[
        str, typer.Option(metavar="bh|holm", help="Correction of single effects.")
    ] = "bh",
    long: Annotated[
        Path | None,
        typer.Option(metavar="LONG.csv", help="The run's table, to take its people's features."),
    ] = None,
    covariates: Annotated[
        Path | None, typer.Option(metavar="C.csv", help="Its covariates, with --long.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Simulate how many people and rows show an effect of a covariate; writes power.csv."""
    from nme_core.runs.research.power import PowerOptions
    from nme_core.runs.research.power import power as simulate

    check_folder(out)
    options = PowerOptions(
        covariate=covariate,
        effects=numbers("--effect", effect, float),
        persons=numbers("--persons", persons, int),
        rows=numbers("--rows", rows, int),
        on=on,
        reps=reps,
        adjust=adjust,
        seed=seed,
        long=long,
        covariates=covariates,
    )
    with progress_bar() as bar:
        table, verdict = simulate(RunFolder(run), options, out, tasks.options, report=bar.show)
    _draw(table, verdict, out)
    _say(table.round(3), verdict, out)


@takes(StudyOptions, ModelOptions, Tasks)
def ablate(
    study: StudyOptions,
    model: ModelOptions,
    tasks: Tasks,
    placements: Annotated[
        str, typer.Option(metavar="last,first,all", help="Where person-specific parameters stand.")
    ],
    shares: Annotated[
        str,
        typer.Option(metavar="0.1,0.25,0.5,1", help="Parts of each person's rows to learn from."),
    ],
    out: Out,
    seeds: Annotated[int, typer.Option(min=1, help="Fits of each kind.")] = 3,
    persons: Annotated[
        str | None, typer.Option(metavar="20,50", help="Numbers of people; default: all.")
    ] = None,
) -> None:
    """Say where person-specific parameters should stand, for how many rows; writes ablation.csv."""
    from nme_core.runs.research.ablate import AblateOptions
    from nme_core.runs.research.ablate import ablate as compare

    check_folder(out)
    grid = AblateOptions(
        placements=tuple(dict.fromkeys(names(placements) or ())),
        shares=numbers("--shares", shares, float),
        seeds=seeds,
        persons=() if persons is None else numbers("--persons", persons, int),
    )
    files, table = model.read(study)
    with progress_bar() as bar:
        _, summary, verdict = compare(
            files, table, model.fit_options(None), grid, out, tasks.options, report=bar.show
        )
    _draw(summary, verdict, out)
    _say(summary.drop(columns=["metric", "loss", "reference_loss"]).round(4), verdict, out)


@takes(StudyOptions, ModelOptions, Tasks)
def multiverse(
    study: StudyOptions,
    model: ModelOptions,
    tasks: Tasks,
    claim: Annotated[
        Path, typer.Option(metavar="CLAIM.json", help="One claim about a person or a covariate.")
    ],
    out: Out,
    placement: Annotated[
        str | None, typer.Option(help="Where the person-specific parameters stand.")
    ] = None,
    worlds: Annotated[
        int, typer.Option(min=1, max=500, help="Worlds at most; of more they are drawn by chance.")
    ] = 500,
) -> None:
    """Ask one claim of every defensible analysis of a study; writes multiverse.csv."""
    from nme_core.runs.research.claims import Claim
    from nme_core.runs.research.multiverse import multiverse as ask

    check_folder(out)
    asked = Claim.read(claim)
    files, table = model.read(study)
    options = model.fit_options(placement)
    if options.hidden is None:
        options = replace(options, hidden=())
    options.estimator_for(table)  # refused before anything is fitted
    with progress_bar() as bar:
        found, verdict = ask(
            files, table, options, asked, out, tasks.options, most=worlds, report=bar.show
        )
    _draw(found, verdict, out)
    varied = [name for name in found if found[name].astype(str).nunique() > 1]
    _say(found[varied].round(3), verdict, out)


def _draw(table: pd.DataFrame, verdict: Verdict, out: Path) -> None:
    """Write the tool's figure beside its tables."""
    from nme_core.figures.of_research import of_tool

    figure = of_tool(verdict.tool, table, verdict.content())
    if figure is not None:
        write_figure(out / f"{figure.name}.png", figure)


def _say(table: pd.DataFrame, verdict: Verdict, out: Path) -> None:
    """Print a table, cut where it is long, and the verdict."""
    from nme_core.independence import note_lines

    typer.echo(table.head(_MOST_LINES).to_string(index=False))
    if len(table) > _MOST_LINES:
        typer.echo(f"… and {len(table) - _MOST_LINES} more rows.")
    typer.echo("\n".join(note_lines([*verdict.lines(), f"Wrote {out}."])))
