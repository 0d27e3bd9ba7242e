"""The figures of a run, by name: those that `nme figure` and reports have, of tables kept once."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard.services import covariates, results
from dashboard.services.caching import shared
from dashboard.services.runs import Run, run_record
from dashboard.services.studies import outcome_words, study_record
from nme_core.figures.catalogue import KINDS, every
from nme_core.figures.run_figure import RunFigure
from nme_core.io import RunFolder

#: Kinds of figures that name the outcome.
_WITH_OUTCOME = {"fits", "mistakes", "curves", "curve-groups"}


class _Kept(RunFolder):
    """A run's folder whose tables are read once for all pages."""

    def table(self, name: str) -> pd.DataFrame:
        """One table; not to be changed in place."""
        return results.table(self.path.name, name)


def kinds(run: str) -> list[str]:
    """Kinds of figures that a run has something to show for."""
    return _kinds(run, results.stamp(run), covariates.tested(run))


@shared(16)
def _kinds(run: str, stamp_: int, tested: tuple[str, ...]) -> list[str]:
    folder = _Kept(results.run_folder(run).path)
    there = {kind for kind in KINDS if next(every(folder, kind), None) is not None}
    return [kind for kind in KINDS if kind in there or (kind == "hsic" and tested)]


def choices_of(run: str, kind: str) -> dict[str, list[str]]:
    """What a figure of a kind may be about, by the name of the choice."""
    folder = _Kept(results.run_folder(run).path)
    each = [*KINDS[kind].each(folder)]
    found = {name: list(dict.fromkeys(one[name] for one in each)) for name in each[0]}
    known = {"parameter": results.informative_parameters, "first": results.people}
    known["second"] = known["first"]
    return {name: known[name](run) if name in known else some for name, some in found.items()}


def figure(run: str, kind: str, **choices: Any) -> RunFigure | None:
    """A figure of a run by its kind and what it is about; None where the run has none such."""
    if kind in _WITH_OUTCOME and (record := run_record(run)) is not None:
        choices |= {"outcome": outcome_name(record)}
    if kind == "map":
        choices |= {"tested": covariates.parameters(run)}
    if kind == "covariates":
        choices |= {"values": covariates.parameters(run)}
    if kind == "hsic":
        covariates.kept_tests(run)  # tests of the shell are made once more
    return KINDS[kind].make(_Kept(results.run_folder(run).path), **choices)


def outcome_name(run: Run) -> str:
    """What the outcome of a run's study is called, in words where its codebook has some."""
    return outcome_words(run.study) if study_record(run.study) is not None else "outcome"
