"""Standardisation, learned on training rows and undone in everything that comes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nme_core.exceptions import DataError


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
    def learn(cls, x: NDArray[np.float64], names: tuple[str, ...]) -> FeatureScaler:
        """Learn from x, shape (n, F), NaN where missing; DataError if a feature has no value."""
        missing = np.isnan(x)
        empty = np.flatnonzero(missing.all(axis=0))
        if empty.size:
            name = names[int(empty[0])]
            raise DataError(
                f"Feature {name!r} has no value in the rows to train on.",
                remedy="Leave it out of the features.",
                column=name,
            )
        mean = np.nanmean(x, axis=0)
        sd = np.nanstd(x, axis=0)
        sd = np.where(sd > 1e-12 * np.maximum(1.0, np.abs(mean)), sd, 1.0)
        return cls(names, mean, sd, tuple(int(k) for k in np.flatnonzero(missing.any(axis=0))))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the network's inputs: the features, then the indicators."""
        return (*self.names, *(f"{self.names[k]} (missing)" for k in self.flagged))

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float32]:
        """Map features, shape (n, F), to inputs, shape (n, F + number of indicators)."""
        scaled = np.nan_to_num((x - self.mean) / self.sd, nan=0.0)
        flags = np.isnan(x[:, list(self.flagged)])
        return np.concatenate([scaled, flags], axis=1).astype(np.float32)
