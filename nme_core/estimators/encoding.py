"""Rows in, rows out: how a model reads new rows in the way that it learned to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from nme_core.batches.scaling import Columns, FeatureScaler, TableRows
from nme_core.batches.sequences import Batch, chunks
from nme_core.estimators.arrangement import Arranged, Arrangement, taken
from nme_core.estimators.hooks import Hooks
from nme_core.estimators.inputs import (
    Labels,
    Rows,
    check_lengths,
    default_names,
    read_features,
    read_groups,
    select_columns,
)
from nme_core.exceptions import DataError, MissingColumnError, NotFittedError, OptionError

LEVELS = ("person", "population", "average")


class RowEncoder(Hooks):
    """Knows the features and the groups that a model was fitted on."""

    pooling: str
    factors_: dict[str, NDArray[np.str_]]
    feature_names_in_: NDArray[np.str_]
    n_features_in_: int
    _scaler: FeatureScaler
    _index: list[dict[str, int]]

    def _check_fitted(self) -> None:
        if "factors_" not in vars(self):
            raise NotFittedError(self)

    def _set_factors(self, factors: dict[str, list[str]]) -> None:
        """Take note of the groups, counted through over all factors."""
        self.factors_ = {name: np.array(levels) for name, levels in factors.items()}
        counter = itertools.count()
        self._index = [
            {level: next(counter) for level in levels} for levels in factors.values()
        ]  # fmt: skip

    @property
    def groups_(self) -> NDArray[np.str_]:
        """Persons: the groups of the first factor."""
        if "factors_" not in vars(self):
            raise NotFittedError(self)
        persons: NDArray[np.str_] = next(iter(self.factors_.values()))
        return persons

    def _levels(self, factor: int) -> pd.Index[str]:
        name, levels = list(self.factors_.items())[factor]
        index: pd.Index[str] = pd.Index(levels, name=name if factor else "person", dtype="str")
        return index

    def _rows(
        self, table: Columns, factors: list[Labels] | None, **context: ArrayLike | None
    ) -> Rows:
        """Encode rows; without factors (the population) every row belongs to person 0."""
        if factors is None:
            codes = np.zeros((len(table[0]), 1), dtype=np.int64)
        else:
            pairs = zip(factors, self._index, strict=True)
            codes = np.column_stack([factor.codes_in(index) for factor, index in pairs])
        times = context.get("times")
        when = None if times is None else np.asarray(times, dtype=np.float64)
        return Rows(self._scaler.inputs(table), codes, times=when)

    def _read_groups(self, groups: ArrayLike | pd.DataFrame) -> list[Labels]:
        """Grouping factors of new rows, in the order of the fit."""
        expected = list(self.factors_)
        if isinstance(groups, pd.DataFrame):
            columns = [str(name) for name in groups.columns]
            if all(name in columns for name in expected):
                groups = groups.set_axis(columns, axis=1)[expected]
        factors = read_groups(groups)
        if self.pooling == "none":
            factors = factors[:1]
        if len(factors) != len(expected):
            raise DataError(
                f"The model was fitted with {len(expected)} grouping factors; these rows have"
                f" {len(factors)}.",
                remedy=f"It needs {', '.join(expected)}.",
            )
        return factors

    def _validation(self, validation: tuple[Any, ...]) -> tuple[Rows, ArrayLike]:
        """Rows to watch and their outcome, in the order that only their values decide."""
        if len(validation) < 3:
            raise OptionError(
                f"validation has {len(validation)} parts.", remedy="It needs (X, y, groups)."
            )
        table = self._select(validation[0])
        extra = dict(zip(self._context, validation[3:], strict=False))
        check_lengths(len(table[0]), y=validation[1], groups=validation[2], **extra)
        factors, y = self._read_groups(validation[2]), validation[1]
        arranged = self._arrange(table, y, factors, extra)
        order = arranged.order
        extra = {name: taken(values, order) for name, values in extra.items()}
        factors = [factor.arranged(arranged, k) for k, factor in enumerate(factors)]
        return self._rows(Arranged(table, order), factors, **extra), taken(y, order)

    def _arrange(
        self,
        table: Columns,
        y: ArrayLike,
        factors: list[Labels],
        context: Mapping[str, ArrayLike | None],
    ) -> Arrangement:
        """Return the order of rows that only their values decide."""
        return Arrangement.of(
            table,
            y,
            [factor.codes for factor in factors],
            in_order=self._keeps_order,
            sequences=context.get("sequence_ids"),
        )

    def _check_names(self, names: tuple[str, ...]) -> None:
        expected = tuple(self.feature_names_in_)
        if len(names) != len(expected):
            raise DataError(
                f"The model was fitted on {len(expected)} features; these rows have {len(names)}.",
                remedy=f"It needs {', '.join(expected)}.",
            )

    def _select(self, X: ArrayLike | pd.DataFrame) -> Columns:
        """Features of new rows, in the order of the fit; a DataFrame is read by column names."""
        expected = [str(name) for name in self.feature_names_in_]
        chosen: Any = X
        if isinstance(X, pd.DataFrame | TableRows):
            try:
                chosen = select_columns(X, expected)
            except MissingColumnError:
                if expected != list(default_names(len(expected))):
                    raise
        features, names = read_features(chosen)
        self._check_names(names)
        return features

    def _batches(
        self,
        X: ArrayLike | pd.DataFrame,
        groups: ArrayLike | pd.DataFrame | None,
        level: str,
        **context: ArrayLike | None,
    ) -> list[Batch]:
        """Return new rows in padded units, checked, few enough of them to be computed at once."""
        self._check_fitted()
        if level not in LEVELS:
            raise OptionError(
                f"level={level!r} does not exist.", remedy=f"Choose from {', '.join(LEVELS)}."
            )
        if level == "person" and groups is None:
            raise OptionError(
                "A prediction for people needs to know whose each row is.",
                remedy='Give groups=..., or ask for the population with level="population".',
            )
        table = self._select(X)
        check_lengths(len(table[0]), groups=groups, **context)
        factors = None
        if groups is not None and level == "person":
            factors = self._read_groups(groups)
        rows = self._rows(table, factors, **context)
        return list(chunks(rows.batches(self._outcome.none(len(rows.groups)), torch.device("cpu"))))
