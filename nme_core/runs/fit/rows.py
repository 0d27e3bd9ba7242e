"""Rows of a study as the models take them, and the split of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nme_core.batches.scaling import TableRows
from nme_core.exceptions import DataError
from nme_core.study import Study
from nme_core.study.check.states import count_moves
from nme_core.study.columns import as_categories

#: Rows that are predicted at once.
_AT_ONCE = 500_000
#: Rows from which on memory counts more than time, and no model is fitted that nobody asked for.
MANY = 1_000_000


@dataclass(frozen=True)
class StudyRows:
    """Rows of a study, with the state before each where the model is of sequences.

    Ids are categories, and chosen rows of X are only pointed at: a large study is held once.
    """

    X: Any  # a DataFrame, or TableRows of it
    y: pd.Series
    groups: pd.Series | pd.DataFrame
    time: pd.Series | None
    sequence_ids: pd.Series
    before: pd.Series | None

    @classmethod
    def of(cls, study: Study, sequential: bool) -> StudyRows:
        """Take the rows of a study; `sequential` for a model of sequences."""
        before = study.y.groupby(study.sequence_ids).shift() if sequential else None
        groups = study.factors
        ids: pd.Series | pd.DataFrame
        if isinstance(groups, pd.DataFrame):
            ids = pd.DataFrame({name: as_categories(groups[name]) for name in groups})
        else:
            ids = as_categories(groups)
        if isinstance(ids, pd.Series) and study.sequence_blocks is study.blocks:
            sequences = ids  # a person is a sequence
        else:
            sequences = as_categories(study.sequence_ids)
        return cls(study.X, study.y, ids, study.time, sequences, before)

    def take(self, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> StudyRows:
        """Return some of all rows, counted anew."""
        rows: dict[str, Any] = {
            name: None if value is None else value[chosen].reset_index(drop=True)
            for name, value in vars(self).items()
            if name not in ("X", "sequence_ids")
        }
        alone = self.sequence_ids is self.groups
        ids = rows["groups"] if alone else self.sequence_ids[chosen].reset_index(drop=True)
        rows["sequence_ids"] = ids
        if isinstance(self.X, TableRows):
            return StudyRows(self.X.take(chosen), **rows)
        return StudyRows(TableRows(self.X, chosen), **rows)

    def refuse_many(self) -> None:
        """Raise DataError where a model that nobody asked for would take too long."""
        if len(self.y) >= MANY:
            raise DataError(
                f"With {len(self.y):,} rows it may take more time and memory than all else.",
                remedy="Fit it as a run of its own (--hidden none).",
            )

    def in_parts(self) -> Iterator[tuple[np.ndarray[Any, np.dtype[np.bool_]], StudyRows]]:
        """Yield which rows, and these rows: all of some persons, about `_AT_ONCE` rows of many."""
        codes, sizes = self._sizes()
        part = ((np.cumsum(sizes) - 1) // _AT_ONCE)[codes]
        for number in np.unique(part):
            chosen = part == number
            yield chosen, self if chosen.all() else self.take(chosen)

    def of_some_persons(self, most: int, seed: int) -> StudyRows:
        """Return all rows, or where they are more than `most` all of as many persons as fit."""
        if len(self.y) <= most:
            return self
        codes, sizes = self._sizes()
        order = np.random.default_rng(seed).permutation(len(sizes))
        fits = np.cumsum(sizes[order]) <= most
        fits[0] = True
        return self.take(np.isin(codes, order[fits]))

    def _sizes(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Person of each row as a number, and how many rows each person has."""
        codes = self.persons.cat.codes.to_numpy()
        return codes, np.bincount(codes, minlength=len(self.persons.cat.categories))

    @property
    def persons(self) -> pd.Series:
        """Person of each row."""
        return self.groups.iloc[:, 0] if isinstance(self.groups, pd.DataFrame) else self.groups

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """What `fit` is given beside X and y."""
        if self.before is None:
            return {"groups": self.groups}
        return {"groups": self.groups, "sequence_ids": self.sequence_ids}

    def times_for(self, model: object) -> dict[str, Any]:
        """When each row was taken, as `fit` takes it, where the model has a use for it."""
        if self.time is None or not getattr(model, "reads_times", False):
            return {}
        return {"times": self.time}

    @property
    def as_validation(self) -> tuple[Any, ...]:
        """These rows as `fit` takes rows to watch."""
        if self.before is None:
            return (self.X, self.y, self.groups)
        return (self.X, self.y, self.groups, self.sequence_ids, self.before)

    @property
    def predict_arguments(self) -> dict[str, Any]:
        """What `predict` is given beside X."""
        if self.before is None:
            return {"groups": self.groups}
        return {
            "groups": self.groups,
            "sequence_ids": self.sequence_ids,
            "initial_states": self.before,
        }


def refuse_no_counts(study: Study) -> None:
    """Raise DataError where an outcome that is to be counts holds something else."""
    y = study.y.to_numpy(dtype=np.float64)
    bad = np.flatnonzero((y < 0) | (y != np.round(y)) & ~np.isnan(y))
    if len(bad):
        row, name = int(bad[0]), study.roles.outcome
        more = f", the first of {len(bad)} such cells" if len(bad) > 1 else ""
        raise DataError(
            f"The outcome {name!r} holds no count: {y[row]:g} ({study.where(row)}{more}).",
            remedy="Counts are 0, 1, 2 …; correct the cell, treat it as missing, or leave --family "
            "out.",
            column=name,
            person=str(study.groups.iloc[row]),
            row=row if study.lines is None else int(study.lines.iloc[row]),
        )


def refuse_without_moves(study: Study, split: pd.Categorical) -> None:
    """Raise DataError where no training row follows another one in its sequence."""
    training = study.take(np.asarray(split == "train"))
    if not count_moves(training).to_numpy().any():
        raise DataError(
            "There are no moves between states to learn: in no sequence a row with a known "
            f"{study.roles.outcome!r} follows another one.",
            remedy="Use longer sequences (--sequence, --max-gap), or take nme-mlp.",
            column=study.roles.sequence or study.roles.outcome,
        )
