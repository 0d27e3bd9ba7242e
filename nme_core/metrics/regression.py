"""Metrics of numbers; missing where they are not defined.

Every metric is computed from sums per group of rows, so that a thousand persons cost no
more than one: `regression_metrics` takes the group of each row, the functions with two arguments
put all rows into one group.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nme_core.exceptions import DataError

_Array = NDArray[np.float64]

#: Names of the metrics, in the order of the tables.
REGRESSION_METRICS = ("mse", "mae", "pearson", "ccc")
#: Metrics of a predictive distribution, where the model has one.
SPREAD_METRICS = ("crps", "coverage_95")

#: Rows below which ``pearson`` and ``ccc`` are not defined: two points always lie on a line.
MIN_CORRELATED = 3


def regression_metrics(
    y_true: ArrayLike, y_pred: ArrayLike, groups: NDArray[np.intp], n_groups: int
) -> dict[str, _Array]:
    """The metrics of every group.

    Parameters
    ----------
    y_true, y_pred : array, shape (n,)
        Finite numbers.
    groups : array of int, shape (n,)
        Group of each row, 0 to `n_groups` - 1.
    n_groups : int

    Returns
    -------
    dict of metric -> array, shape (n_groups,)
        NaN for a group without rows, and where a metric is not defined: ``pearson`` of a constant,
        ``ccc`` of two equal constants, and both below `MIN_CORRELATED` rows.

    Notes
    -----
    ``ccc`` is Lin's (1989) concordance, 2 s_xy / (s_x² + s_y² + (m_x - m_y)²), moments over n.
    """
    true, predicted = _numbers(y_true, "y_true"), _numbers(y_pred, "y_pred")
    if not true.shape == predicted.shape == groups.shape:
        raise DataError(
            f"y_true has the shape {true.shape}, y_pred {predicted.shape} and groups "
            f"{groups.shape}; they must agree."
        )
    n = np.bincount(groups, minlength=n_groups).astype(np.float64)

    def mean(values: _Array) -> _Array:
        with np.errstate(invalid="ignore"):
            return np.asarray(np.bincount(groups, weights=values, minlength=n_groups) / n)

    mean_true, mean_predicted = mean(true), mean(predicted)
    a, b = true - mean_true[groups], predicted - mean_predicted[groups]
    var_true = _without_rounding(mean(a**2), mean_true)
    var_predicted = _without_rounding(mean(b**2), mean_predicted)
    covariance = np.where((var_true > 0) & (var_predicted > 0), mean(a * b), 0.0)
    bias = np.square(mean_true - mean_predicted)
    with np.errstate(invalid="ignore"):
        pearson_r = np.clip(covariance / np.sqrt(var_true * var_predicted), -1.0, 1.0)
        concordance = 2 * covariance / (var_true + var_predicted + bias)
    enough = n >= MIN_CORRELATED
    return {
        "mse": mean((true - predicted) ** 2),
        "mae": mean(np.abs(true - predicted)),
        "pearson": np.where(enough, pearson_r, np.nan),
        "ccc": np.where(enough, concordance, np.nan),
    }


def mse(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean squared error, in squared units of the outcome; arrays of shape (n,)."""
    return _single(y_true, y_pred, "mse")


def mae(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean absolute error, in units of the outcome; arrays of shape (n,)."""
    return _single(y_true, y_pred, "mae")


def pearson(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Pearson correlation of arrays of shape (n,); NaN where one is constant, or n < 3."""
    return _single(y_true, y_pred, "pearson")


def ccc(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Lin's concordance of arrays of shape (n,); NaN for two equal constants, or n < 3."""
    return _single(y_true, y_pred, "ccc")


def crps(y_true: ArrayLike, draws: ArrayLike) -> _Array:
    """Continuous ranked probability score of each row, in units of the outcome, shape (n,).

    E|Y − y| − ½ E|Y − Y′|, without the bias that few draws have (Fricker, Ferro and Stephenson
    2013); of a prediction without spread the absolute error.

    Parameters
    ----------
    y_true : array, shape (n,)
    draws : array, shape (n_draws, n)
        Outcomes drawn from the predictive distribution, at least two of each row.
    """
    drawn = np.sort(np.asarray(draws), axis=0)
    n_draws = len(drawn)
    error = np.abs(drawn - np.asarray(y_true)).mean(0)
    # each draw's rank says in how many pairs it is the larger one
    weights = 2.0 * np.arange(n_draws) - n_draws + 1
    found: _Array = error - weights @ drawn / (n_draws * (n_draws - 1))
    return found


def _single(y_true: ArrayLike, y_pred: ArrayLike, metric: str) -> float:
    one_group = np.zeros(np.shape(y_true), dtype=np.intp)
    return float(regression_metrics(y_true, y_pred, one_group, 1)[metric][0])


def _without_rounding(variance: _Array, mean: _Array) -> _Array:
    """The variance, 0 where it is only the rounding error of a constant."""
    return np.where(np.sqrt(variance) <= 1e-13 * np.abs(mean), 0.0, variance)


def _numbers(values: ArrayLike, name: str) -> _Array:
    numbers = np.asarray(values, dtype=np.float64)
    if not np.isfinite(numbers).all():
        position = int(np.argmin(np.isfinite(numbers)))
        raise DataError(
            f"{name} holds no finite number at position {position}.",
            remedy="Leave out rows whose outcome is missing.",
        )
    return numbers
