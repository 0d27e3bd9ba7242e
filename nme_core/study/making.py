"""The parts of a study from its tables, as a recipe says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.batches.ordering import name_sequences, order_rows, tied_rows
from nme_core.study.check.report import Finding
from nme_core.study.clean.people import find_people, respelling_notes
from nme_core.study.clean.remedies import apply_remedies, left_out_columns, renamed_columns
from nme_core.study.clean.words import find_scale, find_words, naming_fixes, yes_no_remedies
from nme_core.study.columns import (
    LARGE,
    as_categories,
    as_ids,
    as_numbers,
    as_outcome,
    in_single_precision,
)
from nme_core.study.covariates import covariates_from_columns, covariates_from_table, labelled
from nme_core.study.recipe import Recipe, resolved
from nme_core.study.selection import choose_columns, refuse_unusable
from nme_core.study.time.gaps import NIGHT, break_at_gaps, gap_limit, gap_notes
from nme_core.study.time.ties import KEEP_ONE, find_ties
from nme_core.study.time.time_remedies import settle_times, times_of


@dataclass(frozen=True)
class Roles:
    """Which column plays which part in a study that was made, all choices settled.

    Features and covariates are those in use, after remedies and what was left out. What a user asks
    for before there is a study are the roles of a `Recipe` (on the page *Study*: `ChosenRoles`).
    """

    person: str
    outcome: str
    time: str | None
    sequence: str | None
    features: tuple[str, ...]
    covariates: tuple[str, ...]
    groups: tuple[str, ...] = ()


def parts_of(
    recipe: Recipe, long: pd.DataFrame, covariates: pd.DataFrame | None, *, stored: bool
) -> dict[str, Any]:
    """Everything that a `Study` holds, by name; see `Study.of`."""
    person, outcome, time = recipe.person, recipe.outcome, recipe.time
    n_read = len(long), long[person].nunique() if person in long else 0
    long, covariates, recipe, notes = _changed(recipe, long, covariates, stored=stored)
    gone = left_out_columns(recipe.steps)
    groups = as_ids(long[person], role="person id")
    of_table, listed = _covariates_of(recipe, covariates, gone)
    columns = choose_columns(
        long,
        groups,
        roles=[name for name in (*recipe.ids, outcome, time) if name is not None],
        time=time,
        features=_without(recipe.features, gone),
        exclude=_without(recipe.exclude, gone) or (),
        covariates=listed,
        table_covariates=of_table,
    )
    looks = list(
        find_people(
            long,
            person,
            ids=groups,
            groups=recipe.groups,
            sequence=recipe.sequence,
            but=(outcome, *columns.features),
            covariates=covariates,
            remedies=recipe.steps,
        )
    )
    notes += [*respelling_notes(long[person]), *columns.notes]
    with naming_fixes(lambda: find_words(long[outcome], "outcome")):
        y, kind = as_outcome(long[outcome], recipe.outcome_kind)
    scale = find_scale(long[outcome]) if recipe.outcome_kind is None else None
    looks += [] if scale is None else [scale]
    X = pd.DataFrame(
        in_single_precision({name: _feature(long[name]) for name in columns.features}),
        index=long.index,
        copy=False,  # columns that are numbers already are not held twice
    )
    order, ordered = _in_order(recipe, long, groups, X, y, looks, notes)
    of_person, told = _of_people(recipe, long, groups, columns.covariates, covariates, of_table)
    further = {name: as_ids(long[name], role=f"{name} id") for name in recipe.groups}
    roles = Roles(
        person,
        outcome,
        time,
        recipe.sequence,
        tuple(X.columns),
        tuple(of_person.columns),
        recipe.groups,
    )
    limit, gaps = ordered.pop("limit"), ordered.pop("gaps")
    return {
        **ordered,
        "X": rows_of(X, order),
        "y": rows_of(y, order),
        "covariates": of_person,
        "outcome_kind": kind,
        "roles": roles,
        "further_groups": rows_of(pd.DataFrame(further, index=long.index), order),
        "recipe": resolved(recipe, max_gap=limit, features=roles.features, outcome_kind=kind),
        "notes": (*notes, *told, *gaps),
        "n_read": n_read,
        "looks": tuple(looks),
        "lines": _lines(long.index, order),
    }


def _feature(column: pd.Series) -> npt.NDArray[np.float64]:
    with naming_fixes(lambda: find_words(column, "feature")):
        return as_numbers(column, role="feature")


def _changed(
    recipe: Recipe, long: pd.DataFrame, covariates: pd.DataFrame | None, *, stored: bool
) -> tuple[pd.DataFrame, pd.DataFrame | None, Recipe, list[str]]:
    """The tables after all changes, the recipe with those that were settled here, and notes."""
    long, covariates, remedied = recipe.apply(long, covariates, stored=stored)
    if recipe.features is not None:
        features = renamed_columns(recipe.features, recipe.steps)
        words = yes_no_remedies(long, features)
        long, told = apply_remedies(long, words)
        remedied += tuple(note.removeprefix("Remedy: ") for note in told)
        recipe = replace(recipe, features=tuple(features), remedies=(*recipe.remedies, *words))
    refuse_unusable(
        long, recipe.person, recipe.outcome, recipe.time, recipe.sequence, recipe.groups
    )
    long = long.infer_objects()
    settled = settle_times(long, recipe)
    long, of_time = apply_remedies(long, settled)
    recipe = replace(recipe, remedies=(*recipe.remedies, *settled))
    return long, covariates, recipe, [*remedied, *of_time]


def _in_order(
    recipe: Recipe,
    long: pd.DataFrame,
    groups: pd.Series,
    X: pd.DataFrame,
    y: pd.Series,
    looks: list[Finding],
    notes: list[str],
) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """The order of the rows, and who they are of, when, and in which sequence; ties go to `looks`.

    Beside parts of the study the result holds ``limit``, the longest gap, and ``gaps``, what to say
    of gaps.
    """
    time, sequence = recipe.time, recipe.sequence
    read = times_of(long, time, recipe.steps)
    times = None if read is None else read.values
    unit = recipe.time_unit or (None if read is None else read.unit)
    notes += [] if read is None else read.notes
    labels = None if sequence is None else as_ids(long[sequence], role="sequence id")
    tied = tied_rows(groups, labels, times)
    values = pd.concat([X, y.rename("")], axis=1) if tied.any() else None
    order = order_rows(groups, labels, times, values)
    if time is not None and tied.any():
        keys = [name for name in (recipe.person, sequence, time) if name]
        outcome_and_features = (recipe.outcome, *X.columns)
        ties = find_ties(long, tied, keys, values=outcome_and_features, groups=recipe.groups)
        for one in ties:
            _add(one, looks)
    people = rows_of(groups, order)
    sequences = people if labels is None else rows_of(name_sequences(groups, labels), order)
    at = None if times is None else rows_of(times, order)
    limit = gap_limit(recipe.max_gap, at, sequences, unit)
    sequences, n_gaps = break_at_gaps(sequences, at, limit, unit)
    if X.size >= LARGE:
        alone = sequences is people
        people = as_categories(people)
        sequences = people if alone else as_categories(sequences)
    return order, {
        "groups": people,
        "sequence_ids": sequences.rename(sequence or recipe.person),
        "time": at,
        "time_unit": unit,
        "limit": limit,
        "gaps": gap_notes(n_gaps, limit, asked=recipe.max_gap not in (None, NIGHT)),
    }


def _add(tie: Finding, looks: list[Finding]) -> None:
    """Tell of rows at one time, beside what was found of their ids where that is the same."""
    for at, look in enumerate(looks):
        if look.fixes and look.fixes[0] == next(iter(tie.fixes), None):
            remedy = f"{look.remedy} {KEEP_ONE}" if len(tie.fixes) > 1 else look.remedy
            looks[at] = replace(look, remedy=remedy, fixes=tie.fixes)
            return
    looks.append(tie)


def _of_people(
    recipe: Recipe,
    long: pd.DataFrame,
    groups: pd.Series,
    in_long: Iterable[str],
    table: pd.DataFrame | None,
    of_table: list[str],
) -> tuple[pd.DataFrame, list[str]]:
    """The covariates of all people, from both tables, and what to say of them."""
    named = labelled(recipe.steps)
    of_person = covariates_from_columns(long, groups, tuple(in_long), labels=named)
    if table is None:
        return of_person, []
    if recipe.covariates is not None and recipe.person in table:
        table = table[[recipe.person, *of_table]]
    found, notes = covariates_from_table(table, list(of_person.index), recipe.person, labels=named)
    return pd.concat([found, of_person], axis=1), notes


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
    lines: pd.Series = rows_of(pd.Series(index.to_numpy(dtype=np.int32), name=index.name), order)
    return lines


def rows_of(table: Any, chosen: npt.NDArray[Any]) -> Any:
    """Chosen rows of a table, without a copy where they are all its rows in their order."""
    if chosen.dtype != np.bool_ and np.array_equal(chosen, np.arange(len(table))):
        return table.reset_index(drop=True)
    return table.iloc[chosen].reset_index(drop=True)
