"""New persons of a run: start an adaptation, follow it, read what came out."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from dashboard.services.home import folder, write_json
from dashboard.services.jobs import begin, standing
from dashboard.services.results import run_folder, table
from nme_core.exceptions import DataError
from nme_core.io import RunFolder, Status, durable
from nme_core.runs.recorded import recipe_of
from nme_core.study.columns import as_ids

FOLDER = "new-persons"
_TOLD = "told.json"
#: Tables that the page shows.
_SHOWN = ("response_curves", "transitions")
#: What a person is called whose rows are typed in.
TYPED = "new person"


def columns(identity: str) -> dict[str, Any]:
    """The columns that rows of a new person need: the roles of the run."""
    return dict(run_folder(identity).roles)


def possible(identity: str) -> bool:
    """Whether the model of a run can be adapted, and the page has something to show then: one
    grouping factor, random effects, and one of the tables.
    """
    run = run_folder(identity)
    shown = any(map(run.has_table, _SHOWN))
    return not run.roles.get("groups") and shown and len(run.table("random_effects")) > 0


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
        learned = roles["time"] in roles["features"]
        rows[roles["time"]] = _times(rows, str(roles["time"]), needed=learned)
    return rows


def _prepared(run: RunFolder, rows: bytes, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Uploaded rows as the study's were stored, columns with a role only; and what was done.

    Where the study's ids were replaced by codes, nobody's id is kept here either.
    """
    recipe = recipe_of(run)
    table, notes = recipe.apply_to_new_rows(recipe.read(rows, name=name).frame)
    table = table[[name for name in table.columns if name in recipe.columns]]
    if recipe.kept is None or not recipe.kept.privacy.codes or recipe.person not in table:
        return table, list(notes)
    ids = as_ids(table[recipe.person], role="person id")
    numbers = {who: f"{TYPED} {n}" for n, who in enumerate(dict.fromkeys(ids), 1)}
    told = f"Ids in {recipe.person!r} became numbers, in the order of the file."
    return table.assign(**{recipe.person: ids.map(numbers)}), [*notes, told]


def _times(rows: pd.DataFrame, name: str, *, needed: bool) -> pd.Series:
    """The times that were typed in, if any: rows without are one sequence.

    They are `needed` where the model has learned a trend over them.
    """
    given = rows[name] if name in rows else pd.Series(np.nan, rows.index)
    row = int(np.argmax(given.isna().to_numpy())) + 1
    if needed and given.isna().any():
        raise DataError(
            f"Row {row} has no {name!r}, over which the model has learned a trend.",
            remedy="Type it in for every row.",
        )
    if given.isna().any() and given.notna().any():
        raise DataError(
            f"Row {row} has no {name!r}, others have.",
            remedy="Type it in for every row, or for none.",
        )
    return given


def start(identity: str, rows: bytes | pd.DataFrame, name: str = "rows.csv") -> str:
    """Start adapting to rows in a process of its own; returns the job's id.

    Parameters
    ----------
    identity : str
        The run.
    rows : bytes or DataFrame
        A file in the form of the study's; or rows that were typed in (`typed_table`).
    name : str
        Name of the file.

    Raises
    ------
    DataError
        The file cannot be read as the study's was.
    """
    run = run_folder(identity)
    table, notes = _prepared(run, rows, name) if isinstance(rows, bytes) else (rows, [])
    job = secrets.token_hex(4)
    path = run.path / FOLDER / job
    with durable.folder_beside(path) as new:
        durable.write(new / "rows.csv", table.to_csv(index=False).encode())
        write_json(new / _TOLD, notes)
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
    """What was done to the rows, and what the adaptation to all of them warned of."""
    path = _path(identity, job)
    assert path is not None
    told = (
        json.loads((path / _TOLD).read_text(encoding="utf-8")) if (path / _TOLD).is_file() else []
    )
    return [*told, *(note["message"] for note in RunFolder(path / "all").config["warnings"])]


def approximate(identity: str, job: str) -> list[str]:
    """What of the intervals is approximate or was not examined, with the reason."""
    path = _path(identity, job)
    assert path is not None
    notes = RunFolder(path / "all").config.get("approximate", [])
    return [*dict.fromkeys(note["reason"] for note in notes if note["table"] in _SHOWN)]


def _path(identity: str, job: str) -> Path | None:
    """Folder of a job; ids come from the session, and are looked up by name only."""
    run = folder("runs", identity)
    if run is None or not job.isalnum():
        return None
    path = run / FOLDER / job
    return path if path.is_dir() else None
