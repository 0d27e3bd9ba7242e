"""Outcomes, checked: class labels ↔ codes, numbers, counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nme_core.exceptions import DataError


def labels_as_text(y: ArrayLike) -> pd.Series:
    """Labels as text, missing as NaN; whole numbers lose their ".0"."""
    series = pd.Series(np.asarray(y))
    missing = series.isna()
    if pd.api.types.is_float_dtype(series) and (series[~missing] % 1 == 0).all():
        series = series.astype("Int64")
    return series.astype("str").where(~missing)


def check_classes(y: ArrayLike, *, missing_allowed: bool) -> NDArray[np.str_]:
    """Sorted classes of an outcome; DataError if there is only one, or a label is missing."""
    labels = labels_as_text(y)
    missing = np.flatnonzero(labels.isna())
    if missing.size and not missing_allowed:
        raise DataError(
            f"The outcome has {missing.size} missing labels, the first in row {missing[0]} "
            "(counted from 0).",
            remedy="Leave these rows out.",
            row=int(missing[0]),
        )
    classes = np.array(sorted(labels.dropna().unique()))
    if not len(classes):
        raise DataError(
            "Not a single row has a label.", remedy="Choose another column as the outcome."
        )
    if len(classes) < 2:
        raise DataError("The outcome has only one class; there is nothing to predict.")
    return classes


def check_ordered(y: ArrayLike) -> NDArray[np.str_]:
    """Classes of an ordinal outcome from low to high; DataError where their order is not known."""
    check_classes(y, missing_allowed=False)
    if isinstance(y, pd.Series) and isinstance(y.dtype, pd.CategoricalDtype) and y.cat.ordered:
        return np.array([str(level) for level in y.cat.categories if (y == level).any()])
    labels = pd.Series(labels_as_text(y).unique())
    numbers = pd.to_numeric(labels, errors="coerce")
    if numbers.isna().any():
        raise DataError(
            f"The order of the class {labels[numbers.isna()].iloc[0]!r} is not known.",
            remedy="Code the classes as numbers, or give an ordered pandas Categorical.",
        )
    return np.array(labels[numbers.sort_values().index])


def encode_classes(y: ArrayLike, classes: NDArray[np.str_]) -> NDArray[np.int64]:
    """Codes of labels, −1 where missing; DataError for a label that is not among the classes."""
    labels = labels_as_text(y)
    codes = pd.Index(classes).get_indexer(pd.Index(labels))
    unknown = np.flatnonzero((codes < 0) & labels.notna().to_numpy())
    if unknown.size:
        raise DataError(
            f"Label {labels.iloc[unknown[0]]!r} in row {unknown[0]} (counted from 0) was not among"
            f" the classes that the model was fitted on ({', '.join(classes)}).",
            row=int(unknown[0]),
        )
    return codes.astype(np.int64)


def numbers(y: ArrayLike) -> NDArray[np.float64]:
    """Outcome as numbers; DataError where one is missing or not finite."""
    try:
        values = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The outcome is not a number everywhere ({error}).",
            remedy="Use NMEMLPClassifier for classes.",
        ) from error
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise DataError(
            f"The outcome has {bad.size} missing or infinite values, the first in row {bad[0]} "
            "(counted from 0).",
            remedy="Leave these rows out.",
            row=int(bad[0]),
        )
    return values


def counts(y: ArrayLike) -> NDArray[np.float64]:
    """Outcome as counts; DataError where one is negative or not whole."""
    values = numbers(y)
    bad = np.flatnonzero((values < 0) | (values != np.round(values)))
    if bad.size:
        raise DataError(
            f"The outcome is no count in row {bad[0]} (counted from 0): {values[bad[0]]:g}.",
            remedy='Counts are 0, 1, 2 …; use family="gaussian" for other numbers.',
            row=int(bad[0]),
        )
    return values
