"""Rows that belong to several grouping factors: which levels meet, and sums over where they do.

A row j has O linear predictors h_j, to which the fixed effects and one level of every factor add:

    h_j = Σ_a x_j,c(a) d_a β_a + Σ_g Σ_r x_j,c(r) d_r b_g,l(j),r

with c the column of x and d the direction among the O outputs of an effect. The fixed effects are
treated as one more factor with a single level, the last, so that everything is a sum over pairs of
factors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
#: Numbers of rows' products that are in memory at once.
AT_ONCE = 2**22


@dataclass(frozen=True)
class Terms:
    """Effects of columns of x on the outputs.

    Attributes
    ----------
    columns : array of int, shape (R,)
        Column of x of each effect.
    directions : array, shape (R, O)
        What one unit of the effect, where the column is 1, adds to each output.
    """

    columns: Codes
    directions: Numbers

    @classmethod
    def of(cls, columns: Sequence[int]) -> Terms:
        """Effects on a single output."""
        return cls(np.asarray(columns, dtype=np.int64), np.ones((len(columns), 1)))


@dataclass(frozen=True)
class Factor:
    """Levels of the rows, and what the effects of a level are multiplied by.

    Attributes
    ----------
    levels : array of int, shape (N,)
        0 to P − 1.
    n_levels : int
        P.
    z : array, shape (N, R)
        Values of the columns.
    directions : array, shape (R, O)
        See `Terms`.
    """

    levels: Codes
    n_levels: int
    z: Numbers
    directions: Numbers

    @property
    def width(self) -> int:
        """Effects of each level, R."""
        return int(self.z.shape[1])

    def outputs(self, effects: Numbers) -> Numbers:
        """What effects, shape (P, R), add to the outputs of the rows; (N, O)."""
        own: Numbers = (self.z * effects[self.levels]) @ self.directions
        return own

    def gather(self, rows: Numbers) -> Numbers:
        """Sum over the rows of each level of Zᵀ rows; (N, O) → (P, R)."""
        own = self.z * (rows @ self.directions.T)
        return np.stack([np.bincount(self.levels, column, self.n_levels) for column in own.T], 1)


@dataclass(frozen=True)
class Meeting:
    """Pairs of levels of two factors that share a row, sorted.

    Attributes
    ----------
    first, second : arrays of int, shape (n,)
        The levels.
    of_row : array of int, shape (N,)
        The pair of each row.
    n_second : int
        Levels of the second factor.
    """

    first: Codes
    second: Codes
    of_row: Codes
    n_second: int

    @classmethod
    def of(cls, one: Factor, other: Factor) -> Meeting:
        """Find the pairs."""
        key = one.levels * other.n_levels + other.levels
        pairs, of_row = np.unique(key, return_inverse=True)
        first, second = np.divmod(pairs, other.n_levels)
        return cls(first, second, of_row.reshape(-1), other.n_levels)

    def __len__(self) -> int:
        return len(self.first)

    def find(self, first: Codes, second: Codes) -> Codes:
        """Places of pairs that are among them."""
        keys = self.first * self.n_second + self.second
        return np.searchsorted(keys, first * self.n_second + second)

    @cached_property
    def rows(self) -> tuple[Codes, Codes]:
        """Rows sorted by pair, and where each pair starts among them (n + 1)."""
        order = np.argsort(self.of_row, kind="stable")
        counts = np.bincount(self.of_row, minlength=len(self))
        return order, np.concatenate([[0], np.cumsum(counts)])

    def parts(self, size: int) -> Iterator[tuple[slice, Codes, Codes]]:
        """Pairs, some at a time, with their rows and where each pair starts among those.

        At most about `size` rows at once; a pair with more stands alone.
        """
        order, starts = self.rows
        low = 0
        while low < len(self):
            reach = np.searchsorted(starts, starts[low] + size, side="right") - 1
            high = max(low + 1, int(reach))
            yield slice(low, high), order[starts[low] : starts[high]], starts[low : high + 1]
            low = high


def sums(places: Codes, values: Numbers, n: int) -> Numbers:
    """Add values, shape (m, ...), that have the same place; (n, ...)."""
    shape = (n, *values.shape[1:])
    adder = sparse.csr_matrix(
        (np.ones(len(places)), (places, np.arange(len(places)))), (n, len(places))
    )
    return np.asarray(adder @ values.reshape(len(places), -1)).reshape(shape)


def eliminated(levels: Sequence[Codes], widths: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the factors that are eliminated block by block, in order, and the others.

    The first has the most effects; each further one is one in which the one before it is nested.
    """
    sizes = [int(one.max()) + 1 for one in levels]
    left = sorted(range(len(levels)), key=lambda g: -sizes[g] * widths[g])
    chain = [left.pop(0)]
    for g in list(left):
        pairs = np.unique(levels[chain[-1]] * sizes[g] + levels[g])
        if len(pairs) == sizes[chain[-1]]:
            chain.append(g)
            left.remove(g)
    return chain, left


@dataclass(frozen=True)
class Grouping:
    """All factors of the rows in the order in which they are eliminated, the fixed effects last.

    The levels of a `chain` factor lie in one level each of the chain factors behind it, so that
    none of them meets another level of its own factor once those before it are eliminated.

    Attributes
    ----------
    factors : tuple of Factor
        In order.
    n_chain : int
        How many of them stand in the chain, at least 1.
    order : tuple of int
        Which factor, as the caller counts, stands where (the fixed effects are not counted).
    """

    factors: tuple[Factor, ...]
    n_chain: int
    order: tuple[int, ...]
    _meetings: dict[tuple[int, int], Meeting] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, factors: Sequence[Factor], fixed: Factor) -> Grouping:
        """Put the factor with the most effects first, then those in which it is nested."""
        chain, left = eliminated([one.levels for one in factors], [one.width for one in factors])
        order = (*chain, *left)
        return cls((*(factors[g] for g in order), fixed), len(chain), order)

    @property
    def last(self) -> int:
        """Place of the fixed effects."""
        return len(self.factors) - 1

    @property
    def n_rows(self) -> int:
        """N."""
        return len(self.factors[0].levels)

    @property
    def dense(self) -> range:
        """Places of the factors that are not in the chain, the fixed effects among them."""
        return range(self.n_chain, len(self.factors))

    @property
    def offsets(self) -> dict[int, int]:
        """Where the effects of each dense factor start among all of them."""
        result, start = {}, 0
        for g in self.dense:
            result[g] = start
            start += self.factors[g].n_levels * self.factors[g].width
        return result

    @property
    def n_dense(self) -> int:
        """Effects outside of the chain."""
        return sum(self.factors[g].n_levels * self.factors[g].width for g in self.dense)

    def pairs(self) -> list[tuple[int, int]]:
        """All pairs of places (g, h), g ≤ h."""
        n = len(self.factors)
        return [(g, h) for g in range(n) for h in range(g, n)]

    def meeting(self, g: int, h: int) -> Meeting:
        """Pairs of levels of two factors, g ≤ h, that share a row."""
        if (g, h) not in self._meetings:
            self._meetings[g, h] = Meeting.of(self.factors[g], self.factors[h])
        return self._meetings[g, h]

    def places(self, g: int, h: int) -> tuple[Codes, Codes]:
        """Rows and columns of blocks of two dense factors in the dense matrix."""
        one, other, meeting = self.factors[g], self.factors[h], self.meeting(g, h)
        offsets = self.offsets
        row = offsets[g] + meeting.first[:, None] * one.width + np.arange(one.width)
        column = offsets[h] + meeting.second[:, None] * other.width + np.arange(other.width)
        return row[:, :, None], column[:, None, :]

    def lifted(self, k: int, m: int, h: int) -> Codes:
        """Pairs (m, h) in which the pairs (k, h) lie, for k nested in m."""
        pairs = self.meeting(k, h)
        home = self.meeting(k, m).second[pairs.first]
        if m == h:
            return home
        return self.meeting(m, h).find(home, pairs.second)

    def products(self, weights: Numbers | None) -> dict[tuple[int, int], Numbers]:
        """Zᵀ W Z of every pair of levels that share a row.

        Parameters
        ----------
        weights : array, shape (N, O, O), optional
            W of each row; None: 1, for a single output.

        Returns
        -------
        dict of (g, h) to array, shape (n_pairs, R_g, R_h)
        """
        return {pair: self._products(*pair, weights) for pair in self.pairs()}

    def _products(self, g: int, h: int, weights: Numbers | None) -> Numbers:
        one, other, meeting = self.factors[g], self.factors[h], self.meeting(g, h)
        result = np.zeros((len(meeting), one.width, other.width))
        n_outputs = one.directions.shape[1]
        size = max(1, AT_ONCE // max(1, (one.width + n_outputs) * other.width))
        for pairs, rows, starts in meeting.parts(size):
            if len(starts) == 2:  # one pair, with any number of rows
                for low in range(0, len(rows), size):
                    some = rows[low : low + size]
                    left = _weighted(one, some, weights)  # (n, R_g, O)
                    right = other.z[some, :, None] * other.directions
                    result[pairs] += np.einsum("jro,jso->rs", left, right, optimize=True)
                continue
            left = _weighted(one, rows, weights) @ other.directions.T  # (n, R_g, R_h)
            values = (left * other.z[rows, None, :]).reshape(len(rows), -1)
            indices = np.arange(len(rows))
            adder = sparse.csr_matrix((np.ones(len(rows)), indices, starts - starts[0]))
            result[pairs] = (adder @ values).reshape(-1, one.width, other.width)
        return result

    def between(self, blocks: dict[tuple[int, int], Numbers], *, fixed: bool) -> Numbers:
        """z_j B z_jᵀ of each row j, with B given by blocks of pairs of levels; shape (N, O, O)."""
        n_outputs = self.factors[0].directions.shape[1]
        result = np.zeros((self.n_rows, n_outputs, n_outputs))
        for g, h in self.pairs():
            if h == self.last and not fixed:
                continue
            one, other, of_row = self.factors[g], self.factors[h], self.meeting(g, h).of_row
            size = max(1, AT_ONCE // max(1, one.width * other.width))
            for low in range(0, self.n_rows, size):
                rows = slice(low, low + size)
                block = one.z[rows, :, None] * blocks[g, h][of_row[rows]] * other.z[rows, None, :]
                own = one.directions.T @ block @ other.directions
                result[rows] += own if g == h else own + own.transpose(0, 2, 1)
        return result


def _weighted(factor: Factor, rows: Codes, weights: Numbers | None) -> Numbers:
    """Zᵀ W of some rows, shape (n, R, O)."""
    if weights is None:
        return factor.z[rows, :, None] * factor.directions
    return factor.z[rows, :, None] * (factor.directions @ weights[rows])
