"""One order for the same rows, however they come and whatever people are called.

Sums of floating-point numbers, and the draws that each person gets, follow the order of the rows.
A fit therefore puts them into an order that only the values decide: every row has a number made of
its values (a hash of 64 bits), a person the sum of the numbers of all rows; persons are ordered by
theirs, rows within a person by their own. Where the order of rows in a sequence says something it
stays, and sequences are ordered by what they hold. Two persons whose rows are the same to the last
digit are told apart by their names alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nme_core.batches.scaling import Columns

Keys = NDArray[np.uint64]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_DIGITS = re.compile(r"(\d+)")


def natural_order(names: Sequence[str]) -> NDArray[np.int64]:
    """Positions of names in natural order: p2 before p10, and 1 before 01 by plain text."""

    def key(name: str) -> tuple[list[tuple[int, int, str]], str]:
        parts = _DIGITS.split(name)
        return [(0, int(p), "") if k % 2 else (1, 0, p) for k, p in enumerate(parts) if p], name

    return np.array(sorted(range(len(names)), key=lambda k: key(names[k])), dtype=np.int64)


@dataclass(frozen=True)
class Arrangement:
    """Where rows and groups stand in the order that only values decide.

    Attributes
    ----------
    order : array of int, shape (n,)
        Positions of the rows, first to last.
    ranks : list of array of int
        Of each grouping factor: place of every level.
    """

    order: NDArray[np.intp]
    ranks: list[NDArray[np.int64]]

    @classmethod
    def of(
        cls,
        columns: Columns,
        y: ArrayLike,
        codes: Sequence[NDArray[np.int64]],
        *,
        in_order: bool = False,
        sequences: ArrayLike | None = None,
    ) -> Arrangement:
        """Order rows by features, outcome and who they belong to.

        Parameters
        ----------
        columns : F columns of shape (n,)
            Features.
        y : array, shape (n,)
            Outcome: numbers or labels.
        codes : sequence of array of int, shape (n,)
            Group of each row by each grouping factor, persons first.
        in_order : bool
            Whether the order of the rows of a sequence says something.
        sequences : array, shape (n,), optional
            Sequence of each row; None: a person's rows are one.
        """
        keys, persons = _row_keys(columns, y), codes[0]
        within: tuple[NDArray[Any], ...] = (keys,)
        if in_order:
            units = persons
            if sequences is not None:
                names = pd.factorize(pd.Series(np.asarray(sequences)))[0].astype(np.int64)
                pairs = persons * (names.max() + 1) + names
                units = np.unique(pairs, return_inverse=True)[1].astype(np.int64)
            place = _places(units)
            keys = _mixed(keys + place.astype(np.uint64) * _MULTIPLIER)
            within = (place, _sums(keys, units)[units])
        own = _sums(keys, persons)
        ranks = [_ranks(own)]
        around = _mixed(keys + own[persons] * _MULTIPLIER)
        ranks += [_ranks(_sums(around, column)) for column in codes[1:]]
        groups = [rank[column] for rank, column in zip(ranks, codes, strict=True)]
        return cls(np.lexsort((*within, *groups[::-1])), ranks)


@dataclass(frozen=True)
class Arranged:
    """Columns in another order of the rows, each taken when it is asked for."""

    columns: Columns
    order: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, place: int, /) -> NDArray[np.floating[Any]]:
        return self.columns[place][self.order]

    def __iter__(self) -> Any:
        return (self[place] for place in range(len(self)))


def taken(values: Any, order: NDArray[np.intp]) -> Any:
    """Entries of a column, whatever its kind, in another order; None stays None."""
    if values is None:
        return None
    if isinstance(values, pd.Series | pd.DataFrame):
        return values.iloc[order].reset_index(drop=True)
    return np.asarray(values)[order]


def _row_keys(columns: Columns, y: ArrayLike) -> Keys:
    """A number for each row, made of its values."""
    keys = _hashed(y)
    for column in columns:
        keys *= _MULTIPLIER
        keys ^= _hashed(column)
    return _mixed(keys)


def _hashed(values: Any) -> Keys:
    """A number for each value: the same for −0 and 0, and for all that is missing."""
    if isinstance(values, np.ndarray) or not isinstance(values, pd.Series):
        values = np.asarray(values)
    if values.dtype.kind in "fiub" and isinstance(values.dtype, np.dtype):
        number = np.asarray(values, dtype=np.float64) + 0.0
        return _mixed(np.where(np.isnan(number), np.nan, number).view(np.uint64))
    codes, labels = pd.factorize(pd.Series(values))
    text = pd.util.hash_array(np.array([*map(str, labels), ""], dtype=object))
    return np.asarray(text[codes], dtype=np.uint64)  # −1, missing: the last


def _mixed(keys: Keys) -> Keys:
    return np.asarray(pd.util.hash_array(keys), dtype=np.uint64)


def _sums(keys: Keys, codes: NDArray[np.int64]) -> Keys:
    """Sum of the numbers of each group's rows, modulo 2⁶⁴: no order comes into it."""
    total = np.zeros(int(codes.max()) + 1, dtype=np.uint64)
    np.add.at(total, codes, keys)
    return total


def _ranks(keys: Keys) -> NDArray[np.int64]:
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[np.argsort(keys, kind="stable")] = np.arange(len(keys))
    return ranks


def _places(units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each row among the rows of its unit, from 0."""
    order = np.argsort(units, kind="stable")
    sizes = np.bincount(units)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    places = np.empty(len(units), dtype=np.int64)
    places[order] = np.arange(len(units)) - starts
    return places
