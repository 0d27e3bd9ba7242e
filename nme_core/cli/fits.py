"""What commands take that fit many models: the model, where the fits run, lists of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from nme_core.cli.options import StudyOptions
from nme_core.exceptions import OptionError
from nme_core.vocabulary import settings
from nme_core.vocabulary.settings import names

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

    model: settings.Model
    family: settings.Family = None
    covariance: settings.Covariance = "auto"
    estimator: settings.Estimator = "variational"
    hidden: Annotated[
        str | tuple[int, ...] | None,
        replace(
            settings.SETTINGS["hidden"],
            help="Units of each hidden layer; default: as in nme fit (nme multiverse: none, whose"
            " fits are exact and fast).",
        ),
    ] = None
    activation: settings.Activation = None
    residual: settings.Residual = "auto"
    epochs: settings.Epochs = None
    seed: settings.Seed = 0

    def fit_options(self, placement: str | None) -> FitOptions:
        """The same as a fit takes them."""
        from nme_core.runs.fit import FitOptions

        return FitOptions(**vars(self), placement=placement, baselines=())

    def read(self, study: StudyOptions) -> tuple[StudyFiles, Study]:
        """The study, and where it is."""
        from nme_core.runs.research.study_files import StudyFiles

        table = study.read_filled(states=settings.FitSettings(**vars(self)).are_states)
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
    from nme_core.figures.drawing import Paper
    from nme_core.io import durable

    if figure is not None:
        durable.write(path, figure.file("png", Paper(figure.columns, dpi=dpi)), private=False)
