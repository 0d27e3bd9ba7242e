"""Adapting a run to new persons, in a process of its own, from few rows to all.

``python -m dashboard.services.newcomer JOB RUN`` reads ``rows.csv`` in the folder JOB, adapts the
model of the run RUN to the first 1, 3, 9, … known outcomes of each person and writes
``narrowing.csv``: what is then believed about the person, with its 95 % interval.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from dashboard.services.home import log_exception
from nme_core.analysis import grids_of, person_rows, typical_features
from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor, load
from nme_core.exceptions import NMEError
from nme_core.io import POPULATION, RunFolder, RunState, Status, durable
from nme_core.runs.adaptation import adapt_run
from nme_core.runs.recorded import read_rows, recipe_of
from nme_core.study.time.times import as_time

ROWS, NARROWING = "rows.csv", "narrowing.csv"
#: Folder of the adaptation to all rows, as `nme adapt` writes it.
ALL = "all"


def sizes(most: int) -> list[int]:
    """Numbers of outcomes that are adapted to: 1, 3, 9, … and all."""
    return [*(3**k for k in range(12) if 3**k < most), most]


def first_rows(table: pd.DataFrame, run: RunFolder, k: int) -> pd.DataFrame:
    """Each person's rows up to the k-th known outcome, in order of time where there is one."""
    roles = run.roles
    if roles["time"] is not None and table[roles["time"]].notna().any():
        times = as_time(table[roles["time"]])
        table = table.loc[times.sort_values(kind="stable").index]
    known = table[roles["outcome"]].notna()
    counted = known.groupby(table[roles["person"]]).cumsum()
    first: pd.DataFrame = table[(counted < k) | ((counted == k) & known)]
    return first


def adapt_stepwise(run: RunFolder, table: pd.DataFrame, job: Path) -> None:
    """Adapt to more and more rows, and write what is believed after each.

    Raises
    ------
    NMEError
        What `adapt_run` says about the table.
    """
    roles, parts = run.roles, []
    table, _ = recipe_of(run).apply_to_new_rows(table)
    numbers = table[roles["outcome"]].notna().groupby(table[roles["person"]]).sum()
    steps = sizes(int(numbers.max())) if len(numbers) and numbers.max() > 0 else [0]
    for i, k in enumerate(steps):
        last = i + 1 == len(steps)
        rows = table if last else first_rows(table, run, k)
        folder = RunFolder(job / (ALL if last else f"after-{k}"))
        persons = adapt_run(run, rows, folder, source=job / ROWS)
        parts.append(_believed(run, folder, persons).assign(k=k))
        _say(job, RunState.RUNNING, (i + 1) / len(steps), f"{k} of {steps[-1]} outcomes")
    believed = pd.concat(parts, ignore_index=True)
    believed["k"] = np.minimum(believed["k"], believed["person"].map(numbers).fillna(np.inf))
    believed = believed.drop_duplicates([c for c in believed if c not in _VALUES], keep="last")
    durable.write(job / NARROWING, believed.to_csv(index=False).encode())


_VALUES = ("value", "ci_low", "ci_high", "visits", "count")


def _believed(run: RunFolder, folder: RunFolder, persons: list[str]) -> pd.DataFrame:
    """Transitions, or response curves over the population's range, of persons and population."""
    model = load(folder.model_path)
    if isinstance(model, NMECRF):
        rows = folder.table("transitions")
        own = [person_rows(rows, person, "conditional") for person in (*persons, POPULATION)]
        return pd.concat(own, ignore_index=True).drop(columns="readout")
    features = list(run.roles["features"])
    typical = typical_features(model)
    grid = pd.concat(
        [
            pd.DataFrame({**typical, feature: x, "feature": feature})
            for feature, x in grids_of(run.table("response_curves")).items()
        ],
        ignore_index=True,
    )
    parts = [_curves(model, grid, features, person) for person in (*persons, POPULATION)]
    return pd.concat(parts, ignore_index=True)


def _curves(
    model: NMEMLPRegressor | NMEMLPClassifier, grid: pd.DataFrame, features: list[str], person: str
) -> pd.DataFrame:
    """Expected outcome along the grids of all features, with intervals for a person.

    Columns person, feature, class, x, value, ci_low, ci_high; class by class.
    """
    who = None if person == POPULATION else np.repeat(person, len(grid))
    level, X = "population" if who is None else "person", grid[features]
    if isinstance(model, NMEMLPClassifier):
        values, classes = model.predict_proba(X, who, level=level), list(model.classes_)
    else:
        values, classes = model.predict(X, who, level=level)[:, None], [""]
    low = high = np.full_like(values, np.nan)
    if who is not None:
        low, high = (end.reshape(values.shape) for end in model.predict_interval(X, who))
    about = {"person": person, "feature": grid["feature"], "x": _along(grid)}
    parts = [
        pd.DataFrame(
            {**about, "class": name, "value": values[:, i], "ci_low": low[:, i],
             "ci_high": high[:, i]}
        )
        for i, name in enumerate(classes)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _along(grid: pd.DataFrame) -> list[float]:
    """The value of the feature that each row of the grid varies."""
    return [row[row["feature"]] for row in grid.to_dict("records")]


def _say(job: Path, state: RunState, progress: float, message: str) -> None:
    RunFolder(job).write_status(Status(state, progress=progress, message=message))


def main(job: Path, run: Path) -> int:
    """Do the job; 0 where it came to its end."""
    folder = RunFolder(run)
    try:
        adapt_stepwise(folder, read_rows(folder, job / ROWS, stored=True), job)
    except NMEError as error:
        _say(job, RunState.FAILED, 0.0, str(error))
        return 2
    except Exception as error:
        log = log_exception(error)
        _say(job, RunState.FAILED, 0.0, f"Something unexpected happened; the details are in {log}.")
        return 1
    _say(job, RunState.DONE, 1.0, "Done")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
