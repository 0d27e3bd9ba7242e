"""What comes into a model – features, persons, sequences – checked and ready for the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse

from nme_core.batches.scaling import Columns, TableRows, as_floats
from nme_core.batches.sequences import Batch, pad_units
from nme_core.estimators.arrangement import Arrangement, natural_order
from nme_core.exceptions import DataError, MissingColumnError, UnknownPersonError
from nme_core.nn import Family, LinearChain, Poisson
from nme_core.study.check.factors import find_inseparable

#: Rows and columns as users give them.
Table = ArrayLike | pd.DataFrame
#: What no model does without.
_NEEDED = {"X": "the features X", "y": "the target y", "groups": "the person of each row (groups)"}


@dataclass(frozen=True)
class Rows:
    """Rows ready for the network; see `pad_units`."""

    x: Columns
    groups: NDArray[np.int64]
    sequences: NDArray[np.int64] | None = None
    initial: NDArray[np.int64] | None = None
    times: NDArray[np.float64] | None = None

    def batches(self, y: NDArray[Any], device: torch.device) -> list[Batch]:
        """Stack the rows, with outcome y, into padded units."""
        padded = pad_units(
            self.x, y, self.groups, sequences=self.sequences, initial=self.initial, times=self.times
        )  # fmt: skip
        return [batch.to(device) for batch in padded]


def needed(**given: object) -> None:
    """Raise DataError for what is None of X, y and groups."""
    for name, values in given.items():
        if values is None:
            raise DataError(
                f"The model requires {name} to be passed, but {_NEEDED[name]} is None.",
                remedy="It needs one entry for each row.",
            )


def read_features(X: Table | TableRows) -> tuple[Columns, tuple[str, ...]]:
    """Features, a column at a time, with their names; DataError where they are not numbers.

    Columns that are floats already are not copied.
    """
    columns: Columns
    needed(X=X)
    if isinstance(X, pd.DataFrame | TableRows):
        table = X if isinstance(X, pd.DataFrame) else X.table
        names = tuple(str(name) for name in table.columns)
    else:
        if issparse(X):
            raise DataError("Sparse tables are not supported.", remedy="Give X.toarray().")
        X = np.asarray(X)
        shape = X.shape
        if len(shape) != 2:
            raise DataError(
                f"X needs two dimensions (rows × features); it has {len(shape)}.",
                remedy="Reshape your data: one row is X.reshape(1, -1).",
            )
        if np.iscomplexobj(X):
            raise DataError(
                "Complex data not supported: X has imaginary parts.", remedy="Give real numbers."
            )
        names = default_names(shape[1])
    try:
        if isinstance(X, pd.DataFrame):
            columns = [as_floats(X.iloc[:, k]) for k in range(len(names))]
        elif isinstance(X, TableRows):
            columns = X
        else:
            columns = list(np.asarray(X, dtype=np.float64).T)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"X holds something that is not a number ({error}).",
            remedy="Leave text columns out or recode them as numbers.",
        ) from error
    if not names or not len(columns[0]):
        raise DataError("X is empty.", remedy="Give at least one row and one feature.")
    for name, values in zip(names, columns, strict=True):
        if np.isinf(values).any():
            raise DataError(f"Feature {name!r} has an infinite value.", column=name)
    return columns, names


def select_columns(
    X: pd.DataFrame | TableRows, expected: Sequence[str]
) -> pd.DataFrame | TableRows:
    """The features of these names, in their order; MissingColumnError where one is not there."""
    table = X if isinstance(X, pd.DataFrame) else X.table
    columns = [str(name) for name in table.columns]
    for name in expected:
        if name not in columns:
            raise MissingColumnError(name, columns, table="table of features")
    chosen = table.set_axis(columns, axis=1)[list(expected)]
    return chosen if isinstance(X, pd.DataFrame) else replace(X, table=chosen)


def default_names(n_features: int) -> tuple[str, ...]:
    """Names for the features of an array."""
    return tuple(f"x{k}" for k in range(n_features))


def check_lengths(n_rows: int, **columns: Table | None) -> None:
    """Raise DataError for a column that has not one entry for each row of X."""
    for name, values in columns.items():
        if values is None:
            continue
        shape = values.shape if hasattr(values, "shape") else np.asarray(values).shape
        table = name == "groups" and len(shape) == 2
        if shape[:1] != (n_rows,) or (len(shape) > 1 and not table):
            raise DataError(
                f"X has {n_rows} rows, but {name} has the shape {shape}.",
                remedy="It needs one entry for each row.",
            )


@dataclass(frozen=True)
class Labels:
    """A column of ids as codes.

    Attributes
    ----------
    name : str
        What the ids are.
    codes : array of int, shape (n,)
        Place of each row's id in `levels`.
    levels : list of str
        The different ids as text, in order of appearance.
    """

    name: str
    codes: NDArray[np.int64]
    levels: list[str]

    def sorted(self) -> Labels:
        """The column with its levels in natural order."""
        return self._ordered(natural_order(self.levels))

    def arranged(self, arrangement: Arrangement, factor: int) -> Labels:
        """The column in another order of rows, and of levels; `factor` is its number."""
        ordered = self._ordered(np.argsort(arrangement.ranks[factor]))
        return Labels(self.name, ordered.codes[arrangement.order], ordered.levels)

    def _ordered(self, order: NDArray[np.int64]) -> Labels:
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order))
        return Labels(self.name, places[self.codes], [self.levels[place] for place in order])

    def codes_in(self, index: Mapping[str, int]) -> NDArray[np.int64]:
        """Code of each row by another index of ids; UnknownPersonError where it has not all."""
        unknown = [level for level in self.levels if level not in index]
        if unknown:
            raise UnknownPersonError(unknown, factor=self.name)
        places = np.array([index[level] for level in self.levels], dtype=np.int64)
        return np.asarray(places[self.codes], dtype=np.int64)


def read_ids(values: ArrayLike, name: str) -> Labels:
    """Ids as codes; DataError where one is missing."""
    series = values if isinstance(values, pd.Series) else pd.Series(np.asarray(values))
    codes, distinct = pd.factorize(series)
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        row = int(missing[0])
        raise DataError(f"{name} has no value in row {row} (counted from 0).", row=row)
    text = [str(value) for value in distinct]
    merged, levels = pd.factorize(np.array(text, dtype=object))  # 1 and "1" are one id
    return Labels(name, merged[codes].astype(np.int64), [str(level) for level in levels])


def read_groups(groups: Table) -> list[Labels]:
    """Grouping factors of each row, persons first: one from a column, several from a table."""
    needed(groups=groups)
    if isinstance(groups, pd.DataFrame):
        return [read_ids(groups[name], str(name)) for name in groups.columns]
    if np.ndim(groups) == 2:
        columns = np.asarray(groups).T
        return [read_ids(column, f"group {k + 1}") for k, column in enumerate(columns)]
    return [read_ids(groups, "person")]


def refuse_inseparable(factors: Sequence[Labels], family: Family) -> None:
    """Raise DataError for the first grouping factor that cannot carry effects of its own.

    Nothing is said of persons alone.
    """
    outcome = "number" if family.has_residual_variance else "class"
    if isinstance(family, Poisson | LinearChain):
        outcome = "count" if isinstance(family, Poisson) else "sequence"
    if len(factors) > 1:
        codes = {factor.name: factor.codes for factor in factors}
        for finding in find_inseparable(codes, outcome):
            if finding.severity == "stop":
                raise DataError(finding.message, remedy=finding.remedy, column=finding.column)


def sequences_of(persons: NDArray[np.int64], ids: ArrayLike | None) -> NDArray[np.int64]:
    """Sequence of each row as a number; without ids a person's rows are one."""
    if ids is None:
        return persons
    labels = read_ids(ids, "sequence_ids")
    return persons * len(labels.levels) + labels.codes


def refuse_moving_sequences(
    groups: NDArray[np.int64], sequences: NDArray[np.int64], factors: Sequence[str]
) -> None:
    """Raise DataError for a sequence that changes its group of a further grouping factor."""
    for name, column in zip(factors[1:], groups.T[1:], strict=False):
        table = pd.DataFrame({"sequence": sequences, "group": column}).drop_duplicates()
        twice = table["sequence"].duplicated()
        if twice.any():
            row = int(table.index[twice][0])
            raise DataError(
                f"{name!r} changes within a sequence, in row {row} (counted from 0).",
                remedy="Give each stay a sequence of its own (sequence_ids).",
                row=row,
                column=name,
            )
