"""Rows that stand together – a person's, a sequence's – and what is cheap to know of each block."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Where each person's (or sequence's) rows begin, in a table where they stand together.

    Attributes
    ----------
    names : Index
        What each block is called, in the order of the rows.
    starts : ndarray of int, shape (n_blocks,)
        First row of each block.
    n_rows : int
        Rows of all blocks.
    """

    names: pd.Index
    starts: npt.NDArray[np.intp]
    n_rows: int

    @classmethod
    def of(cls, labels: pd.Series) -> Blocks:
        """Blocks of equal labels."""
        codes, names = pd.factorize(labels)
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        return cls(pd.Index(names.astype("str")), starts, len(codes))

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def sizes(self) -> npt.NDArray[np.intp]:
        """Rows of each block."""
        return np.diff(self.starts, append=self.n_rows)

    @property
    def codes(self) -> npt.NDArray[np.intp]:
        """Block of each row, shape (n_rows,); made when it is asked for."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def count(self, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """Rows of each block where `mask` holds."""
        return np.add.reduceat(mask, self.starts, dtype=np.intp)

    def low(self, values: Floats) -> Floats:
        """Smallest value of each block; NaN where all are missing."""
        return np.fmin.reduceat(values, self.starts)

    def high(self, values: Floats) -> Floats:
        """Largest value of each block; NaN where all are missing."""
        return np.fmax.reduceat(values, self.starts)

    def positions(self) -> npt.NDArray[np.intp]:
        """Place of each row in its block, from 0."""
        return np.arange(self.n_rows) - np.repeat(self.starts, self.sizes)

    def steps(self) -> npt.NDArray[np.intp]:
        """Rows that follow another one of their block."""
        follows = np.ones(self.n_rows, dtype=bool)
        follows[self.starts] = False
        return np.flatnonzero(follows)


@dataclass(frozen=True, eq=False)
class Column:
    """A column of numbers after one pass over its rows.

    Attributes
    ----------
    values : ndarray, shape (n_rows,)
        The column; NaN = missing.
    n_missing : int
        Missing values.
    low, high : float
        Smallest and largest value; NaN where all are missing.
    varies : ndarray of bool, shape (n_blocks,)
        Whether a person has two different values.
    """

    values: Floats
    n_missing: int
    low: float
    high: float
    varies: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, values: Floats, persons: Blocks, n_missing: int) -> Column:
        """Look at a column once."""
        low, high = persons.low(values), persons.high(values)
        return cls(values, n_missing, extent(low)[0], extent(high)[1], high > low)

    @property
    def constant(self) -> bool:
        """Whether there are no two different values."""
        return not self.high > self.low


def extent(values: Floats) -> tuple[float, float]:
    """Smallest and largest value; NaN where all are missing."""
    return (
        float(np.fmin.reduce(values, initial=np.nan)),
        float(np.fmax.reduce(values, initial=np.nan)),
    )


@lru_cache(maxsize=4)
def draw(n_rows: int, most: int) -> npt.NDArray[np.intp]:
    """Rows to look at: all, or where they are too many, so many of them; always the same ones."""
    if n_rows <= most:
        rows = np.arange(n_rows)
    else:
        rows = np.sort(np.random.default_rng(0).choice(n_rows, most, replace=False, shuffle=False))
    rows.flags.writeable = False  # it is remembered
    return rows


def draw_present(values: Floats, most: int) -> npt.NDArray[np.float64]:
    """Values of a column that are not missing, of so many rows where there are more."""
    drawn = values[draw(len(values), most)]
    drawn = drawn[~np.isnan(drawn)]
    if len(values) > most and len(drawn) < most / 2:
        present = values[~np.isnan(values)]
        drawn = present[draw(len(present), most)]
    return drawn.astype(np.float64)


def drawn_words(n_rows: int, most: int) -> str:
    """Words for a judgement that rests on some rows only; nothing where it rests on all."""
    return "" if n_rows <= most else f" (judged by {most:,} rows drawn at random)"
