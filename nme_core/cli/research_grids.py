"""``nme power``, ``nme ablate``, ``nme multiverse``: research tools that fit a grid of studies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from nme_core.cli.options import Run, Seed, check_folder, names
from nme_core.cli.progress import ProgressBar
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from nme_core.runs.research.verdict import Verdict

Jobs = Annotated[int, typer.Option(metavar="N", min=1, help="Processes on this computer.")]
Dask = Annotated[
    str | None, typer.Option(metavar="tcp://…", help="A Dask scheduler, instead of --jobs.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where an interrupted call of the same kind stopped.")
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")]

#: Lines of a table that are printed.
_MOST_LINES = 40
_Number = TypeVar("_Number", int, float)


def power(
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
    jobs: Jobs = 1,
    dask: Dask = None,
    resume: Resume = False,
) -> None:
    """Simulate how many people and rows show an effect of a covariate; writes power.csv."""
    from nme_core.runs.research.power import PowerOptions
    from nme_core.runs.research.power import power as simulate
    from nme_core.runs.research.tasks import TaskOptions

    check_folder(out)
    options = PowerOptions(
        covariate=covariate,
        effects=_numbers("--effect", effect, float),
        persons=_numbers("--persons", persons, int),
        rows=_numbers("--rows", rows, int),
        on=on,
        reps=reps,
        adjust=adjust,
        seed=seed,
        long=long,
        covariates=covariates,
    )
    where = TaskOptions(jobs, dask, resume)
    with ProgressBar(shown=sys.stderr.isatty()) as bar:
        table, verdict = simulate(RunFolder(run), options, out, where, report=bar.show)
    _say(table.round(3), verdict, out)


def _numbers(option: str, text: str, kind: Callable[[str], _Number]) -> tuple[_Number, ...]:
    """The numbers of a list with commas, each once."""
    try:
        return tuple(dict.fromkeys(kind(one) for one in names(text) or ()))
    except ValueError:
        raise OptionError(
            f"{option} {text!r} is not a list of numbers.", remedy="Write for example 50,100,200."
        ) from None


def _say(table: pd.DataFrame, verdict: Verdict, out: Path) -> None:
    """Print a table, cut where it is long, and the verdict."""
    from nme_core.independence import note_lines

    typer.echo(table.head(_MOST_LINES).to_string(index=False))
    if len(table) > _MOST_LINES:
        typer.echo(f"… and {len(table) - _MOST_LINES} more rows.")
    typer.echo("\n".join(note_lines([*verdict.lines(), f"Wrote {out}."])))
