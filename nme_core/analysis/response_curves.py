"""Response curves: what the model predicts for a person as one feature changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import OptionError

if TYPE_CHECKING:
    from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor

Floats = NDArray[np.float64]

#: Points of a curve of a feature that takes many values.
POINTS = 25
#: Longest table that is made.
LARGEST = 2_000_000
#: Longest table whose intervals are computed: each is the spread of 64 predictions.
LARGEST_WITH_INTERVALS = 250_000


def response_curves(
    model: NMEMLPRegressor | NMEMLPClassifier,
    X: pd.DataFrame,
    groups: pd.Series,
    *,
    grids: Mapping[str, Floats] | None = None,
) -> pd.DataFrame:
    """Predictions along each feature, all others at their mean over the rows of the fit.

    A person's curve spans only the values that the person was observed at; the population's spans
    the middle 98 % of all values. A feature that the model leaves out has none. It describes the
    model, and is no causal effect. Where there are further grouping factors (a clinic), a person's
    curve has them at their population value.

    Parameters
    ----------
    model : NMEMLPRegressor or NMEMLPClassifier
        Fitted.
    X : DataFrame, shape (n, F)
        Features of the rows, in units of the data.
    groups : Series, shape (n,)
        Person of each row.
    grids : mapping of str to array, optional
        Values of each feature to predict at, where they are not to be taken from X: for new
        persons those of the fit, so that a curve does not depend on who else is new.

    Returns
    -------
    DataFrame
        Columns ``person`` ("" for the population), ``feature``, ``class`` ("" for a number), ``x``,
        ``value`` (units of the outcome, or the probability of the class), and ``ci_low`` and
        ``ci_high``, the ends of ``model.predict_interval``: missing for the population, where
        estimates are points, and in tables of more than `LARGEST_WITH_INTERVALS` rows.

    Raises
    ------
    OptionError
        If the table would have more than `LARGEST` rows, or none.
    """
    features = X.columns.difference(model._encoder.scaler.features_left_out, sort=False)
    if features.empty:
        raise OptionError("Nothing has a response curve: the model leaves every feature out.")
    n_persons = groups.nunique()
    size = n_persons * X.shape[1] * POINTS
    if size > LARGEST:
        raise OptionError(f"Response curves of {n_persons} people would fill too large a table.")
    model = model.of_persons()
    typical = typical_features(model)
    by_person = X.groupby(groups.to_numpy())
    low, high = by_person.min(), by_person.max()
    parts = []
    for feature in features:
        grid = _grid(X[feature].dropna()) if grids is None else grids[feature]
        inside = (grid >= low[feature].to_numpy()[:, None]) & (
            grid <= high[feature].to_numpy()[:, None]
        )
        who, where = np.nonzero(inside)
        persons = low.index.to_numpy()[who]
        for whose, x in ((persons, grid[where]), (None, grid)):
            if len(x):
                rows = pd.DataFrame({**typical, feature: x})
                parts.append(
                    _curve(model, rows, whose, feature, x, intervals=size <= LARGEST_WITH_INTERVALS)
                )
    return pd.concat(parts, ignore_index=True)


def typical_features(model: NMEMLPRegressor | NMEMLPClassifier) -> dict[str, float]:
    """Mean of each feature over the rows of the fit, where curves hold those that do not vary."""
    return dict(zip(model._encoder.scaler.names, model._encoder.scaler.mean.tolist(), strict=True))


def grids_of(curves: pd.DataFrame) -> dict[str, Floats]:
    """Values of each feature that the population's curves stand at, from `response_curves`."""
    population = curves[curves["person"] == ""].groupby("feature", sort=False)["x"]
    return {str(feature): x.unique() for feature, x in population}


def _grid(values: pd.Series) -> Floats:
    distinct = np.unique(values)
    if len(distinct) <= POINTS:
        return np.asarray(distinct, dtype=np.float64)
    low, high = np.quantile(values, [0.01, 0.99])
    return np.linspace(low, high, POINTS)


def _curve(
    model: NMEMLPRegressor | NMEMLPClassifier,
    rows: pd.DataFrame,
    persons: np.ndarray[tuple[int], np.dtype[np.object_]] | None,
    feature: str,
    x: Floats,
    *,
    intervals: bool,
) -> pd.DataFrame:
    level = "population" if persons is None else "person"
    classes = list(model.classes_) if hasattr(model, "predict_proba") else [""]
    predict = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    values = np.asarray(predict(rows, persons, level=level)).reshape(len(x), -1)
    low = high = np.full(values.shape, np.nan)
    if intervals and persons is not None:
        low, high = (end.reshape(values.shape) for end in model.predict_interval(rows, persons))
    whose = np.full(len(x), "", dtype=object) if persons is None else persons
    return pd.DataFrame(
        {
            "person": np.tile(whose, len(classes)),
            "feature": feature,
            "class": np.repeat(np.array(classes), len(x)),
            "x": np.tile(x, len(classes)),
            "value": values.T.ravel(),
            "ci_low": low.T.ravel(),
            "ci_high": high.T.ravel(),
        }
    )
