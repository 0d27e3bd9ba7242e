"""Standardisation, learned on training rows and undone in everything that comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nme_core.exceptions import DataError

#: Features as a list of columns, each of shape (n,).
Columns = Sequence[NDArray[np.float64]]


@dataclass(frozen=True)
class FeatureScaler:
    """Features → network inputs: (x − mean)/sd; missing values become 0 beside an indicator.

    A feature with missing values among the rows that it was learned on gets one more input, 1 where
    the value is missing and 0 elsewhere (missing-indicator method).

    Attributes
    ----------
    names : tuple of str
        Features, in order.
    mean, sd : array, shape (F,)
        Of the observed values, in units of the data; sd is 1 for a constant feature.
    flagged : tuple of int
        Features that have an indicator.
    """

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    flagged: tuple[int, ...]

    @classmethod
    def learn(cls, columns: Columns, names: tuple[str, ...]) -> FeatureScaler:
        """Learn from F columns, NaN where missing; DataError if a feature has no value."""
        n_missing = np.array([np.isnan(column).sum() for column in columns], dtype=np.int64)
        empty = np.flatnonzero(n_missing == len(columns[0]))
        if empty.size:
            name = names[int(empty[0])]
            raise DataError(
                f"Feature {name!r} has no value in the rows to train on.",
                remedy="Leave it out of the features.",
                column=name,
            )
        mean = np.array([np.nanmean(column) for column in columns])
        sd = np.array([np.nanstd(column) for column in columns])
        sd = np.where(sd > 1e-12 * np.maximum(1.0, np.abs(mean)), sd, 1.0)
        return cls(names, mean, sd, tuple(int(k) for k in np.flatnonzero(n_missing)))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the network's inputs: the features, then the indicators."""
        return (*self.names, *(f"{self.names[k]} (missing)" for k in self.flagged))

    def transform(self, columns: Columns) -> NDArray[np.float32]:
        """Map F feature columns to inputs, shape (n, F + number of indicators)."""
        inputs = np.empty((len(columns[0]), len(self.input_names)), dtype=np.float32)
        for k, (mean, sd) in enumerate(zip(self.mean, self.sd, strict=True)):
            inputs[:, k] = np.nan_to_num((columns[k] - mean) / sd, nan=0.0)
        for place, k in enumerate(self.flagged, start=len(self.names)):
            inputs[:, place] = np.isnan(columns[k])
        return inputs
