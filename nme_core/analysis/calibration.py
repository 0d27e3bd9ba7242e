"""Calibration: whether what is predicted with a probability happens as often as that."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.estimators.transition_intervals import wilson

#: Bins of the predicted probability, and of the probability integral.
BINS = 10
#: Prediction intervals whose coverage is counted.
LEVELS = (0.5, 0.8, 0.9, 0.95)
COLUMNS = (
    "model", "split", "kind", "class", "low", "high", "expected", "observed", "ci_low", "ci_high",
    "n",
)  # fmt: skip


def class_calibration(predictions: pd.DataFrame) -> pd.DataFrame:
    """Reliability table of predicted probabilities, one row per class and bin with rows in it.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``model``, ``split``, ``observed`` and ``p_<class>``; rows without an observed class
        are left out.

    Returns
    -------
    DataFrame
        ``kind`` is "probability"; bins reach from ``low`` to ``high``; ``expected`` is the mean
        predicted probability, ``observed`` the share of rows that were of the ``class``, with
        Wilson's interval (rows taken as independent); ``n`` the number of rows.
    """
    used = predictions[predictions["observed"].notna()]
    labels = [str(name)[2:] for name in used.columns if str(name).startswith("p_")]
    observed = used["observed"].astype("str").to_numpy()
    p = used[[f"p_{label}" for label in labels]].to_numpy(dtype=np.float64)  # (n, K)
    rows = pd.DataFrame(
        {
            "class": pd.Categorical(np.repeat(labels, len(used)), categories=labels),
            "model": np.tile(used["model"].to_numpy(), len(labels)),
            "split": np.tile(used["split"].to_numpy(), len(labels)),
            "bin": np.minimum((p.T.ravel() * BINS).astype(int), BINS - 1),
            "expected": p.T.ravel(),
            "observed": np.concatenate([observed == label for label in labels]).astype(float),
        }
    )
    by_bin = rows.groupby(["class", "model", "split", "bin"], observed=True, sort=True)
    table = by_bin.agg(
        expected=("expected", "mean"), observed=("observed", "mean"), n=("observed", "size")
    ).reset_index()
    table["low"], table["high"] = table["bin"] / BINS, (table["bin"] + 1) / BINS
    table["class"] = table["class"].astype("str")
    return _finished(table.assign(kind="probability"))


def number_calibration(integral: NDArray[np.float64], *, model: str, split: str) -> pd.DataFrame:
    """Histogram of the probability integral, and coverage of central prediction intervals.

    Parameters
    ----------
    integral : array, shape (n,)
        `NMEMLPRegressor.probability_integral` of the rows.
    model, split : str
        Names for the table.

    Returns
    -------
    DataFrame
        ``kind`` "pit": the share of rows whose integral lies between ``low`` and ``high``, 1/10 if
        calibrated. ``kind`` "interval": the share of rows inside the central prediction interval of
        probability ``expected``. ``class`` is empty. Intervals are Wilson's, rows taken as
        independent.
    """
    n = len(integral)
    edges = np.linspace(0, 1, BINS + 1)
    counts = np.histogram(integral, bins=edges)[0]
    bins = pd.DataFrame(
        {"kind": "pit", "low": edges[:-1], "high": edges[1:], "expected": 1 / BINS}
    ).assign(observed=counts / n)
    levels = np.array(LEVELS)
    low, high = (1 - levels) / 2, (1 + levels) / 2
    inside = [
        float(((a <= integral) & (integral <= b)).mean()) for a, b in zip(low, high, strict=True)
    ]
    intervals = pd.DataFrame(
        {"kind": "interval", "low": low, "high": high, "expected": levels, "observed": inside}
    )
    table = pd.concat([bins, intervals], ignore_index=True)
    table["model"], table["split"], table["class"], table["n"] = model, split, "", n
    return _finished(table)


def _finished(table: pd.DataFrame) -> pd.DataFrame:
    low, high = wilson(table["observed"].to_numpy(), table["n"].to_numpy(dtype=np.float64))
    return table.assign(ci_low=low, ci_high=high)[list(COLUMNS)]
