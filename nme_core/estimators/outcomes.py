"""Outcomes, checked: class labels ↔ codes, numbers, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nme_core.estimators.inputs import needed
from nme_core.exceptions import DataError

#: Kinds of NumPy's dtypes whose labels stay what they are: truth values and numbers.
_KEPT = "biuf"


def labels_as_text(y: ArrayLike) -> pd.Series:
    """Labels as text, missing as NaN; whole numbers have no ".0"."""
    needed(y=y)
    series = pd.Series(np.asarray(y)).infer_objects()
    text = series.astype("str")
    if pd.api.types.is_float_dtype(series):
        text = text.str.removesuffix(".0")
    return text.where(series.notna())


def check_classes(y: ArrayLike, *, missing_allowed: bool) -> NDArray[Any]:
    """Sorted classes of an outcome: numbers and truth values as they were given, all else as text.

    DataError if there is only one, or a label is missing.
    """
    labels = labels_as_text(y)
    missing = np.flatnonzero(labels.isna())
    if missing.size and not missing_allowed:
        raise DataError(
            f"The outcome has {missing.size} missing labels, the first in row {missing[0]} "
            "(counted from 0).",
            remedy="Leave these rows out.",
            row=int(missing[0]),
        )
    distinct = labels.dropna().drop_duplicates()
    if not len(distinct):
        raise DataError(
            "Not a single row has a label.", remedy="Choose another column as the outcome."
        )
    if len(distinct) < 2:
        raise DataError("The outcome has only one class; there is nothing to predict.")
    given = pd.Series(np.asarray(y)[distinct.index]).infer_objects().to_numpy()
    return np.sort(given) if given.dtype.kind in _KEPT else np.array(sorted(distinct))


def check_ordered(y: ArrayLike) -> NDArray[Any]:
    """Classes of an ordinal outcome from low to high; DataError where their order is not known."""
    classes = check_classes(y, missing_allowed=False)
    if isinstance(y, pd.Series) and isinstance(y.dtype, pd.CategoricalDtype) and y.cat.ordered:
        places = encode_classes(y.cat.categories[np.unique(y.cat.codes)], classes)
        return np.asarray(classes[places])
    if classes.dtype.kind in _KEPT:
        return classes
    labels = pd.Series(classes)
    numbers = pd.to_numeric(labels, errors="coerce")
    if numbers.isna().any():
        raise DataError(
            f"The order of the class {labels[numbers.isna()].iloc[0]!r} is not known.",
            remedy="Code the classes as numbers, or give an ordered pandas Categorical.",
        )
    return np.asarray(classes[numbers.sort_values().index])


def encode_classes(y: ArrayLike, classes: NDArray[Any]) -> NDArray[np.int64]:
    """Codes of labels, −1 where missing; DataError for a label that is not among the classes."""
    labels, known = labels_as_text(y), labels_as_text(classes)
    codes = pd.Index(known).get_indexer(pd.Index(labels))
    unknown = np.flatnonzero((codes < 0) & labels.notna().to_numpy())
    if unknown.size:
        raise DataError(
            f"Label {labels.iloc[unknown[0]]!r} in row {unknown[0]} (counted from 0) was not among"
            f" the classes that the model was fitted on ({', '.join(known)}).",
            row=int(unknown[0]),
        )
    return np.asarray(codes, dtype=np.int64)


def numbers(y: ArrayLike) -> NDArray[np.float64]:
    """Outcome as numbers; DataError where one is missing or not finite."""
    needed(y=y)
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
