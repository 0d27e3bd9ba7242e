"""Standardisation, learned on training rows and undone in everything that comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import DataError


class Columns(Protocol):
    """Columns of numbers, each of shape (n,): a list, or what makes each when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> NDArray[np.floating[Any]]: ...

    def __iter__(self) -> Iterator[NDArray[np.floating[Any]]]: ...


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
    low, high : array, shape (F,)
        Lowest and highest observed value.
    left_out : tuple of int
        Inputs that a linear model leaves out, being constant or combinations of others.
    """

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    flagged: tuple[int, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    left_out: tuple[int, ...] = ()

    @classmethod
    def learn(cls, columns: Columns, names: tuple[str, ...]) -> FeatureScaler:
        """Learn from F columns, NaN where missing; DataError if a feature has no value."""
        found, flagged = [], []
        for k, (name, column) in enumerate(zip(names, columns, strict=True)):
            missing = np.isnan(column)
            if missing.all():
                raise DataError(
                    f"Feature {name!r} has no value in the rows to train on.",
                    remedy="Leave it out of the features.",
                    column=name,
                )
            if missing.any():
                flagged.append(k)
            centre = np.nanmean(column, dtype=np.float64)
            spread = np.nanstd(column, dtype=np.float64)
            found.append((centre, spread, np.nanmin(column), np.nanmax(column)))
        mean, sd, low, high = np.array(found, dtype=np.float64).T.copy()
        sd = np.where(sd > 1e-12 * np.maximum(1.0, np.abs(mean)), sd, 1.0)
        return cls(names, mean, sd, tuple(flagged), low, high)

    def outside(self, columns: Columns) -> dict[str, int]:
        """In how many rows a feature lies more than an SD beyond all values of the fit; by name."""
        found = {}
        for k, name in enumerate(self.names):
            values = columns[k]
            beyond = (values < self.low[k] - self.sd[k]) | (values > self.high[k] + self.sd[k])
            if beyond.any():
                found[name] = int(beyond.sum())
        return found

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the network's inputs: the features, then the indicators."""
        return (*self.names, *(f"{self.names[k]} (missing)" for k in self.flagged))

    @property
    def features_left_out(self) -> list[str]:
        """Features that a linear model leaves out."""
        return [self.names[k] for k in self.left_out if k < len(self.names)]

    def inputs(self, columns: Columns, *, precise: bool = False) -> Inputs:
        """Inputs of the network, one for each feature and each indicator; `precise`: float64."""
        return Inputs(self, columns, precise)

    def transform(self, columns: Columns) -> NDArray[np.float32]:
        """All inputs at once, shape (n, F + number of indicators)."""
        return np.column_stack(list(self.inputs(columns)))


@dataclass(frozen=True)
class Inputs:
    """Columns of inputs, each computed when it is asked for, so that they are not held twice."""

    scaler: FeatureScaler
    features: Columns
    precise: bool = False

    def __len__(self) -> int:
        return len(self.scaler.input_names)

    def __getitem__(self, place: int, /) -> NDArray[Any]:
        dtype = np.float64 if self.precise else np.float32
        scaler, n_features = self.scaler, len(self.scaler.names)
        if place >= n_features:
            missing = np.isnan(self.features[scaler.flagged[place - n_features]])
            return np.asarray(missing, dtype=dtype)
        scaled = (self.features[place] - scaler.mean[place]) / scaler.sd[place]
        return np.asarray(np.nan_to_num(scaled, nan=0.0), dtype=dtype)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[place] for place in range(len(self)))


@dataclass(frozen=True)
class TableRows:
    """Some rows of a table of features, each column taken when it is asked for.

    Attributes
    ----------
    table : DataFrame
        All rows.
    rows : array of int or of bool
        Positions of those that are meant, or a mask.
    """

    table: pd.DataFrame
    rows: NDArray[np.intp] | NDArray[np.bool_]

    def __len__(self) -> int:
        return self.table.shape[1]

    def __getitem__(self, place: int, /) -> NDArray[np.floating[Any]]:
        return as_floats(self.table.iloc[:, place])[self.rows]

    def __iter__(self) -> Iterator[NDArray[np.floating[Any]]]:
        return (self[place] for place in range(len(self)))

    def take(self, chosen: NDArray[np.bool_]) -> TableRows:
        """Some of these rows."""
        rows = np.flatnonzero(self.rows) if self.rows.dtype == np.bool_ else self.rows
        return TableRows(self.table, rows[chosen])


def as_floats(column: pd.Series) -> NDArray[np.floating[Any]]:
    """A column as float64, or as float32 where that is what it is; then without a copy."""
    single = column.dtype == np.float32
    return np.asarray(column, dtype=np.float32 if single else np.float64)
