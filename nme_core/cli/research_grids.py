"""``nme power``, ``nme ablate``, ``nme multiverse``: research tools that fit a grid of studies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from nme_core.cli.options import Run, Seed, StudyOptions, check_folder, layers, names, takes
from nme_core.cli.progress import ProgressBar
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from nme_core.runs.fit import FitOptions
    from nme_core.runs.research.study_files import StudyFiles
    from nme_core.runs.research.verdict import Verdict
    from nme_core.study import Study

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


@dataclass(frozen=True)
class ModelOptions:
    """What is fitted, as in ``nme fit``; each field is an option."""

    model: Annotated[str, typer.Option(metavar="nme-mlp|nme-crf", help="Kind of model.")]
    family: Annotated[str | None, typer.Option(help="Kind of outcome, as in nme fit.")] = None
    covariance: Annotated[str, typer.Option(help="diagonal or full.")] = "diagonal"
    estimator: Annotated[str, typer.Option(help="variational, laplace or annealed.")] = (
        "variational"
    )
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="none|auto|32[,16…]",
            help="Units of each hidden layer. Default of nme ablate: as in nme fit; of nme "
            "multiverse: none, whose fits are exact and fast.",
        ),
    ] = None
    activation: Annotated[
        str | None, typer.Option(metavar="tanh|relu", help="Between named layers.")
    ] = None
    residual: Annotated[
        str, typer.Option(metavar="auto|iid|ar1", help="Residuals of a linear nme-mlp.")
    ] = "auto"
    epochs: Annotated[
        int | None, typer.Option(help="Exactly so many; default: until converged.")
    ] = None
    seed: Seed = 0

    def fit_options(self, placement: str | None) -> FitOptions:
        """The same as a fit takes them."""
        from nme_core.runs.fit import FitOptions

        return FitOptions(
            model=self.model,
            placement=placement,
            family=self.family,
            covariance=self.covariance,
            estimator=self.estimator,
            hidden=None if self.hidden is None else layers(self.hidden),
            activation=self.activation,
            residual=self.residual,
            baselines=(),
            epochs=self.epochs,
            seed=self.seed,
        )

    def read(self, study: StudyOptions) -> tuple[StudyFiles, Study]:
        """The study, and where it is."""
        from nme_core.runs.research.study_files import StudyFiles

        states = self.model == "nme-crf" or self.family in ("categorical", "ordinal")
        table = study.read_filled(states=states)
        recipe = replace(table.recipe, outcome_kind=table.outcome_kind)
        return StudyFiles(study.long, study.second, recipe), table


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


@takes(StudyOptions, ModelOptions)
def ablate(
    study: StudyOptions,
    model: ModelOptions,
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
    jobs: Jobs = 1,
    dask: Dask = None,
    resume: Resume = False,
) -> None:
    """Say where person-specific parameters should stand, for how many rows; writes ablation.csv."""
    from nme_core.runs.research.ablate import AblateOptions
    from nme_core.runs.research.ablate import ablate as compare
    from nme_core.runs.research.tasks import TaskOptions

    check_folder(out)
    grid = AblateOptions(
        placements=tuple(dict.fromkeys(names(placements) or ())),
        shares=_numbers("--shares", shares, float),
        seeds=seeds,
        persons=() if persons is None else _numbers("--persons", persons, int),
    )
    files, table = model.read(study)
    where = TaskOptions(jobs, dask, resume)
    with ProgressBar(shown=sys.stderr.isatty()) as bar:
        _, summary, verdict = compare(
            files, table, model.fit_options(None), grid, out, where, report=bar.show
        )
    _draw(out, "learning_curve", {"summary": summary})
    _say(summary.drop(columns=["metric", "loss", "reference_loss"]).round(4), verdict, out)


@takes(StudyOptions, ModelOptions)
def multiverse(
    study: StudyOptions,
    model: ModelOptions,
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
    jobs: Jobs = 1,
    dask: Dask = None,
    resume: Resume = False,
) -> None:
    """Ask one claim of every defensible analysis of a study; writes multiverse.csv."""
    from nme_core.runs.research.claims import Claim
    from nme_core.runs.research.multiverse import multiverse as ask
    from nme_core.runs.research.tasks import TaskOptions

    check_folder(out)
    asked = Claim.read(claim)
    files, table = model.read(study)
    options = model.fit_options(placement)
    if options.hidden is None:
        options = replace(options, hidden=())
    options.estimator_for(table)  # refused before anything is fitted
    where = TaskOptions(jobs, dask, resume)
    with ProgressBar(shown=sys.stderr.isatty()) as bar:
        found, verdict = ask(files, table, options, asked, out, where, most=worlds, report=bar.show)
    if found["estimate"].notna().any():
        _draw(out, "specification_curve", {"worlds": found, "claim": verdict.numbers["claim"]})
    varied = [name for name in found if found[name].astype(str).nunique() > 1]
    _say(found[varied].round(3), verdict, out)


def _draw(out: Path, name: str, arguments: dict[str, object]) -> None:
    """Write a figure as PNG, where the extra for figures is installed."""
    try:
        from nme_core.figures import drawing
    except ImportError:
        typer.echo(f"No figure: pip install 'neural-mixed-effects[figures]' draws {name}.png.")
        return
    from nme_core.io import durable

    figure = drawing.on_paper(name, arguments, drawing.Paper(size=2))
    durable.write(out / f"{name}.png", drawing.file(figure, "png"), private=False)


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
