"""New persons for a finished run: a run folder whose model knows them too."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nme_core.analysis import (
    grids_of,
    new_people_approximations,
    random_effects_table,
    response_curves,
    transitions_table,
)
from nme_core.estimators import NMECRF, load
from nme_core.estimators.threads import one_thread_for_few
from nme_core.exceptions import DataError, NMEWarning, OptionError
from nme_core.io import Journal, RunFolder, RunState
from nme_core.io.renewal import renewed
from nme_core.runs.prediction import read_new_rows, warn_alike, warn_blank, warn_outside
from nme_core.runs.recorded import recipe_of
from nme_core.study.columns import as_labels, as_numbers
from nme_core.study.formats.source import fingerprint
from nme_core.study.selection import require
from nme_core.vocabulary.text import count

#: A feature that lies further off, in standard deviations of the fit, is refused.
MOST_SDS = 300
#: What ``data.json`` says as that of the run does.
_DATA_OF_RUN = ("roles", "outcome_kind", "remedies", "max_gap", "missing", "n_missing_features")
#: Tables that are those of the run, since the model's other parts stay.
OF_RUN = ("fixed_effects", "covariance")


def adapt_run(
    run: RunFolder, table: pd.DataFrame, folder: RunFolder, *, source: str | os.PathLike[str]
) -> list[str]:
    """Add new persons to the model of a run, and write a run folder of theirs.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    table : DataFrame
        Rows of the new persons with the run's person, feature and outcome columns, and its time
        and sequence columns where it has them.
    folder : RunFolder
        Where to write: the adapted model, and random effects, transitions or response curves of
        the new persons and the population.
    source : path
        File of the table, for ``data.json``.

    Returns
    -------
    list of str
        The new persons.

    Warns
    -----
    NMEWarning
        As the model does; and an ExtrapolationWarning if a feature lies outside of the fit's.

    Raises
    ------
    DataError
        If a column is missing or cannot be read, no row has an outcome, or the model knows one of
        the persons.
    OptionError
        If the model cannot be adapted, or the folder is that of the run.
    """
    if folder.path.resolve() == run.path.resolve():
        raise OptionError(
            "The run would overwrite itself.", remedy="Give a folder of its own (--out)."
        )
    with renewed(folder) as new:
        return _adapt(run, table, new, source)


def _adapt(
    run: RunFolder, table: pd.DataFrame, folder: RunFolder, source: str | os.PathLike[str]
) -> list[str]:
    """See `adapt_run`."""
    model: Any = load(run.model_path)
    roles, config, data = run.roles, run.config, run.data
    rows = read_new_rows(run, table)
    require(rows.table, roles["outcome"])
    recipe, table = recipe_of(run), rows.table
    sequential = isinstance(model, NMECRF)
    column = table[roles["outcome"]]
    if config["outcome_kind"] == "class" or column.isna().all():
        y = as_labels(column)
    else:
        y = pd.Series(as_numbers(column, role="outcome", needed=True), index=column.index)
    y = y.iloc[rows.about["row"]].reset_index(drop=True)
    observed = y.notna()
    if recipe.missing == "drop":
        complete = rows.X.notna().all(axis=1)
        rows, y = replace(rows, about=rows.about[complete], X=rows.X[complete]), y[complete]
        observed = y.notna()
    without = sorted(set(rows.about["person"]) - set(rows.about.loc[observed, "person"]))
    if without:
        raise DataError(
            f"Person {without[0]!r} has no row whose outcome {roles['outcome']!r} is known.",
            remedy="Leave the person out; what is known of them is the population.",
            column=roles["outcome"],
            person=without[0],
        )
    kept = observed if not sequential else pd.Series(True, index=y.index)
    X, y, about = rows.X[kept], y[kept], rows.about[kept]
    _refuse_impossible(model, X, about["person"])
    order: dict[str, Any] = {"sequence_ids": about["sequence"]} if sequential else {}
    process = getattr(model, "residual_process", None)
    if process is not None and np.isfinite(process().rho) and about["time"].notna().all():
        order = {"times": about["time"]}
    caught: list[warnings.WarningMessage]
    with warnings.catch_warnings(record=True) as caught, one_thread_for_few(len(X)):
        warnings.simplefilter("always")
        warn_blank(run, X)
        warn_outside(model, X)
        warn_alike(model, rows.factors)
        adapted = model.adapt(X, y, groups=about["person"], **order)
    for one in caught:
        warnings.warn(one.message, one.category, stacklevel=2)
    persons, without = list(dict.fromkeys(about["person"])), []

    journal = Journal(folder)
    with folder.writing("model.safetensors") as path:
        adapted.save(path)
    for name in OF_RUN:
        folder.write_table(name, run.table(name))
    effects = random_effects_table(adapted)
    folder.write_table("random_effects", effects[effects["person"].isin(persons)])
    if sequential:
        transitions = transitions_table(adapted)
        chosen = transitions["person"].isin([*persons, ""])
        folder.write_table("transitions", transitions[chosen])
    else:
        made = run.has_table("response_curves")  # of very many persons they are not
        grids = grids_of(run.table("response_curves")) if made else None
        try:
            curves = response_curves(adapted, X, about["person"], grids=grids)
            folder.write_table("response_curves", curves)
        except OptionError as error:
            without = [str(error)]
    notes = [
        {"model": "adapted", "kind": one.category.__name__, "message": str(one.message)}
        for one in caught
        if issubclass(one.category, NMEWarning)
    ]
    notes += [{"model": "adapted", "kind": "FallbackWarning", "message": one} for one in without]
    shared = [note for note in config.get("approximate", []) if note["table"] in OF_RUN]
    approximate = [*shared, *new_people_approximations(model)]
    own = {"warnings": notes, "approximate": approximate, "adapted_from": run.path.name}
    folder.write_json("config", {**config, **own})
    folder.write_json("recipe", recipe.to_json())
    folder.write_json(
        "data",
        {
            # for older readers, from the recipe
            **{name: data[name] for name in _DATA_OF_RUN if name in data},
            "n_rows": len(X),
            "n_persons": len(persons),
            "adapted": persons,
            "interpreted_from": "the rows of the new people; all else is that of the run",
            "inputs": [{"name": f"new{Path(source).suffix}", "sha256": fingerprint(source)}],
            "notes": [*rows.notes, *_left_out(len(table) - int(kept.sum()))],
        },
    )
    journal.close(RunState.DONE, "Done")
    return persons


def _left_out(n: int) -> list[str]:
    """Words for rows that were not learned from."""
    if not n:
        return []
    return [
        f"Left out: {count(n, 'row')} without the outcome or, where the run leaves out rows with "
        "missing features, without a feature."
    ]


def _refuse_impossible(model: Any, X: pd.DataFrame, persons: pd.Series) -> None:
    """Raise DataError where a feature lies so far off that nothing can be computed from it."""
    names = model._encoder.scaler.input_names
    far = np.abs(model._encoder.scaler.transform(model._encoder.select(X))) > MOST_SDS
    if far.any():
        row, column = np.argwhere(far)[0]
        name = names[column]
        raise DataError(
            f"The feature {name!r} of person {persons.iloc[row]!r} lies more than {MOST_SDS} "
            "standard deviations from what the model was fitted on.",
            remedy="Correct the cell or leave it empty.",
            column=name,
            person=str(persons.iloc[row]),
        )
