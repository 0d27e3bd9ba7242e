"""What comes into a model – features, persons, sequences – checked and ready for the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from nme_core.data.sequences import Batch, pad_units
from nme_core.exceptions import DataError


@dataclass(frozen=True)
class Rows:
    """Rows ready for the network; see `pad_units`."""

    x: NDArray[np.float32]
    groups: NDArray[np.int64]
    sequences: NDArray[np.int64] | None = None
    initial: NDArray[np.int64] | None = None

    def batches(self, y: NDArray[Any], device: torch.device) -> list[Batch]:
        """Stack the rows, with outcome y, into padded units."""
        padded = pad_units(
            self.x, y, self.groups, sequences=self.sequences, initial=self.initial
        )  # fmt: skip
        return [batch.to(device) for batch in padded]


def read_features(X: ArrayLike | pd.DataFrame) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Features as an array with their names; DataError where they are not numbers."""
    if isinstance(X, pd.DataFrame):
        names = tuple(str(name) for name in X.columns)
    else:
        shape = np.shape(X)
        if len(shape) != 2:
            raise DataError(f"X needs two dimensions (rows × features); it has {len(shape)}.")
        names = default_names(shape[1])
    try:
        table = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"X holds something that is not a number ({error}).",
            remedy="Leave text columns out or recode them as numbers.",
        ) from error
    if not len(table) or not names:
        raise DataError("X is empty.", remedy="Give at least one row and one feature.")
    if np.isinf(table).any():
        column = names[int(np.flatnonzero(np.isinf(table).any(axis=0))[0])]
        raise DataError(f"Feature {column!r} has an infinite value.", column=column)
    return table, names


def default_names(n_features: int) -> tuple[str, ...]:
    """Names for the features of an array."""
    return tuple(f"x{k}" for k in range(n_features))


def check_lengths(n_rows: int, **columns: ArrayLike | None) -> None:
    """Raise DataError for a column that has not one entry for each row of X."""
    for name, values in columns.items():
        if values is not None and np.shape(values) != (n_rows,):
            raise DataError(
                f"X has {n_rows} rows, but {name} has the shape {np.shape(values)}.",
                remedy="It needs one entry for each row.",
            )


def read_ids(values: ArrayLike, what: str) -> list[str]:
    """Ids as text; DataError where one is missing."""
    series = pd.Series(np.asarray(values))
    if series.isna().any():
        row = int(np.flatnonzero(series.isna())[0])
        raise DataError(f"{what} has no value in row {row}.", row=row)
    return [str(value) for value in series]
