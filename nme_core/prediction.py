"""Predictions of a finished run for new rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nme_core.data.columns import as_ids, as_numbers, as_time
from nme_core.data.gaps import break_at_gaps
from nme_core.data.labels import difference
from nme_core.data.missing import carry_forward
from nme_core.data.ordering import order_rows
from nme_core.data.people import known_otherwise
from nme_core.data.remedies import apply_remedies, as_remedies, for_new_rows
from nme_core.estimators import NMECRF, load
from nme_core.estimators.threads import one_thread_for_few
from nme_core.exceptions import DataError, ExtrapolationWarning, MissingColumnError, NMEWarning
from nme_core.io import RunFolder


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
    """

    about: pd.DataFrame
    X: pd.DataFrame
    factors: pd.DataFrame


def read_new_rows(run: RunFolder, table: pd.DataFrame) -> NewRows:
    """Read the columns of a table that have the roles of a run; DataError where they cannot be."""
    roles = run.roles
    needed = [roles["person"], *roles["features"]]
    needed += [roles[role] for role in ("time", "sequence") if roles[role] is not None]
    needed += roles.get("groups", [])
    for name in needed:
        if name not in table.columns:
            raise MissingColumnError(name, map(str, table.columns))
    if table.empty:
        raise DataError("The table has no rows.", remedy="Give at least one row.")
    remedies = as_remedies(run.data.get("remedies", []))
    table, _ = apply_remedies(table, for_new_rows(remedies, needed))
    groups = as_ids(table[roles["person"]], role="person id")
    labels = None
    if roles["sequence"] is not None:
        labels = as_ids(table[roles["sequence"]], role="sequence id")
    times = None if roles["time"] is None else as_time(table[roles["time"]])
    X = pd.DataFrame({name: as_numbers(table[name], role="feature") for name in roles["features"]})
    order = order_rows(groups, labels, times)
    sequences = groups if labels is None else groups + "/" + labels

    result = pd.DataFrame({"person": groups, "sequence": sequences})
    result["time"] = np.nan if times is None else times
    ordered = result.iloc[order].assign(row=order).reset_index(drop=True)
    at = None if times is None else ordered["time"]
    ordered["sequence"], _ = break_at_gaps(ordered["sequence"], at, run.data.get("max_gap"))
    X = X.iloc[order].reset_index(drop=True)
    if run.data.get("missing") == "carry":
        X = carry_forward(X, ordered["person"])
    factors = ordered[["person"]].set_axis([roles["person"]], axis=1)
    for name in roles.get("groups", []):
        factors[name] = as_ids(table[name], role=f"{name} id").iloc[order].to_numpy()
    return NewRows(ordered, X, factors)


def predict_rows(run: RunFolder, table: pd.DataFrame) -> pd.DataFrame:
    """Predict the outcome of new rows with the model of a run.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    table : DataFrame
        Rows with the run's person and feature columns, and its time and sequence columns where it
        has them; an outcome column is not read.

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
    rows = read_new_rows(run, table)
    warn_outside(model, rows.X)
    warn_alike(model, rows.factors)
    ordered, X, factors = rows.about, rows.X, rows.factors
    usable = pd.Series(True, index=ordered.index)
    if run.data.get("missing") == "drop":
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
                X[usable], some["person"], level="population", **_sequences(model, some)
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


def warn_outside(model: Any, X: pd.DataFrame) -> None:
    """Give an ExtrapolationWarning where features lie well outside of what a model has seen."""
    scaler = model._scaler
    found = scaler.outside(model._select(X))
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
    found = model.predict_proba(X, rows["person"], level="population", **_sequences(model, rows))
    return pd.DataFrame(found, index=rows.index, columns=chances)


def _sequences(model: Any, rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {"sequence_ids": rows["sequence"]} if isinstance(model, NMECRF) else {}
