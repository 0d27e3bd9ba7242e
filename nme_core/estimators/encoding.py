"""Rows in, batches out: how a model reads new rows in the way that it learned to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from nme_core.batches.scaling import Columns, FeatureScaler, TableRows
from nme_core.batches.sequences import Batch, chunks
from nme_core.estimators.arrangement import Arranged, Arrangement, taken
from nme_core.estimators.families import Outcome
from nme_core.estimators.inputs import (
    Labels,
    Rows,
    Table,
    check_lengths,
    default_names,
    needed,
    read_features,
    read_groups,
    refuse_moving_sequences,
    select_columns,
    sequences_of,
)
from nme_core.exceptions import DataError, MissingColumnError, OptionError

LEVELS = ("person", "population", "average")
#: What a sequence model takes after X, y and groups.
_SEQUENCES = ("sequence_ids", "initial_states")


@dataclass(frozen=True)
class RowEncoder:
    """What a model learned of its rows before training, and how it reads others.

    Attributes
    ----------
    scaler : FeatureScaler
        The features.
    factors : dict of str to array of str
        Groups of each grouping factor, persons first.
    outcome : Outcome
        What was learned of the outcome.
    alone : bool
        Whether further grouping factors of new rows do not count.
    """

    scaler: FeatureScaler
    factors: dict[str, NDArray[np.str_]]
    outcome: Outcome
    alone: bool = False

    @cached_property
    def index(self) -> list[dict[str, int]]:
        """Place of each group among those of all factors, by factor."""
        counter = itertools.count()
        return [
            {level: next(counter) for level in levels.tolist()} for levels in self.factors.values()
        ]

    def with_factors(self, factors: Mapping[str, Any]) -> Self:
        """The same for these groups of each factor."""
        return replace(self, factors={name: np.array(one) for name, one in factors.items()})

    def select(self, X: Table | TableRows) -> Columns:
        """Features of new rows, in the order of the fit; a DataFrame is read by column names."""
        expected = self.scaler.names
        chosen: Any = X
        if isinstance(X, pd.DataFrame | TableRows):
            try:
                chosen = select_columns(X, expected)
            except MissingColumnError:
                if expected != default_names(len(expected)):
                    raise
        features, names = read_features(chosen)
        if len(names) != len(expected):
            raise DataError(
                f"The model was fitted on {len(expected)} features; these rows have {len(names)}.",
                remedy=f"It needs {', '.join(expected)}.",
            )
        return features

    def read_groups(self, groups: Table) -> list[Labels]:
        """Grouping factors of new rows, in the order of the fit."""
        factors, expected = read_groups(self._in_order(groups)), list(self.factors)
        if self.alone:
            factors = factors[:1]
        if len(factors) != len(expected):
            raise DataError(
                f"The model was fitted with {len(expected)} grouping factors; these rows have"
                f" {len(factors)}.",
                remedy=f"It needs {', '.join(expected)}.",
            )
        return factors

    def _in_order(self, groups: Table) -> Table:
        if isinstance(groups, pd.DataFrame):
            columns = [str(name) for name in groups.columns]
            if all(name in columns for name in self.factors):
                return groups.set_axis(columns, axis=1)[list(self.factors)]
        return groups

    def rows(
        self,
        table: Columns,
        factors: list[Labels] | None,
        owners: NDArray[np.int64] | None = None,
        *,
        times: ArrayLike | None = None,
        sequence_ids: ArrayLike | None = None,
        initial_states: ArrayLike | None = None,
    ) -> Rows:
        """Encode rows; without factors (the population) every row belongs to person 0.

        A sequence belongs to one of the `owners`, then too; None: the persons.
        """
        if factors is None:
            codes = np.zeros((len(table[0]), 1), dtype=np.int64)
        else:
            pairs = zip(factors, self.index, strict=True)
            codes = np.column_stack([factor.codes_in(index) for factor, index in pairs])
        inputs = self.scaler.inputs(table)
        if not self.outcome.in_sequences:
            when = None if times is None else np.asarray(times, dtype=np.float64)
            return Rows(inputs, codes, times=when)
        sequences = sequences_of(codes[:, 0] if owners is None else owners, sequence_ids)
        refuse_moving_sequences(codes, sequences, list(self.factors))
        initial = None if initial_states is None else self.outcome.encode(initial_states)
        return Rows(inputs, codes, sequences, initial)

    def read(
        self, X: Table, groups: Table | None, level: str, **context: ArrayLike | None
    ) -> tuple[Columns, list[Labels] | None]:
        """Return features of new rows, and, of people, their grouping factors; all checked."""
        if level not in LEVELS:
            raise OptionError(
                f"level={level!r} does not exist.", remedy=f"Choose from {', '.join(LEVELS)}."
            )
        if level == "person" and groups is None:
            raise OptionError(
                "A prediction for people needs to know whose each row is.",
                remedy='Give groups=..., or ask for the population with level="population".',
            )
        table = self.select(X)
        check_lengths(len(table[0]), groups=groups, **context)
        factors = None
        if groups is not None and level == "person":
            factors = self.read_groups(groups)
        return table, factors

    def batches(
        self, X: Table, groups: Table | None, level: str, **context: ArrayLike | None
    ) -> list[Batch]:
        """Return new rows in padded units, few enough of them to be computed at once."""
        table, factors = self.read(X, groups, level, **context)
        owners = None if groups is None else read_groups(self._in_order(groups))[0].codes
        rows = self.rows(table, factors, owners, **context)
        none = self.outcome.none(len(rows.groups))
        return list(chunks(rows.batches(none, torch.device("cpu"))))

    def watched(self, validation: tuple[Any, ...], device: torch.device) -> list[Batch]:
        """Return rows to watch, and their outcome, in the order that only their values decide."""
        if len(validation) < 3:
            raise OptionError(
                f"validation has {len(validation)} parts.", remedy="It needs (X, y, groups)."
            )
        table, y = self.select(validation[0]), validation[1]
        needed(y=y)
        names = _SEQUENCES if self.outcome.in_sequences else ()
        extra = dict(zip(names, validation[3:], strict=False))
        check_lengths(len(table[0]), y=y, groups=validation[2], **extra)
        factors = self.read_groups(validation[2])
        table, y, factors, extra = arranged(
            table, y, factors, extra, in_order=self.outcome.in_sequences
        )
        return self.rows(table, factors, **extra).batches(self.outcome.encode(y), device)


def arranged(
    table: Columns, y: Any, factors: list[Labels], context: dict[str, Any], *, in_order: bool
) -> tuple[Columns, Any, list[Labels], dict[str, Any]]:
    """Put rows into the order that only their values decide.

    `in_order`: whether the order of a person's rows, within a sequence, says something.
    """
    codes = [factor.codes for factor in factors]
    found = Arrangement.of(
        table, y, codes, in_order=in_order, sequences=context.get("sequence_ids")
    )
    return (
        Arranged(table, found.order),
        taken(y, found.order),
        [factor.arranged(found, k) for k, factor in enumerate(factors)],
        {name: taken(values, found.order) for name, values in context.items()},
    )
