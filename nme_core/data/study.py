"""A study: a long table and the roles of its columns, as X, y, groups, sequence ids, covariates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.data.blocks import Blocks
from nme_core.data.columns import (
    LARGE,
    OutcomeKind,
    as_categories,
    as_ids,
    as_numbers,
    as_outcome,
    in_single_precision,
    label,
)
from nme_core.data.covariates import covariates_from_columns, covariates_from_table, labelled
from nme_core.data.formats.result import HowRead, Labels, Reading
from nme_core.data.gaps import NEVER, NIGHT, break_at_gaps, gap_limit, gap_notes
from nme_core.data.ordering import name_sequences, order_rows, refuse_ties, tied_rows
from nme_core.data.people import find_people, respelling_notes
from nme_core.data.recipe import Recipe, recipe_of, resolved
from nme_core.data.remedies import Remedy, apply_remedies, left_out_columns, renamed_columns
from nme_core.data.report import Finding
from nme_core.data.selection import choose_columns, refuse_unusable
from nme_core.data.ties import find_ties
from nme_core.data.time_remedies import settle_times, times_of
from nme_core.data.words import yes_no_remedies
from nme_core.exceptions import DataError


@dataclass(frozen=True)
class Roles:
    """Which column of the long table plays which part; covariates are those in use."""

    person: str
    outcome: str
    time: str | None
    sequence: str | None
    features: tuple[str, ...]
    covariates: tuple[str, ...]
    groups: tuple[str, ...] = ()


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

    @classmethod
    def from_frame(
        cls,
        long: pd.DataFrame,
        *,
        person: str,
        outcome: str,
        time: str | None = None,
        sequence: str | None = None,
        group: Sequence[str] = (),
        features: Iterable[str] | None = None,
        exclude: Iterable[str] = (),
        covariates: pd.DataFrame | Sequence[str] | None = None,
        outcome_kind: OutcomeKind | None = None,
        remedies: Sequence[Remedy] = (),
        max_gap: str | float | None = None,
    ) -> Study:
        """Build a study from a long table, one row per person and occasion.

        Parameters
        ----------
        long : DataFrame
            The table.
        person, outcome, time, sequence : str
            Names of columns. Without `sequence`, a person's rows are one sequence.
        group : sequence of str
            Columns of further grouping factors, such as the clinic; persons may lie in one of
            their groups or in several.
        features : iterable of str, optional
            Default: every numeric column that has no other role and varies within persons.
        exclude : iterable of str
            Columns that are not used.
        covariates : DataFrame, list of str or None
            A table with the person column and one row per person, or columns of `long` that are
            constant within person. Numeric columns of `long` without another role that are
            constant within person are covariates too, unless a list says which ones are.
        outcome_kind : "number" or "class", optional
            Default: text is a class, a number with two distinct values is a class, any other
            number is a number.
        max_gap : str or float, optional
            Longest gap in time between two rows of a sequence; longer ones break it, so that what
            comes after is no step from what was before. A duration with its unit for date-times
            (``8h``; s, min, h, d), a number for times that are numbers, ``none`` for no limit.
            Default: date-times that are taken several times a day (most steps up to 6 hours) are
            broken at nights, gaps of more than 6 hours; other times are not.
        remedies : sequence of Remedy
            Changes that are made first (see `nme_core.data.remedies`): to the long table, or to the
            covariate table where only that has the columns.

        Raises
        ------
        MissingColumnError
            A named column does not exist.
        DataError
            The table is empty, has one person, a constant outcome, rows without a person,
            person–time rows that occur twice, features that are not numeric, infinite values, or
            covariates that do not belong to its persons.
        """
        table = isinstance(covariates, pd.DataFrame)
        recipe = recipe_of(
            person=person,
            outcome=outcome,
            time=time,
            sequence=sequence,
            group=group,
            features=features,
            exclude=exclude,
            covariates=None if table else covariates,
            outcome_kind=outcome_kind,
            remedies=remedies,
            max_gap=max_gap,
        )
        return cls.of(recipe, long, covariates if table else None)

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        long: pd.DataFrame,
        covariates: pd.DataFrame | None = None,
        *,
        stored: bool = False,
    ) -> Study:
        """Build a study as a recipe says; errors are those of `from_frame`.

        Missing features stay missing: see `nme_core.data.missing.fill_features`.

        Parameters
        ----------
        recipe : Recipe
            How.
        long : DataFrame
            The long table.
        covariates : DataFrame, optional
            The covariate table.
        stored : bool
            Whether these are the tables as they were stored, so that what the recipe says was done
            before is not done again.
        """
        person, outcome, time = recipe.person, recipe.outcome, recipe.time
        sequence, group = recipe.sequence, recipe.groups
        n_read = len(long), long[person].nunique() if person in long else 0
        long, covariates, remedied = recipe.apply(long, covariates, stored=stored)
        if recipe.features is not None:
            features = renamed_columns(recipe.features, recipe.steps)
            words = yes_no_remedies(long, features)
            long, told = apply_remedies(long, words)
            remedied += tuple(note.removeprefix("Remedy: ") for note in told)
            recipe = replace(recipe, features=tuple(features), remedies=(*recipe.remedies, *words))
        gone = left_out_columns(recipe.steps)
        refuse_unusable(long, person, outcome, time, sequence, group)
        long = long.infer_objects()
        settled = settle_times(long, recipe)
        long, of_time = apply_remedies(long, settled)
        recipe = replace(recipe, remedies=(*recipe.remedies, *settled))
        gone |= left_out_columns(settled)
        remedied += of_time
        groups = as_ids(long[person], role="person id")
        of_table, listed = _covariates_of(recipe, covariates, gone)
        columns = choose_columns(
            long,
            groups,
            roles=[name for name in (person, outcome, time, sequence, *group) if name is not None],
            time=time,
            features=_without(recipe.features, gone),
            exclude=_without(recipe.exclude, gone) or (),
            covariates=listed,
            table_covariates=of_table,
        )
        people = find_people(
            long,
            person,
            ids=groups,
            groups=group,
            covariates=covariates,
            remedies=recipe.steps,
        )
        looks = list(people)
        notes = [*remedied, *respelling_notes(long[person]), *columns.notes]
        y, kind = as_outcome(long[outcome], recipe.outcome_kind)
        X = pd.DataFrame(
            in_single_precision(
                {name: as_numbers(long[name], role="feature") for name in columns.features}
            ),
            index=long.index,
            copy=False,  # columns that are numbers already are not held twice
        )
        read = times_of(long, time, recipe.steps)
        times = None if read is None else read.values
        unit = recipe.time_unit or (None if read is None else read.unit)
        notes += [] if read is None else read.notes
        labels = None if sequence is None else as_ids(long[sequence], role="sequence id")
        tied = tied_rows(groups, labels, times)
        values = pd.concat([X, y.rename("")], axis=1) if tied.any() else None
        order = order_rows(groups, labels, times, values)
        if time is not None and tied.any():
            keys = [name for name in (person, sequence, time) if name]
            ties = find_ties(long, tied, keys, values=(outcome, *X.columns), groups=group)
            said = [one.fixes for one in looks if one.fixes]
            looks += [one for one in ties if one.fixes not in said]

        named = labelled(recipe.steps)
        of_person = covariates_from_columns(long, groups, columns.covariates, labels=named)
        if covariates is not None:
            table = covariates if recipe.covariates is None else covariates[[person, *of_table]]
            found, table_notes = covariates_from_table(
                table, list(of_person.index), person, labels=named
            )
            of_person = pd.concat([found, of_person], axis=1)
            notes += table_notes
        further = {name: as_ids(long[name], role=f"{name} id") for name in group}
        roles = Roles(
            person, outcome, time, sequence, tuple(X.columns), tuple(of_person.columns), group
        )
        persons = _rows(groups, order)
        sequences = persons if labels is None else _rows(name_sequences(groups, labels), order)
        at = None if times is None else _rows(times, order)
        limit = gap_limit(recipe.max_gap, at, sequences, unit)
        sequences, n_gaps = break_at_gaps(sequences, at, limit, unit)
        notes += gap_notes(n_gaps, limit, asked=recipe.max_gap not in (None, NIGHT))
        if X.size >= LARGE:
            alone = sequences is persons
            persons = as_categories(persons)
            sequences = persons if alone else as_categories(sequences)
        return cls(
            X=_rows(X, order),
            y=_rows(y, order),
            groups=persons,
            sequence_ids=sequences.rename(sequence or person),
            time=at,
            time_unit=unit,
            covariates=of_person,
            outcome_kind=kind,
            roles=roles,
            further_groups=_rows(pd.DataFrame(further, index=long.index), order),
            recipe=resolved(recipe, max_gap=limit, features=roles.features, outcome_kind=kind),
            notes=tuple(notes),
            n_read=n_read,
            looks=tuple(looks),
            lines=_lines(long.index, order),
        )

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        person: str,
        outcome: str,
        time: str | None = None,
        sequence: str | None = None,
        group: Sequence[str] = (),
        features: Iterable[str] | None = None,
        exclude: Iterable[str] = (),
        covariates: str | os.PathLike[str] | Sequence[str] | None = None,
        outcome_kind: OutcomeKind | None = None,
        remedies: Sequence[Remedy] = (),
        max_gap: str | float | None = None,
        sheet: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        decimal: str | None = None,
        header: int | str | None = None,
        step: str | float | None = None,
        metadata: str | os.PathLike[str] | None = None,
        covariates_sheet: str | None = None,
    ) -> Study:
        """Build a study from a file; ids stay text, messages count the lines of the file.

        Takes what `from_frame` takes, except that `covariates` may be the path of a second file
        with one row per person; and how the file is read, where that should not be recognised. See
        `read_any` for what a file may look like. With `covariates_sheet` alone, the covariate table
        is that sheet of the same workbook.
        """
        if covariates is None and covariates_sheet is not None:
            covariates = path
        second = isinstance(covariates, str | os.PathLike)
        recipe = recipe_of(
            person=person,
            outcome=outcome,
            time=time,
            sequence=sequence,
            group=group,
            features=features,
            exclude=exclude,
            covariates=None if second else covariates,
            outcome_kind=outcome_kind,
            remedies=remedies,
            max_gap=max_gap,
        )
        said = {"sheet": sheet, "encoding": encoding, "delimiter": delimiter, "decimal": decimal}
        long = recipe.read(path, **said, header=header, step=step, metadata=metadata)
        people = None
        if isinstance(covariates, str | os.PathLike):
            people = recipe.read_second(covariates, sheet=covariates_sheet)
        return cls.of_readings(recipe, long, people)

    @classmethod
    def of_readings(
        cls, recipe: Recipe, long: Reading, second: Reading | None = None, *, stored: bool = False
    ) -> Study:
        """Build a study from files that have been read, as `of` does; it says how they were."""
        how = recipe
        if not (stored and recipe.reading):  # else what counts is how the user's file was read
            how = replace(recipe, reading=long.how, second=None if second is None else second.how)
        study = cls.of(how, long.frame, None if second is None else second.frame, stored=stored)
        notes = [
            *long.notes,
            *(f"Covariate table: {line}" for line in (() if second is None else second.told())),
        ]
        return replace(study, notes=(*notes, *study.notes), labels=long.labels)

    #: The same under the name of the commonest format.
    from_csv = from_file

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

        Parameters
        ----------
        rows : array
            A boolean mask of length n_rows, or row numbers.

        Returns
        -------
        Study
            Covariates are kept for the persons that remain.

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
        groups, sequences = _rows(self.groups, mask), _rows(self.sequence_ids, mask)
        if isinstance(groups.dtype, pd.CategoricalDtype):
            groups = groups.cat.remove_unused_categories()
            sequences = sequences.cat.remove_unused_categories()
        return replace(
            self,
            X=_rows(self.X, mask),
            y=_rows(self.y, mask),
            groups=groups,
            sequence_ids=sequences,
            further_groups=_rows(self.further_groups, mask),
            time=None if self.time is None else _rows(self.time, mask),
            covariates=self.covariates.loc[groups.unique()],
            lines=None if self.lines is None else _rows(self.lines, mask),
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


def _covariates_of(
    recipe: Recipe, table: pd.DataFrame | None, gone: set[str]
) -> tuple[list[str], list[str] | None]:
    """Covariates that the covariate table gives, and those that are named in the long table."""
    there = [] if table is None else [str(one) for one in table.columns if one != recipe.person]
    named = _without(recipe.covariates, gone)
    if named is None:
        return there, None
    return [name for name in there if name in named], [name for name in named if name not in there]


def _without(names: Iterable[str] | None, gone: set[str]) -> list[str] | None:
    return None if names is None else [name for name in names if name not in gone]


def _lines(index: pd.Index, order: npt.NDArray[Any]) -> pd.Series | None:
    """Line of each row in its file, 4 bytes each; None for a table that comes from no file."""
    if index.name not in ("line", "row") or index.dtype.kind not in "iu":
        return None
    return _rows(pd.Series(index.to_numpy(dtype=np.int32), name=index.name), order)


def _rows(table: Any, chosen: npt.NDArray[Any]) -> Any:
    """Chosen rows of a table, without a copy where they are all its rows in their order."""
    if chosen.dtype != np.bool_ and np.array_equal(chosen, np.arange(len(table))):
        return table.reset_index(drop=True)
    return table.iloc[chosen].reset_index(drop=True)
