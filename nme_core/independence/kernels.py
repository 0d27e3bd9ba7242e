"""Kernels between persons: Gaussian for numbers, equality for categories."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nme_core.exceptions import DataError


def gaussian_kernel(x: ArrayLike, *, standardise: bool = True) -> NDArray[np.float64]:
    """Gaussian kernel with the median distance as its bandwidth.

    ``K[i, j] = exp(-d_ij² / (2 m²))`` with m the median of the Euclidean distances between
    different persons (of the positive ones where more than half are zero).

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        One row per person, finite.
    standardise : bool
        Bring every column to mean 0 and standard deviation 1 first, so that units do not matter.

    Returns
    -------
    array, shape (n, n)

    Raises
    ------
    DataError
        Where a value is missing or not finite, or all rows are equal.
    """
    from scipy.spatial.distance import pdist, squareform

    values = np.asarray(x, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise DataError(
            f"Row {row}, column {column} holds no finite number.",
            remedy="Leave out rows with missing values.",
        )
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    # what is left of a constant column after centring is rounding error
    constant = spread <= 1e-12 * np.abs(values).max(axis=0, initial=0.0)
    centred[:, constant] = 0.0
    if standardise:
        centred /= np.where(constant, 1.0, spread)
    distances = pdist(centred)
    median = float(np.median(distances)) if distances.size else 0.0
    if median == 0.0:
        positive = distances[distances > 0]
        if positive.size == 0:
            raise DataError(
                "All people have the same value.", remedy="A constant cannot be tested."
            )
        median = float(np.median(positive))
    kernel: NDArray[np.float64] = np.exp(-0.5 * np.square(squareform(distances) / median))
    return kernel


def category_kernel(labels: ArrayLike) -> NDArray[np.float64]:
    """Kernel of a category: 1 where two persons share the label, else 0.

    Parameters
    ----------
    labels : array, shape (n,)
        One label per person, none missing.

    Returns
    -------
    array, shape (n, n)

    Raises
    ------
    DataError
        Where a label is missing, all are equal, or no two are.
    """
    codes, found = pd.factorize(np.asarray(labels, dtype=object))
    if (codes < 0).any():
        raise DataError(
            f"Row {int(np.argmin(codes))} has no label.",
            remedy="Leave out rows with missing values.",
        )
    if len(found) < 2:
        raise DataError("All people have the same value.", remedy="A constant cannot be tested.")
    if len(found) == len(codes):
        raise DataError(
            "Every person has a label of their own.",
            remedy="Merge categories, so that some people share one.",
        )
    return np.equal.outer(codes, codes).astype(np.float64)


def is_categorical(values: pd.Series) -> bool:
    """Whether a covariate is treated as groups: text, truth values, or a number with two values."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return int(values.nunique()) == 2
    return True
