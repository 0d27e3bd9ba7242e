"""New persons of a run: start an adaptation, follow it, read what came out."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from dashboard.services.home import folder
from dashboard.services.jobs import begin, standing
from dashboard.services.results import run_folder, table
from nme_core.exceptions import DataError
from nme_core.io import RunFolder, Status

FOLDER = "new-persons"
#: What a person is called whose rows are typed in.
TYPED = "new person"


def columns(identity: str) -> dict[str, Any]:
    """The columns that rows of a new person need: the roles of the run."""
    return dict(run_folder(identity).roles)


def possible(identity: str) -> bool:
    """Whether the model of a run can be adapted: one grouping factor, and random effects."""
    run = run_folder(identity)
    return not run.roles.get("groups") and len(run.table("random_effects")) > 0


def time_kind(identity: str) -> str:
    """Whether times of a run are numbers (``float64``) or dates, which are typed as text."""
    times = table(identity, "predictions")["time"]
    return "float64" if is_numeric_dtype(times) else "str"


def typed_table(identity: str, typed: pd.DataFrame) -> pd.DataFrame:
    """Rows that were typed in, with the person and sequence columns that the run needs.

    Raises
    ------
    DataError
        No row has an outcome, or only some rows have a time.
    """
    roles = columns(identity)
    told = [name for name in typed.columns if name != roles["time"]]
    rows = typed.dropna(how="all", subset=told).reset_index(drop=True)
    if rows.empty or rows[roles["outcome"]].isna().all():
        raise DataError(
            f"No row has a value of {roles['outcome']!r}.", remedy="Type in at least one."
        )
    rows[roles["person"]] = TYPED
    if roles["sequence"] is not None:
        rows[roles["sequence"]] = "1"
    if roles["time"] is not None:
        rows[roles["time"]] = _times(rows, str(roles["time"]))
    return rows


def _times(rows: pd.DataFrame, name: str) -> pd.Series:
    """The times that were typed in; 1, 2, 3, … where none was."""
    given = rows[name] if name in rows else pd.Series(np.nan, rows.index)
    if given.isna().all():
        return pd.Series(range(1, len(rows) + 1), rows.index)
    if given.isna().any():
        row = int(np.argmax(given.isna().to_numpy())) + 1
        raise DataError(
            f"Row {row} has no {name!r}, others have.",
            remedy="Type it in for every row, or for none.",
        )
    return given


def start(identity: str, rows: bytes) -> str:
    """Start adapting to rows (a CSV file) in a process of its own; returns the job's id."""
    run = run_folder(identity)
    job = secrets.token_hex(4)
    path = run.path / FOLDER / job
    path.mkdir(parents=True, mode=0o700)
    (path / "rows.csv").write_bytes(rows)
    begin(path, [sys.executable, "-m", "dashboard.services.newcomer", str(path), str(run.path)])
    return job


def status(identity: str, job: str) -> Status | None:
    """Where a job stands; None where there is no such job."""
    path = _path(identity, job)
    return None if path is None else standing(path)


def narrowing(identity: str, job: str) -> pd.DataFrame:
    """What is believed after k outcomes: person ("" for the population), k, value, ci_low, ci_high.

    And ``from`` and ``to``, or ``feature``, ``class`` and ``x``.
    """
    path = _path(identity, job)
    assert path is not None
    texts = ("person", "from", "to", "feature", "class")
    return pd.read_csv(
        path / "narrowing.csv", dtype=dict.fromkeys(texts, "str"), keep_default_na=False,
        na_values={name: [""] for name in ("value", "ci_low", "ci_high", "x", "k")},
    )  # fmt: skip


def cautions(identity: str, job: str) -> list[str]:
    """What the adaptation to all rows warned of."""
    path = _path(identity, job)
    assert path is not None
    return [note["message"] for note in RunFolder(path / "all").config["warnings"]]


def matrix(rows: pd.DataFrame, column: str, states: Sequence[str]) -> pd.DataFrame:
    """One column of one person's rows, from × to."""
    wide = rows.pivot(index="from", columns="to", values=column)
    return wide.reindex(index=list(states), columns=list(states)).astype(float)


def _path(identity: str, job: str) -> Path | None:
    """Folder of a job; ids come from the session, and are looked up by name only."""
    run = folder("runs", identity)
    if run is None or not job.isalnum():
        return None
    path = run / FOLDER / job
    return path if path.is_dir() else None
