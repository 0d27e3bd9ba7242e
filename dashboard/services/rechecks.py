"""Checks of a run that need the study's tables again: stability, and the certificate."""

from __future__ import annotations

import pandas as pd

from dashboard.services import jobs
from dashboard.services.records import tables_of
from dashboard.services.results import run_folder
from nme_core.analysis.reliability import has_seed
from nme_core.io import RunFolder, RunState


def possible(identity: str) -> bool:
    """Whether stability can be computed: one grouping factor, interpreted from all rows."""
    run = run_folder(identity)
    return not run.roles.get("groups") and run.data["interpreted_from"] == "all rows"


def with_seeds(identity: str) -> bool:
    """Whether stability fits the model again: not where another seed changes nothing."""
    return has_seed(run_folder(identity).config)


def start(identity: str, study: str, *, seeds: int) -> None:
    """Check stability beside the page, with this many fits from other seeds.

    Raises
    ------
    DataError
        The study is no longer there.
    """
    jobs.start(identity, jobs.STABILITY, **tables_of(study), seeds=seeds)


def can_be_certified(identity: str) -> bool:
    """Whether a linear mixed model of the run's study can be fitted twice and compared."""
    run = run_folder(identity)
    return run.data["outcome_kind"] == "number" and not run.roles.get("groups")


def start_certificate(identity: str, study: str) -> None:
    """Fit the study's linear mixed model twice beside the page, by us and by MixedLM.

    Raises
    ------
    DataError
        The study is no longer there.
    """
    jobs.start(identity, jobs.CERTIFICATE, **tables_of(study))


def certificate(identity: str) -> tuple[pd.DataFrame, bool] | None:
    """The certificate, and whether it is of the run's own model; None where there is none."""
    run = run_folder(identity)
    if run.has_table("certificate"):
        return run.table("certificate"), True
    place, found = jobs.place(identity, jobs.CERTIFICATE), jobs.status(identity, jobs.CERTIFICATE)
    if place is None or found is None or found.state is not RunState.DONE:
        return None
    return RunFolder(place).table("certificate"), False
