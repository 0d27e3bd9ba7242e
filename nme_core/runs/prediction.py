"""Predictions of a finished run for new rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nme_core.batches.ordering import order_rows, refuse_ties
from nme_core.estimators import NMECRF, load
from nme_core.estimators.threads import one_thread_for_few
from nme_core.exceptions import (
    BlankWarning,
    DataError,
    ExtrapolationWarning,
    MissingColumnError,
    NMEWarning,
)
from nme_core.io import RunFolder
from nme_core.runs.recorded import recipe_of
from nme_core.study.clean.labels import difference
from nme_core.study.clean.missing import carry_forward
from nme_core.study.clean.people import known_otherwise
from nme_core.study.columns import as_ids, as_numbers
from nme_core.study.recipe import Recipe
from nme_core.study.time.gaps import NEVER, break_at_gaps
from nme_core.study.time.time_remedies import times_of


@dataclass(frozen=True)
class NewRows:
    """New rows in the order of the model: by person, sequence and time.

    Attributes
    ----------
    about : DataFrame
        ``person``, ``sequence``, ``time``, and ``row``, the place in the table that was read.
    X : DataFrame
        Features.
    factors : DataFrame
        Groups by every grouping factor of the run, persons first.
    table : DataFrame
        All columns, in the order of the table that was read, changed as the study's table was.
    notes : tuple of str
        In words, what was done to the rows.
    """

    about: pd.DataFrame
    X: pd.DataFrame
    factors: pd.DataFrame
    table: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_new_rows(run: RunFolder, table: pd.DataFrame) -> NewRows:
    """Make rows of the model from a table in the form of the study's, as the run's recipe says.

    Where no row of a person has a time, the rows are one sequence in the order of the table.

    Raises
    ------
    DataError
        A column is missing or cannot be read, or only some of a person's rows have a time.
    """
    recipe = recipe_of(run)
    if table.empty:
        raise DataError("The table has no rows.", remedy="Give at least one row.")
    table, notes = recipe.apply_to_new_rows(table)
    timed = () if recipe.time is None else (recipe.time,)
    for name in (*recipe.ids, *(recipe.features or ()), *timed):
        if name not in table.columns:
            raise MissingColumnError(name, map(str, table.columns))
    groups = as_ids(table[recipe.person], role="person id")
    labels = None
    if recipe.sequence is not None:
        labels = as_ids(table[recipe.sequence], role="sequence id")
    times, unit = _times(table, recipe, groups)
    X = pd.DataFrame(
        {
            name: as_numbers(table[name], role="feature", needed=True)
            for name in recipe.features or ()
        }
    )
    order = order_rows(groups, labels, times)
    sequences = groups if labels is None else groups + "/" + labels

    result = pd.DataFrame({"person": groups, "sequence": sequences})
    result["time"] = np.nan if times is None else times
    ordered = result.iloc[order].assign(row=order).reset_index(drop=True)
    if times is not None and times.notna().any():
        at = ordered["time"].rename(recipe.time)
        if run.config.get("model") == "nme-crf":
            refuse_ties(ordered["person"], ordered["sequence"], at, who="An NME-CRF")
        limit = None if recipe.max_gap == NEVER else recipe.max_gap
        ordered["sequence"], _ = break_at_gaps(ordered["sequence"], at, limit, unit)
    X = X.iloc[order].reset_index(drop=True)
    if recipe.missing == "carry":
        X = carry_forward(X, ordered["person"])
    factors = ordered[["person"]].set_axis([recipe.person], axis=1)
    for name in recipe.groups:
        factors[name] = as_ids(table[name], role=f"{name} id").iloc[order].to_numpy()
    return NewRows(ordered, X, factors, table, notes)


def _times(
    table: pd.DataFrame, recipe: Recipe, groups: pd.Series
) -> tuple[pd.Series | None, str | None]:
    """Times of new rows, missing for persons of whom no row has one, and their unit."""
    if recipe.time is None:
        return None, None
    column = table[recipe.time]
    timed = column.notna().groupby(groups.to_numpy()).transform("any")
    if not timed.any():
        return pd.Series(np.nan, column.index, name=column.name), recipe.time_unit
    read = times_of(table[timed], recipe.time, recipe.steps)
    assert read is not None
    return read.values.reindex(column.index), recipe.time_unit or read.unit


def predict_rows(run: RunFolder, table: pd.DataFrame | NewRows) -> pd.DataFrame:
    """Predict the outcome of new rows with the model of a run.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    table : DataFrame or NewRows
        Rows with the run's person and feature columns, and its time and sequence columns where it
        has them; an outcome column is not read. Or what `read_new_rows` made of them.

    Returns
    -------
    DataFrame
        In the order of `table`: ``person``, ``sequence``, ``time``, ``predicted``,
        ``population_predicted``, and ``p_<class>`` for classes. ``predicted`` is missing for
        persons that the model has not seen: for them only the population is known, and
        ``p_<class>`` are the population's probabilities.
        Missing features are dealt with as in the run: where it left such rows out, they have no
        prediction.

    Warns
    -----
    ExtrapolationWarning
        If a feature lies outside of what the model was fitted on.

    Raises
    ------
    RunFolderError
        If the folder holds no finished model.
    DataError
        If a column is missing or cannot be read.
    """
    model: Any = load(run.model_path)
    rows = table if isinstance(table, NewRows) else read_new_rows(run, table)
    warn_blank(run, rows.X)
    warn_outside(model, rows.X)
    warn_alike(model, rows.factors)
    warn_coded(run, model, rows.factors)
    ordered, X, factors = rows.about, rows.X, rows.factors
    usable = pd.Series(True, index=ordered.index)
    if recipe_of(run).missing == "drop":
        usable = X.notna().all(axis=1)
    known = usable.copy()
    for (_, levels), name in zip(model.factors_.items(), factors, strict=False):
        known &= factors[name].isin(levels)
    chances = [f"p_{label}" for label in getattr(model, "classes_", ())]
    own: list[pd.DataFrame] = []
    with one_thread_for_few(len(X)):
        if usable.any():
            some = ordered[usable]
            population = model.predict(
                X[usable], some["person"], level="average", **_sequences(model, some)
            )
            ordered["population_predicted"] = pd.Series(population, index=some.index)
        else:
            ordered["population_predicted"] = np.nan
        if known.any():
            own.append(_predict_persons(model, X[known], ordered[known], factors[known], chances))
        new = usable & ~known
        if chances and new.any():
            own.append(_population_chances(model, X[new], ordered[new], chances))
    if own:
        ordered = ordered.join(pd.concat(own))
    first = ["person", "sequence", "time", "predicted", "population_predicted"]
    return ordered.sort_values("row").reindex(columns=[*first, *chances]).reset_index(drop=True)


def warn_blank(run: RunFolder, X: pd.DataFrame) -> None:
    """Give a BlankWarning where features are missing in new rows as they were not in the run's."""
    if (how := recipe_of(run).missing) == "drop":
        return  # such rows have no prediction
    empty: dict[str, int] = {str(name): int(n) for name, n in X.isna().sum().items()}
    before: dict[str, Any] = run.data.get("n_missing_features", {})
    found = [name for name, n in empty.items() if n and (name not in before or n == len(X))]
    if not found:
        return
    listed = "; ".join(
        f"{name!r} is blank in {_of_rows(empty[name], len(X))}"
        + ("" if name in before or how == "carry" else " and never was where the model learned")
        for name in found[:5]
    )
    more = f"; and {len(found) - 5} more features" if len(found) > 5 else ""
    warnings.warn(
        f"{listed}{more}. The mean of the fitted rows stands in its place, so that the prediction "
        "does not know it.",
        BlankWarning,
        stacklevel=3,
    )


def _of_rows(n: int, of: int) -> str:
    return f"all {of} rows" if n == of > 1 else f"{n} of {of} rows" if of > 1 else "the only row"


def warn_outside(model: Any, X: pd.DataFrame) -> None:
    """Give an ExtrapolationWarning where features lie well outside of what a model has seen."""
    scaler = model._encoder.scaler
    found = scaler.outside(model._encoder.select(X))
    if not found:
        return
    ends = {
        name: f"fitted on {low:g} to {high:g}"
        for name, low, high in zip(scaler.names, scaler.low, scaler.high, strict=True)
    }
    listed = "; ".join(
        f"{name!r} in {n:,} {'row' if n == 1 else 'rows'} ({ends[name]})"
        for name, n in list(found.items())[:5]
    )
    more = f"; and {len(found) - 5} more features" if len(found) > 5 else ""
    warnings.warn(
        f"Some values lie outside of what the model was fitted on: {listed}{more}. What is "
        "predicted there is not backed by data.",
        ExtrapolationWarning,
        stacklevel=3,
    )


def warn_alike(model: Any, factors: pd.DataFrame) -> None:
    """Give an NMEWarning where new ids differ from known ones only in how they are written."""
    for (_, levels), name in zip(model.factors_.items(), factors, strict=False):
        pairs = known_otherwise(factors[name].unique(), map(str, levels))
        if not pairs:
            continue
        listed = ", ".join(f"{new!r} ({known!r})" for new, known in list(pairs.items())[:5])
        more = f" and {len(pairs) - 5} more" if len(pairs) > 5 else ""
        count = "1 new id" if len(pairs) == 1 else f"{len(pairs)} new ids"
        warnings.warn(
            f"{count} in {name!r}, taken as new, differ from one that the run knows only in "
            f"{difference(next(iter(pairs.items())))}: {listed}{more}. Write them as in the run if "
            "they are the same.",
            NMEWarning,
            stacklevel=3,
        )


def warn_coded(run: RunFolder, model: Any, factors: pd.DataFrame) -> None:
    """Give an NMEWarning where nobody is known because the run has codes instead of ids."""
    kept = recipe_of(run).kept
    name, levels = factors.columns[0], next(iter(model.factors_.values()))
    if kept is None or not kept.privacy.codes or factors[name].isin(levels).any():
        return
    warnings.warn(
        f"Ids in {name!r} were replaced by random codes when the study was stored, and nobody here "
        "has one of them. Write the codes of the key in place of the ids.",
        NMEWarning,
        stacklevel=3,
    )


def _predict_persons(
    model: Any, X: pd.DataFrame, rows: pd.DataFrame, factors: pd.DataFrame, chances: list[str]
) -> pd.DataFrame:
    """Prediction and class probabilities of known persons, on the index of the rows."""
    result = pd.DataFrame(index=rows.index)
    groups = factors if len(factors.columns) > 1 else factors.iloc[:, 0]
    result["predicted"] = model.predict(X, groups, **_sequences(model, rows))
    if chances:
        result[chances] = model.predict_proba(X, groups, **_sequences(model, rows))
    return result


def _population_chances(
    model: Any, X: pd.DataFrame, rows: pd.DataFrame, chances: list[str]
) -> pd.DataFrame:
    """The population's class probabilities, on the index of the rows."""
    found = model.predict_proba(X, rows["person"], level="average", **_sequences(model, rows))
    return pd.DataFrame(found, index=rows.index, columns=chances)


def _sequences(model: Any, rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {"sequence_ids": rows["sequence"]} if isinstance(model, NMECRF) else {}
