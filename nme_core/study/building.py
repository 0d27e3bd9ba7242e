"""Ways to make a study: from tables, from files, from files that have been read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from nme_core.exceptions import DataError
from nme_core.study.clean.remedies import Remedy
from nme_core.study.clean.taken import explain
from nme_core.study.columns import OutcomeKind
from nme_core.study.formats.result import Reading, notes_of
from nme_core.study.making import parts_of
from nme_core.study.recipe import Recipe, recipe_of

if TYPE_CHECKING:
    from nme_core.study.study import Study


def from_frame(
    cls: type[Study],
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
        Changes that are made first (see `nme_core.study.clean.remedies`): to the long table, or
        to the covariate table where only that has the columns.

    Raises
    ------
    MissingColumnError
        A named column does not exist.
    DataError
        The table is empty, has one person, a constant outcome, rows without a person,
        person–time rows that occur twice, features that are not numeric, infinite values, or
        covariates that do not belong to its persons.
    """
    table = covariates if isinstance(covariates, pd.DataFrame) else None
    recipe = recipe_of(
        person=person,
        outcome=outcome,
        time=time,
        sequence=sequence,
        group=group,
        features=features,
        exclude=exclude,
        covariates=covariates if table is None else None,
        outcome_kind=outcome_kind,
        remedies=remedies,
        max_gap=max_gap,
    )
    return cls.of(recipe, long, table)


def of(
    cls: type[Study],
    recipe: Recipe,
    long: pd.DataFrame,
    covariates: pd.DataFrame | None = None,
    *,
    stored: bool = False,
) -> Study:
    """Build a study as a recipe says; errors are those of `from_frame`.

    Missing features stay missing: see `nme_core.study.clean.missing.fill_features`. With
    `stored`, these are the tables as they were stored, so that what the recipe says was done
    before is not done again.
    """
    return cls(**parts_of(recipe, long, covariates, stored=stored))


def from_file(
    cls: type[Study],
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
    instrument: str | None = None,
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
    of_text: Any = {"encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    long = recipe.read(
        path,
        sheet=sheet,
        **of_text,
        header=header,
        step=step,
        instrument=instrument,
        metadata=metadata,
    )
    people = None
    if isinstance(covariates, str | os.PathLike):
        people = recipe.read_second(covariates, sheet=covariates_sheet)
    return cls.of_readings(recipe, long, people)


def of_readings(
    cls: type[Study],
    recipe: Recipe,
    long: Reading,
    second: Reading | None = None,
    *,
    stored: bool = False,
) -> Study:
    """Build a study from files that have been read, as `of` does; it says how they were."""
    how = recipe
    if not (stored and recipe.reading):  # else what counts is how the user's file was read
        how = replace(recipe, reading=long.how, second=None if second is None else second.how)
    try:
        study = cls.of(how, long.frame, None if second is None else second.frame, stored=stored)
    except DataError as error:
        explain(error, long, recipe.steps)
        raise
    labels = long.labels
    if second is not None:  # its columns, but for the person's
        covariates = set(second.frame.columns) - set(long.frame.columns)
        labels = labels.beside(second.labels.of_columns(covariates))
    return replace(study, notes=(*notes_of(long, second), *study.notes), labels=labels)
