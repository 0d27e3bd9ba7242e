"""What commands take that fit many models: the model, where the fits run, lists of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from nme_core.cli.options import Covariance, Seed, StudyOptions, layers, names
from nme_core.exceptions import OptionError

if TYPE_CHECKING:
    from nme_core.figures.run_figure import RunFigure
    from nme_core.runs.fit import FitOptions
    from nme_core.runs.research.study_files import StudyFiles
    from nme_core.runs.research.tasks import TaskOptions
    from nme_core.study import Study

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class Tasks:
    """Where the fits run; each field is an option."""

    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Processes on this computer.")] = 1
    dask: Annotated[
        str | None, typer.Option(metavar="tcp://…", help="A Dask scheduler, instead of --jobs.")
    ] = None
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on where an interrupted call of the same kind stopped."),
    ] = False

    @property
    def options(self) -> TaskOptions:
        """The same as research tools take them."""
        from nme_core.runs.research.tasks import TaskOptions

        return TaskOptions(**asdict(self))


@dataclass(frozen=True)
class ModelOptions:
    """What is fitted, as in ``nme fit``; each field is an option."""

    model: Annotated[str, typer.Option(metavar="nme-mlp|nme-crf", help="Kind of model.")]
    family: Annotated[str | None, typer.Option(help="Kind of outcome, as in nme fit.")] = None
    covariance: Covariance = "auto"
    estimator: Annotated[str, typer.Option(help="variational, laplace or annealed.")] = (
        "variational"
    )
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="none|auto|32[,16…]",
            help="Units of each hidden layer; default: as in nme fit (nme multiverse: none, whose"
            " fits are exact and fast).",
        ),
    ] = None
    activation: Annotated[
        str | None, typer.Option(metavar="tanh|relu", help="Between named layers.")
    ] = None
    residual: Annotated[
        str, typer.Option(metavar="auto|iid|ar1", help="Residuals of a number, as in nme fit.")
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


def numbers(option: str, text: str, kind: Callable[[str], _Number]) -> tuple[_Number, ...]:
    """The numbers of a list with commas, each once."""
    try:
        return tuple(dict.fromkeys(kind(one) for one in names(text) or ()))
    except ValueError:
        raise OptionError(
            f"{option} {text!r} is not a list of numbers.", remedy="Write for example 50,100,200."
        ) from None


def write_figure(path: Path, figure: RunFigure | None, dpi: int = 300) -> None:
    """Write a figure as PNG; nothing where there is none."""
    from nme_core.io import durable

    if figure is not None:
        durable.write(path, figure.file("png", dpi), private=False)
