"""The research tools by name, asked of a finished run; `answers` finds what they found.

What a tool takes is a mapping that JSON can hold, so that a page, a script and a job in another
process ask in the same words::

    ask("power", run, {"covariate": "depression", "effects": [0.5], "persons": [60], "rows": [30]},
        Files("long.csv", "covariates.csv"))
    answer(run, "power").verdict["answer"]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nme_core.exceptions import OptionError
from nme_core.io import RunFolder
from nme_core.runs.fit.options import FitOptions, leader_options
from nme_core.runs.recorded import read_study, recipe_of
from nme_core.runs.research.ablate import AblateOptions, ablate
from nme_core.runs.research.answers import TABLES, place
from nme_core.runs.research.calibrate import calibrate
from nme_core.runs.research.claims import Claim
from nme_core.runs.research.covariance import covariance_models
from nme_core.runs.research.multiverse import MOST_WORLDS, multiverse
from nme_core.runs.research.person_numbers import targets
from nme_core.runs.research.power import PowerOptions, power
from nme_core.runs.research.power_source import Source
from nme_core.runs.research.replicate import replicate
from nme_core.runs.research.study_files import StudyFiles
from nme_core.runs.research.tasks import Report, TaskOptions
from nme_core.study import Study


@dataclass(frozen=True)
class Files:
    """The tables that a run was fitted on."""

    long: str
    covariates: str | None = None


@dataclass(frozen=True)
class _Asked:
    """What every tool is given."""

    run: RunFolder
    files: Files
    out: Path
    tasks: TaskOptions
    report: Report | None

    @property
    def more(self) -> dict[str, Any]:
        """Where the fits run, and who is told."""
        return {"tasks": self.tasks, "report": self.report}

    @property
    def study(self) -> Study:
        """The study of the run."""
        return read_study(self.run, self.files.long, self.files.covariates)

    @property
    def study_files(self) -> StudyFiles:
        """Where it is, for other processes."""
        second = self.files.covariates
        return StudyFiles(
            Path(self.files.long), None if second is None else Path(second), recipe_of(self.run)
        )

    @property
    def options(self) -> FitOptions:
        """Of the run's model; of a mixture its leader's."""
        return leader_options(self.run.config)


def ask(
    tool: str,
    run: RunFolder,
    request: Mapping[str, Any],
    files: Files,
    tasks: TaskOptions | None = None,
    *,
    report: Report | None = None,
) -> None:
    """Let a tool work on a run; its answer is found by `answers.answer`.

    Parameters
    ----------
    tool : str
        One of `TABLES`.
    run : RunFolder
        A finished run.
    request : mapping
        ``covariance``: nothing. ``calibrate``: ``reps``. ``power``: fields of `PowerOptions`.
        ``ablate``: fields of `AblateOptions`. ``multiverse``: ``claim`` (see `Claim`), ``worlds``.
        ``replicate``: ``covariate``, and ``other`` with ``covariates`` for the files of study B, or
        neither: then two halves of the run's people.
    files : Files
        The study's tables.
    tasks : TaskOptions, optional
        Where the fits run.
    report : callable, optional
        Called with what is being done and the part of the way behind.

    Raises
    ------
    OptionError
        For an unknown tool, or what the tool refuses.
    """
    if tool not in _TOOLS:
        raise OptionError(f"There is no tool {tool!r}.", remedy=f"Choose from {', '.join(TABLES)}.")
    _TOOLS[tool](_Asked(run, files, place(run, tool), tasks or TaskOptions(), report), request)


def may_move(run: RunFolder) -> list[str]:
    """What people of a run differ in, as ``on`` of ``power`` and ``parameter`` of claims name it.

    Raises
    ------
    OptionError
        Where nobody differs in anything, or no tool can tell.
    """
    return list(targets(Source.of(str(run.path), None, None).people.model))


def _covariance(asked: _Asked, request: Mapping[str, Any]) -> None:
    files = asked.files
    covariance_models(asked.run, files.long, files.covariates, **asked.more).write(asked.run)


def _calibrate(asked: _Asked, request: Mapping[str, Any]) -> None:
    files = asked.files
    calibrate(asked.run, files.long, files.covariates, **request, **asked.more).write(asked.run)


def _power(asked: _Asked, request: Mapping[str, Any]) -> None:
    options = PowerOptions(**_tuples(request))
    power(asked.run, options, asked.out, asked.tasks, report=asked.report)


def _ablate(asked: _Asked, request: Mapping[str, Any]) -> None:
    grid = AblateOptions(**_tuples(request))
    ablate(asked.study_files, asked.study, asked.options, grid, asked.out, **asked.more)


def _multiverse(asked: _Asked, request: Mapping[str, Any]) -> None:
    claim, most = Claim.of(request["claim"]), int(request.get("worlds", MOST_WORLDS))
    given = (asked.study_files, asked.study, asked.options, claim, asked.out)
    multiverse(*given, most=most, **asked.more)


def _replicate(asked: _Asked, request: Mapping[str, Any]) -> None:
    other = request.get("other")
    second = asked.files.covariates if other is None else request.get("covariates")
    replicate(
        asked.run, other or asked.files.long, request["covariate"], asked.out, second,
        halves=other is None, **asked.more,
    ).write(asked.out)  # fmt: skip


def _tuples(request: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of JSON as the options hold them."""
    return {key: tuple(one) if isinstance(one, list) else one for key, one in request.items()}


_TOOLS: dict[str, Callable[[_Asked, Mapping[str, Any]], None]] = {
    "covariance": _covariance,
    "calibrate": _calibrate,
    "power": _power,
    "ablate": _ablate,
    "multiverse": _multiverse,
    "replicate": _replicate,
}
