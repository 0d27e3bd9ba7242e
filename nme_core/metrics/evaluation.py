"""Metrics of every model, pooled and per person: the table ``metrics`` of a run folder."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.metrics.classification import classification_metrics, row_losses
from nme_core.metrics.regression import SPREAD_METRICS, regression_metrics

_COLUMNS = ["model", "split", "scope", "person", "metric", "value", "n"]
#: Probability of the prediction interval whose coverage is told.
_INTERVAL = 0.95
_SPLITS = ("train", "validation", "test")


def evaluate(predictions: pd.DataFrame, kind: Literal["number", "class"]) -> pd.DataFrame:
    """Metrics per model and split, over all rows (``pooled``) and per person.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``model``, ``person``, ``split``, ``observed``, ``predicted``. Classes: also
        ``p_<class>``, and optionally ``loss``, the row's share of -log p of its sequence, which
        then stands in for -log p_<observed>. Numbers: optionally ``crps`` of each row, and
        ``integral``, the probability of an outcome below the one observed. Rows with a missing
        ``observed`` are left out.
    kind : {"number", "class"}
        Kind of the outcome.

    Returns
    -------
    DataFrame
        Columns ``model``, ``split``, ``scope``, ``person`` (empty where pooled), ``metric``,
        ``value``, ``n`` (rows that were used). mse, mae, pearson, ccc, where the columns are there
        crps and coverage_95 (share of rows in their central 95 % prediction interval); or accuracy,
        balanced_accuracy, kappa, alpha, macro_f1, log_loss. A value that is not defined is missing:
        also pearson and ccc of fewer than 3 rows.

    Raises
    ------
    MissingColumnError
        Where a column is not there.
    DataError
        Where a row has an observed outcome and no prediction.
    """
    if kind not in ("number", "class"):
        raise OptionError(
            f"No kind of outcome is called {kind!r}.", remedy='Choose "number" or "class".'
        )
    for column in ("model", "person", "split", "observed", "predicted"):
        if column not in predictions.columns:
            raise MissingColumnError(column, predictions.columns, table="table of predictions")
    used = predictions
    if used["observed"].isna().any():
        used = used[used["observed"].notna()].reset_index(drop=True)
    _check_predicted(used)
    models = used["model"].unique().tolist()
    present = used["split"].unique().tolist()
    splits = [split for split in _SPLITS if split in present]
    splits += [split for split in present if split not in _SPLITS]
    parts = []
    for model in models:
        for split in splits:
            rows = used
            if len(models) * len(splits) > 1:
                rows = used[(used["model"] == model) & (used["split"] == split)]
            if len(rows):
                parts.append(_evaluate_rows(rows, kind).assign(model=model, split=split))
    if not parts:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(parts, ignore_index=True)[_COLUMNS]


def as_labels(values: pd.Series) -> pd.Series:
    """Class labels as text; whole numbers without a decimal point, as a CSV file had them."""
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if (whole == whole.round()).all():
            values = values.astype("Int64")
    return values.astype("str").where(values.notna())


def _evaluate_rows(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Metrics of one model and split: pooled first, then the persons in order of appearance."""
    codes, persons = pd.factorize(rows["person"])
    person = codes.astype(np.intp)
    # one pass over the persons and one over everything
    values = [
        _metrics(rows, kind, np.zeros_like(person), 1),
        _metrics(rows, kind, person, len(persons)),
    ]
    n = np.concatenate([[len(rows)], np.bincount(person, minlength=len(persons))])
    metrics = list(values[0])
    table = np.array([np.concatenate([part[metric] for part in values]) for metric in metrics])
    return pd.DataFrame(
        {
            "scope": np.repeat(["pooled", *["person"] * len(persons)], len(metrics)),
            "person": np.repeat(["", *map(str, persons)], len(metrics)),
            "metric": np.tile(metrics, len(n)),
            "value": table.T.ravel(),
            "n": np.repeat(n, len(metrics)),
        }
    )


def _metrics(
    rows: pd.DataFrame, kind: str, groups: NDArray[np.intp], n_groups: int
) -> dict[str, NDArray[np.float64]]:
    if kind == "number":
        observed = pd.to_numeric(rows["observed"]).to_numpy(dtype=np.float64)
        predicted = pd.to_numeric(rows["predicted"]).to_numpy(dtype=np.float64)
        values = regression_metrics(observed, predicted, groups, n_groups)
        return {**values, **_spread_metrics(rows, groups, n_groups)}
    labels = as_labels(rows["observed"])
    values = classification_metrics(labels, as_labels(rows["predicted"]), groups, n_groups)
    sums = np.bincount(groups, weights=log_losses(rows, labels), minlength=n_groups)
    return {**values, "log_loss": sums / np.bincount(groups, minlength=n_groups)}


def _spread_metrics(
    rows: pd.DataFrame, groups: NDArray[np.intp], n_groups: int
) -> dict[str, NDArray[np.float64]]:
    if "integral" not in rows.columns:
        return {}
    inside = np.abs(rows["integral"].to_numpy(np.float64) - 0.5) <= _INTERVAL / 2
    n = np.bincount(groups, minlength=n_groups)
    return {
        name: np.bincount(groups, weights=values, minlength=n_groups) / n
        for name, values in zip(
            SPREAD_METRICS, (rows["crps"].to_numpy(np.float64), inside), strict=True
        )
    }


def log_losses(rows: pd.DataFrame, labels: pd.Series) -> NDArray[np.float64]:
    """-log p of every row, shape (n,); missing where the model gives no probabilities."""
    losses = np.full(len(rows), np.nan)
    if "loss" in rows.columns:
        losses = pd.to_numeric(rows["loss"]).to_numpy(dtype=np.float64).copy()
    columns = [str(name) for name in rows.columns if str(name).startswith("p_")]
    proba = rows[columns].rename(columns=lambda name: str(name).removeprefix("p_"))
    left = np.isnan(losses) & proba.notna().any(axis=1).to_numpy()
    if left.any():
        losses[left] = row_losses(labels[left].to_numpy(dtype=object), proba[left])
    return losses


def _check_predicted(used: pd.DataFrame) -> None:
    missing = used["predicted"].isna()
    if missing.any():
        row = used[missing].iloc[0]
        person = str(row["person"])
        raise DataError(
            f"Model {row['model']!r} has no prediction for {int(missing.sum())} rows whose outcome "
            f"is known, first for person {person!r}.",
            remedy="Models can only be compared on rows that all of them predict.",
            column="predicted",
            person=person,
        )
