"""Simple rules: what a person's earlier outcomes alone say of the later ones.

They need no features and no training, and every model is judged beside them. Numbers, with m, l and
e a person's mean, last value and exponentially weighted mean up to the last row that is known, and
d the distance from there in usual steps:

    mean  m      last  l      ewma  e      ar1  m + φ^d (l − m)

φ being the person's own lag-1 autocorrelation on training rows, pulled towards everybody's by the
weight of ten rows; the weight of e the one that predicts training rows best. Classes and states
follow a chain with a table of moves P_i of the person, from the last label that is known:

    frequent  P_i[j, k] = q_ik,  the person's shares, pulled towards everybody's by one row a class
    last      P_i[j, k] = λ 1{j = k} + (1 − λ) q_k,  λ from how often training rows stay
    markov    the person's moves, each row of them pulled towards everybody's by one move a class

Where a sequence begins nothing is known of the state before, and q_i stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

#: Names, by kind of outcome.
NUMBER_RULES, CLASS_RULES = ("mean", "last", "ewma", "ar1"), ("frequent", "last", "markov")
#: Weights of the newest value that `ewma` chooses among.
_WEIGHTS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
#: Rows' worth of everybody's autocorrelation in each person's; the largest one.
_ROWS, _LARGEST = 10.0, 0.99
#: Neighbouring rows count as one step apart up to so many usual steps.
_ONE_STEP = 1.5
#: Counts of every class and move that everybody's shares begin with.
_HALF = 0.5


def rules_for(kind: str) -> tuple[str, ...]:
    """Names of the rules for this kind of outcome."""
    return NUMBER_RULES if kind == "number" else CLASS_RULES


@dataclass(frozen=True, eq=False)
class Histories:
    """Outcomes of people, each person's rows together and in order.

    Attributes
    ----------
    y : array, shape (n,)
        Numbers, NaN where missing; or places among the classes, −1 where missing.
    person, sequence : array of int, shape (n,)
        Of each row.
    at : array, shape (n,)
        When, in usual steps; the place among the person's rows where times are not known.
    n_classes : int
        K; 0 of numbers.
    """

    y: NDArray[Any]
    person: Numbers
    sequence: Numbers
    at: Floats
    n_classes: int = 0

    @classmethod
    def of(
        cls,
        y: pd.Series,
        person: pd.Series,
        sequence: pd.Series,
        time: pd.Series | None,
        classes: list[str] | None,
    ) -> Histories:
        """Read them off the columns of a study, whose rows are in that order."""
        codes = pd.factorize(person)[0].astype(np.intp)
        place: Floats = _places(codes).astype(np.float64)
        known = place
        if time is not None and (pd.api.types.is_numeric_dtype(time) or _is_date(time)):
            when: pd.Series = time.astype("int64") if _is_date(time) else time
            at = _in_steps(when.to_numpy().astype(np.float64), codes)
            known = at if np.isfinite(at).all() else place
        labels = pd.factorize(sequence)[0].astype(np.intp)
        if classes is None:
            return cls(y.to_numpy(np.float64), codes, labels, known)
        found = pd.Categorical(y.astype("object"), categories=classes).codes.astype(np.intp)
        return cls(found, codes, labels, known, len(classes))

    @cached_property
    def n_people(self) -> int:
        """P."""
        return int(self.person.max()) + 1 if len(self.person) else 0

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Rows whose outcome is known."""
        return self.y >= 0 if self.n_classes else np.isfinite(self.y)

    def last_before(self, chosen: NDArray[np.bool_]) -> Numbers:
        """Row before each person's first chosen row, for every row; −1 where there is none."""
        first = np.full(self.n_people, len(self.y), dtype=np.intp)
        rows = np.flatnonzero(chosen)
        np.minimum.at(first, self.person[rows], rows)
        before = first[self.person] - 1
        own = (before >= 0) & (first[self.person] < len(self.y))
        own[own] = self.person[before[own]] == self.person[own]
        return np.where(own, before, -1)

    @cached_property
    def last_seen(self) -> Numbers:
        """Row of the person's last known outcome up to each row; −1 where there is none."""
        rows = pd.Series(np.where(self.seen, np.arange(len(self.y), dtype=np.float64), np.nan))
        found = rows.groupby(self.person).ffill().fillna(-1)
        return found.to_numpy().astype(np.intp)

    def seen_at(self, origin: Numbers) -> Numbers:
        """The same up to these rows, −1 for −1."""
        return np.where(origin >= 0, self.last_seen[origin], -1)

    def back(self, steps: int) -> Numbers:
        """The person's row so many rows before, for every row; −1 where there is none."""
        before = np.arange(len(self.y)) - steps
        own = before >= 0
        own[own] = self.person[before[own]] == self.person[own]
        return np.where(own, before, -1)


def _places(person: Numbers) -> Numbers:
    """Place of each row among its person's."""
    return np.asarray(pd.Series(person).groupby(person).cumcount(), dtype=np.intp)


def _is_date(values: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(values)


def _in_steps(at: Floats, person: Numbers) -> Floats:
    same = person[1:] == person[:-1]
    gaps = np.diff(at)[same]
    usual = np.median(gaps[gaps > 0]) if (gaps > 0).any() else 1.0
    return np.asarray(at / usual, dtype=np.float64)


class NumberRules:
    """The rules for numbers, learned on some rows.

    Parameters
    ----------
    histories : Histories
        Of numbers.
    learned : array of bool, shape (n,)
        Rows that φ and the weight of `ewma` may be learned from.
    """

    def __init__(self, histories: Histories, learned: NDArray[np.bool_]) -> None:
        self.histories = histories
        y, person = pd.Series(histories.y), histories.person
        known = learned & histories.seen
        self._everybody = float(y[known].mean()) if known.any() else 0.0
        count = y.notna().groupby(person).cumsum()
        self._mean = (y.fillna(0.0).groupby(person).cumsum() / count.where(count > 0)).to_numpy()
        self._ewma = self._weighted(y, learned)
        self._correlation = self._autocorrelation(known)

    def _weighted(self, y: pd.Series, learned: NDArray[np.bool_]) -> Floats:
        person, back = self.histories.person, self.histories.back(1)
        best, found = np.inf, self._mean
        for weight in _WEIGHTS:
            smooth = y.groupby(person).ewm(alpha=weight, ignore_na=True).mean()
            values = smooth.droplevel(0).sort_index().to_numpy()
            expected = np.where(back >= 0, values[back], np.nan)
            error = np.square(self.histories.y - expected)[learned]
            error = error[np.isfinite(error)]
            if len(error) and error.mean() < best:
                best, found = float(error.mean()), values
        return found

    def _autocorrelation(self, known: NDArray[np.bool_]) -> Floats:
        """φ of every person, shape (P,)."""
        h = self.histories
        own = pd.Series(np.where(known, h.y, np.nan)).groupby(h.person)
        off = h.y - own.transform("mean").to_numpy()
        back = h.back(1)
        pair = known & (back >= 0) & known[back] & (h.at - h.at[back] <= _ONE_STEP)
        now, before = off[pair], off[back[pair]]
        across = np.bincount(h.person[pair], now * before, h.n_people)
        square = np.bincount(h.person[pair], before * before, h.n_people)
        total = square.sum()
        if not total > 0:
            return np.zeros(h.n_people)
        everybody, row = across.sum() / total, total / pair.sum()
        found = (across + _ROWS * row * everybody) / (square + _ROWS * row)
        return np.asarray(np.clip(found, -_LARGEST, _LARGEST), dtype=np.float64)

    def predict(self, rule: str, rows: Numbers, origin: Numbers) -> Floats:
        """Expectations of rows by what is known up to a row of the same person, (m,)."""
        origin = self.histories.seen_at(origin)
        mean, last = self._mean[origin], self.histories.y[origin]
        if rule == "ar1":
            distance = self.histories.at[rows] - self.histories.at[origin]
            phi = self._correlation[self.histories.person[rows]]
            sign = np.where((phi < 0) & (np.rint(distance) % 2 == 1), -1.0, 1.0)
            found = mean + sign * np.abs(phi) ** np.maximum(distance, 0) * (last - mean)
        else:
            found = {"mean": mean, "last": last, "ewma": self._ewma[origin]}[rule]
        found = np.where((origin < 0) | ~np.isfinite(found), self._everybody, found)
        return np.asarray(found, dtype=np.float64)


class ClassRules:
    """The rules for classes and states, learned on some rows.

    Parameters
    ----------
    histories : Histories
        Of classes.
    learned : array of bool, shape (n,)
        Rows that shares and moves are counted on.
    """

    def __init__(self, histories: Histories, learned: NDArray[np.bool_]) -> None:
        h = self.histories = histories
        k, n = h.n_classes, h.n_people
        known = learned & h.seen
        own = np.zeros((n, k))
        np.add.at(own, (h.person[known], h.y[known]), 1.0)
        everybody = own.sum(0) + _HALF
        everybody /= everybody.sum()
        self.shares = (own + k * everybody) / (own.sum(1, keepdims=True) + k)
        back = h.back(1)
        pair = known & (back >= 0) & known[back] & (h.sequence == h.sequence[back])
        moves = np.zeros((n, k, k))
        np.add.at(moves, (h.person[pair], h.y[back[pair]], h.y[pair]), 1.0)
        total = moves.sum(0) + _HALF
        usual = total / total.sum(1, keepdims=True)
        stay = np.trace(total) / total.sum()
        chance = float(everybody @ everybody)
        keep = float(np.clip((stay - chance) / max(1 - chance, 1e-9), 0.0, _LARGEST))
        shared = keep * np.eye(k) + (1 - keep) * everybody
        self.tables = {
            "frequent": np.repeat(self.shares[:, None], k, axis=1),
            "last": np.broadcast_to(shared, (n, k, k)),
            "markov": (moves + k * usual) / (moves.sum(2, keepdims=True) + k),
        }

    def chances(self, rule: str, rows: Numbers, origin: Numbers) -> Floats:
        """Probabilities of each class in rows, from what is known up to a row before, (m, K)."""
        h, table = self.histories, self.tables[rule]
        found, origin = self.shares[h.person[rows]], h.seen_at(origin)
        known = (origin >= 0) & (h.sequence[rows] == h.sequence[origin])
        now = np.zeros_like(found)
        now[known, h.y[origin[known]]] = 1.0
        left = np.where(known, rows - origin, 0)
        while (left > 0).any():
            some = left > 0
            now[some] = np.einsum("mj,mjk->mk", now[some], table[h.person[rows[some]]])
            left -= 1
        return np.asarray(np.where(known[:, None], now, found), dtype=np.float64)

    def predict(self, rule: str, rows: Numbers, origin: Numbers, chances: Floats) -> Numbers:
        """Predicted class of each row, a place among the classes, (m,)."""
        found, origin = chances.argmax(1), self.histories.seen_at(origin)
        if rule == "last":
            found = np.where(origin >= 0, self.histories.y[origin], found)
        return np.asarray(found, dtype=np.intp)

    def path_losses(self, rule: str, chosen: NDArray[np.bool_]) -> Floats:
        """Share of each chosen row in −log p of its segment, given the label before it, (n,).

        The label of a row that is known is what the next one starts from; one that is missing is
        summed out.
        """
        h, table = self.histories, self.tables[rule]
        loss = np.full(len(h.y), np.nan)
        place = _places(h.person)
        order = np.argsort(place, kind="stable")
        ends = np.flatnonzero(np.diff(place[order], append=-1)).tolist()
        now, sequence = self.shares.copy(), np.full(h.n_people, -1, dtype=np.intp)
        begin = 0
        for end in ends:
            rows = order[begin : end + 1]
            begin = end + 1
            person = h.person[rows]
            expected = np.einsum("mj,mjk->mk", now[person], table[person])
            fresh = h.sequence[rows] != sequence[person]
            expected[fresh] = self.shares[person[fresh]]
            seen = h.seen[rows]
            told = rows[seen]
            loss[told] = -np.log(expected[seen, h.y[told]])
            expected[seen] = np.eye(h.n_classes)[h.y[told]]
            now[person], sequence[person] = expected, h.sequence[rows]
        return np.where(chosen, loss, np.nan)
