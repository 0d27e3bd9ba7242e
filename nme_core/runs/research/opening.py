"""The study and the model of a run, opened once in each process that fits for a research tool."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from nme_core.io import RunFolder
from nme_core.runs.fit.options import FitOptions, leader_options
from nme_core.runs.fit.rows import StudyRows
from nme_core.runs.recorded import read_same_study
from nme_core.study import Study
from nme_core.study.formats.source import fingerprint


@dataclass(frozen=True)
class Opened:
    """A finished run with the study that it was fitted on.

    Attributes
    ----------
    study : Study
        As it was fitted.
    options : FitOptions
        Of the run's model; of a mixture its leader's.
    rows : StudyRows
        All rows of the study.
    """

    study: Study
    options: FitOptions
    rows: StudyRows

    @classmethod
    def of(cls, run: RunFolder, long: str, covariates: str | None) -> Self:
        """Read the study again.

        Raises
        ------
        OptionError
            As `read_same_study` does.
        """
        study = read_same_study(run, long, covariates)
        options = leader_options(run.config)
        return cls(study, options, StudyRows.of(study, options.model == "nme-crf"))

    def fit_arguments(self, model: object) -> dict[str, Any]:
        """What `fit` of this model is given beside X and y, of all rows."""
        return {**self.rows.fit_arguments, **self.rows.times_for(model)}


def arguments_of(
    run: RunFolder, long: str | os.PathLike[str], covariates: str | os.PathLike[str] | None
) -> dict[str, str | None]:
    """What `opened` takes, in its order; a task that has them finds the same study and options."""
    return {
        "run": str(run.path),
        "long": os.fspath(long),
        "covariates": None if covariates is None else os.fspath(covariates),
        "sha256": fingerprint(long),
        "config": fingerprint(run.path / "config.json"),
    }


@lru_cache(maxsize=1)
def opened(run: str, long: str, covariates: str | None, sha256: str, config: str) -> Opened:
    """Open a run's study; the sums are there so that another table, or run, is read anew."""
    return Opened.of(RunFolder(run), long, covariates)
