"""How well a finished run predicts, by model, person and occasion; and what checks of it found."""

from __future__ import annotations

import pandas as pd

from dashboard.services import results
from dashboard.services.caching import shared
from nme_core.analysis import predictions as tables
from nme_core.metrics import person_means

NME = "nme"


def is_number(identity: str) -> bool:
    """Whether the outcome of a run is a number."""
    return bool(results.run_folder(identity).data["outcome_kind"] == "number")


def models(identity: str) -> list[str]:
    """Models with predictions, the run's own first."""
    found = list(results.table(identity, "predictions")["model"].unique())
    return sorted(found, key=lambda name: name != NME)


def persons(identity: str) -> list[str]:
    """Persons with predictions, in the study's order."""
    return list(results.table(identity, "predictions")["person"].unique())


def own_means(identity: str) -> pd.DataFrame:
    """NME's metrics on the test part as a mean over persons: metric, mean, ci_low, ci_high, n.

    Empty where the run has no metrics of single persons.
    """
    return _own_means(identity, results.stamp(identity))


@shared(8)
def _own_means(identity: str, stamp_: int) -> pd.DataFrame:
    rows = results.table(identity, "metrics")
    return person_means(rows[rows["model"] == NME])


def is_calibrated(identity: str, model: str) -> bool:
    """Whether the calibration of a model on the test part was computed."""
    if not results.has_table(identity, "calibration"):
        return False
    return not tables.judged_calibration(results.table(identity, "calibration"), model).empty
