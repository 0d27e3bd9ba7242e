"""How well a finished run predicts, by model, person and occasion; and what checks of it found."""

from __future__ import annotations

import pandas as pd
from pandas.api.types import is_numeric_dtype

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


def states(identity: str) -> list[str]:
    """All states of a run, observed or predicted, in order."""
    return tables.states_of(results.table(identity, "predictions"))


def persons(identity: str) -> list[str]:
    """Persons with predictions, in the study's order."""
    return list(results.table(identity, "predictions")["person"].unique())


def individual(identity: str, who: list[str]) -> dict[str, pd.DataFrame]:
    """The run's own predictions of these persons' occasions in order of time.

    The column time holds numbers: those of the study, or days since the person's first date; NaN
    where the study has no times.
    """
    rows = _own(identity, results.stamp(identity))
    return {person: rows.loc[[person]].reset_index() for person in who}


@shared(8)
def _own(identity: str, stamp_: int) -> pd.DataFrame:
    return tables.by_occasion(results.table(identity, "predictions"), NME)


def time_name(identity: str) -> str | None:
    """What the study calls the time of a row, where its times are numbers; None otherwise."""
    times = results.table(identity, "predictions")["time"]
    name = results.run_folder(identity).data["roles"]["time"]
    return str(name) if name is not None and is_numeric_dtype(times) else None


def judged(identity: str, model: str) -> pd.DataFrame:
    """A model's predictions of the test part whose outcome is known."""
    return tables.judged(results.table(identity, "predictions"), model)


def confusion(identity: str, model: str) -> pd.DataFrame:
    """Counts of the test part, observed state × predicted state."""
    return tables.confusion_counts(results.table(identity, "predictions"), model)


def by_person(identity: str, metric: str) -> pd.DataFrame:
    """Each person's metric on the test part under every model: model, person, value, n_obs.

    ``n_obs`` is the number of occasions that the models were fitted to.
    """
    rows = results.table(identity, "metrics")
    rows = rows[(rows["split"] == "test") & (rows["scope"] == "person")]
    rows = rows[(rows["metric"] == metric) & rows["value"].notna()]
    fitted = results.table(identity, "predictions")
    fitted = fitted[(fitted["model"] == NME) & (fitted["split"] == "train")]
    n_obs = rows["person"].map(fitted["person"].value_counts()).fillna(0).astype(int)
    return rows[["model", "person", "value"]].assign(n_obs=n_obs).reset_index(drop=True)


def own_means(identity: str) -> pd.DataFrame:
    """NME's metrics on the test part as a mean over persons: metric, mean, ci_low, ci_high, n.

    Empty where the run has no metrics of single persons.
    """
    return _own_means(identity, results.stamp(identity))


@shared(8)
def _own_means(identity: str, stamp_: int) -> pd.DataFrame:
    rows = results.table(identity, "metrics")
    return person_means(rows[rows["model"] == NME])


def calibration(identity: str, model: str) -> pd.DataFrame | None:
    """Calibration of one model on the test part; None where it was not computed."""
    if not results.has_table(identity, "calibration"):
        return None
    rows = tables.judged_calibration(results.table(identity, "calibration"), model)
    return None if rows.empty else rows


def checks(identity: str) -> pd.DataFrame | None:
    """Simulated against observed statistics; None where they were not computed."""
    if not results.has_table(identity, "checks"):
        return None
    return results.table(identity, "checks")


def summary(identity: str) -> tuple[pd.DataFrame, float | None] | None:
    """Of the persons' parameters: sd, shrinkage, mean_reliability (index), and the ICC.

    Parameters with the largest product of spread and reliability come first. None where the run
    has no such table, or nothing varies by person.
    """
    if not results.has_table(identity, "summary"):
        return None
    rows = results.table(identity, "summary")
    rows = rows[rows["group"] == rows["group"].iloc[0]] if len(rows) else rows
    whole = rows[rows["parameter"] == ""].set_index("quantity")["value"]
    own = rows[rows["parameter"] != ""]
    if own.empty:
        return None
    wide = own.pivot(index="parameter", columns="quantity", values="value")
    wide = wide.dropna(subset=["shrinkage"])[["sd", "shrinkage", "mean_reliability"]]
    told = (wide["sd"] * wide["mean_reliability"].fillna(0)).sort_values(ascending=False)
    icc = float(whole["icc"]) if "icc" in whole else None
    return (wide.loc[told.index], icc) if len(wide) else None
