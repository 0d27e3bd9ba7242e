"""Predictions of a run, person by person and as counts."""

from __future__ import annotations

import pandas as pd
from pandas.api.types import is_numeric_dtype

#: Parts of the data in order of time.
PARTS = {"train": 0, "validation": 1, "test": 2}


def by_occasion(predictions: pd.DataFrame, model: str = "nme") -> pd.DataFrame:
    """One model's predictions in order of time, indexed by person.

    Parameters
    ----------
    predictions : DataFrame
        The table ``predictions`` of a run folder.
    model : str
        Its name there.

    Returns
    -------
    DataFrame
        split, time, observed, predicted, population_predicted. The time holds numbers: those of the
        study, or days since the person's first date; NaN where the study has no times.
    """
    rows = predictions[predictions["model"] == model]
    part = rows["split"].map(PARTS)
    ordered = rows.assign(part=part).sort_values(["part", "sequence", "time"], kind="stable")
    ordered = ordered.assign(time=_as_numbers(ordered["time"], ordered["person"]))
    columns = ["person", "split", "time", "observed", "predicted", "population_predicted"]
    return ordered[columns].set_index("person")


def _as_numbers(times: pd.Series, persons: pd.Series) -> pd.Series:
    if is_numeric_dtype(times):
        return times.astype(float)
    dates = pd.to_datetime(times, errors="coerce", format="ISO8601")
    since: pd.Series = dates - dates.groupby(persons).transform("min")
    days: pd.Series = since.dt.total_seconds() / 86400
    return days


def judged(predictions: pd.DataFrame, model: str) -> pd.DataFrame:
    """A model's predictions of the test part, where the outcome is known: person, both values."""
    rows = predictions[(predictions["model"] == model) & (predictions["split"] == "test")]
    known = rows["observed"].notna()
    if not is_numeric_dtype(rows["observed"]):
        known &= rows["observed"] != ""
    return rows.loc[known, ["person", "observed", "predicted"]]


def states_of(predictions: pd.DataFrame) -> list[str]:
    """All states, observed or predicted, in order."""
    return sorted({*predictions["observed"].dropna(), *predictions["predicted"].dropna()} - {""})


def confusion_counts(predictions: pd.DataFrame, model: str) -> pd.DataFrame:
    """How often each observed state of the test part was predicted as which, shape (K, K)."""
    rows, labels = judged(predictions, model), states_of(predictions)
    counts = pd.crosstab(rows["observed"], rows["predicted"])
    return counts.reindex(index=labels, columns=labels, fill_value=0)


def judged_calibration(calibration: pd.DataFrame, model: str) -> pd.DataFrame:
    """Calibration of one model on the test part: of probabilities, or of prediction intervals."""
    kinds = ("probability", "interval", "pit")
    rows = calibration[(calibration["model"] == model) & (calibration["split"] == "test")]
    return rows[rows["kind"].isin(kinds)]


def metric_by_person(metrics: pd.DataFrame, predictions: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Each person's metric on the test part under every model: model, person, value, n_obs.

    ``n_obs`` is the number of occasions that the models were fitted to.
    """
    rows = metrics[(metrics["split"] == "test") & (metrics["scope"] == "person")]
    rows = rows[(rows["metric"] == metric) & rows["value"].notna()]
    fitted = predictions[(predictions["model"] == "nme") & (predictions["split"] == "train")]
    n_obs = rows["person"].map(fitted["person"].value_counts()).fillna(0).astype(int)
    return rows[["model", "person", "value"]].assign(n_obs=n_obs).reset_index(drop=True)
