"""A study: a long table and the roles of its columns, as X, y, groups, sequence ids, covariates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.batches.blocks import Blocks
from nme_core.batches.ordering import refuse_ties, tied_rows
from nme_core.exceptions import DataError
from nme_core.study import building
from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy
from nme_core.study.columns import OutcomeKind, label
from nme_core.study.formats.result import HowRead, Labels
from nme_core.study.making import Roles, rows_of
from nme_core.study.recipe import Recipe
from nme_core.study.time.gaps import NEVER


@dataclass(frozen=True, eq=False)
class Study:
    """Repeated observations of many persons, ready for a model.

    Rows are sorted by person (order of first appearance), then sequence, then time; without a
    time column they stay in the order of the table. Every table has a fresh RangeIndex except
    `covariates`.

    Attributes
    ----------
    X : DataFrame, shape (n_rows, n_features)
        Features as float64 in the units of the data; NaN = missing. Of very large tables float32.
    y : Series, shape (n_rows,)
        Outcome: float64 where it is a number, text where it is a class; missing = NaN.
    groups : Series of text, shape (n_rows,)
        Person of each row. Of very large tables categories of text.
    sequence_ids : Series of text, shape (n_rows,)
        Sequence of each row, unique over persons: the person, or ``"<person>/<sequence>"``; of very
        large tables categories.
    time : Series or None
        Times as given, or datetime64 where the column was text.
    covariates : DataFrame, shape (n_persons, n_covariates)
        Index: person. Numbers are float64, everything else is text.
    outcome_kind : str
        ``"number"`` or ``"class"``.
    roles : Roles
        The columns that all this came from.
    further_groups : DataFrame of text, shape (n_rows, n_factors)
        Group of each row by every further grouping factor (a clinic, a dyad); often no column.
    notes : tuple of str
        In words, what was left out and why.
    recipe : Recipe
        How all that was made, with what was decided in making it.
    n_read : (int, int) or None
        Rows and persons of the table before any change to it.
    labels : Labels
        Words that came with the columns of the file.
    looks : tuple of Finding
        What was found in the tables, about people and covariates, that the study itself does not
        show.
    lines : Series of int or None
        Line of each row in the file that it was read from.
    time_unit : str or None
        Unit of times that are numbers (s, min, h, d, w, mo, y), where it is known.
    """

    X: pd.DataFrame
    y: pd.Series
    groups: pd.Series
    sequence_ids: pd.Series
    time: pd.Series | None
    covariates: pd.DataFrame
    outcome_kind: OutcomeKind
    roles: Roles
    further_groups: pd.DataFrame
    recipe: Recipe
    notes: tuple[str, ...] = ()
    n_read: tuple[int, int] | None = None
    labels: Labels = field(default_factory=Labels)
    looks: tuple[Finding, ...] = ()
    lines: pd.Series | None = None
    time_unit: str | None = None

    from_frame = classmethod(building.from_frame)
    from_file = classmethod(building.from_file)
    #: The same under the name of the commonest format.
    from_csv = from_file
    of = classmethod(building.of)
    of_readings = classmethod(building.of_readings)

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """All changes that were made to the tables first, in order."""
        return self.recipe.steps

    @property
    def max_gap(self) -> str | None:
        """Longest gap in time within a sequence, as text; None: any."""
        return None if self.recipe.max_gap == NEVER else self.recipe.max_gap

    @property
    def missing(self) -> str:
        """What was done about missing features."""
        return self.recipe.missing

    @property
    def how_read(self) -> HowRead | None:
        """How the file was read, where the study comes from one."""
        return self.recipe.reading

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.X)

    @property
    def persons(self) -> tuple[str, ...]:
        """Persons, in the order of the rows."""
        return tuple(self.blocks.names)

    @property
    def n_persons(self) -> int:
        """Number of persons."""
        return len(self.blocks.names)

    @cached_property
    def blocks(self) -> Blocks:
        """Where each person's rows are."""
        return Blocks.of(self.groups)

    @cached_property
    def sequence_blocks(self) -> Blocks:
        """Where each sequence's rows are."""
        alone = self.sequence_ids is self.groups or self.sequence_ids.equals(self.groups)
        return self.blocks if alone else Blocks.of(self.sequence_ids)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in the order of X's columns."""
        return tuple(self.X.columns)

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels that occur in the outcome, sorted; empty where the outcome is a number."""
        if self.outcome_kind == "number":
            return ()
        return tuple(sorted(self.y.dropna().unique()))

    @cached_property
    def tied(self) -> npt.NDArray[np.bool_]:
        """Rows at the same time as the row before, of the same person and sequence."""
        return tied_rows(self.groups, self.sequence_ids, self.time)

    def refuse_ties(self, who: str) -> None:
        """Raise DataError where rows share a time; `who` needs their order."""
        named = None if self.sequence_ids.equals(self.groups) else self.sequence_ids
        refuse_ties(self.groups, named, self.time, who=who)

    @property
    def factors(self) -> pd.Series | pd.DataFrame:
        """What a model takes as ``groups``: persons, or a table of all grouping factors."""
        if self.further_groups.columns.empty:
            return self.groups
        return pd.concat([self.groups.rename(self.roles.person), self.further_groups], axis=1)

    def take(self, rows: npt.ArrayLike) -> Study:
        """Part of the study: the given rows, in their present order.

        `rows` is a boolean mask of length n_rows, or row numbers. Covariates are kept for the
        persons that remain.

        Raises
        ------
        DataError
            No row is left, or a mask has the wrong length.
        """
        chosen = np.asarray(rows)
        if chosen.dtype == np.bool_ and chosen.shape != (self.n_rows,):
            raise DataError(
                f"The mask has {chosen.size} entries, the study {self.n_rows} rows.",
                remedy="Give one entry per row.",
            )
        mask = np.zeros(self.n_rows, dtype=bool)
        if chosen.size:
            mask[chosen] = True
        if not mask.any():
            raise DataError("No row of the study is left.", remedy="Choose other rows.")
        groups, sequences = rows_of(self.groups, mask), rows_of(self.sequence_ids, mask)
        if isinstance(groups.dtype, pd.CategoricalDtype):
            groups = groups.cat.remove_unused_categories()
            sequences = sequences.cat.remove_unused_categories()
        return replace(
            self,
            X=rows_of(self.X, mask),
            y=rows_of(self.y, mask),
            groups=groups,
            sequence_ids=sequences,
            further_groups=rows_of(self.further_groups, mask),
            time=None if self.time is None else rows_of(self.time, mask),
            covariates=self.covariates.loc[groups.unique()],
            lines=None if self.lines is None else rows_of(self.lines, mask),
        )

    def where(self, row: int) -> str:
        """Words for a row: its person, its line in the file where that is known, else its time."""
        words = f"person {str(self.groups.iloc[row])!r}"
        if self.lines is not None:
            return f"{words}, {self.lines.name} {self.lines.iloc[row]}"
        return words if self.time is None else f"{words} at {label(self.time.iloc[row])}"

    def with_observed_outcome(self) -> Study:
        """The study without the rows whose outcome is missing; `notes` says how many there were."""
        observed = self.y.notna().to_numpy()
        missing = int((~observed).sum())
        if missing == 0:
            return self
        noun = "row was" if missing == 1 else "rows were"
        note = f"{missing} {noun} left out: the outcome {self.roles.outcome!r} is missing there."
        kept = self.take(observed)
        return replace(kept, notes=(*self.notes, note))
