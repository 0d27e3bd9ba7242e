"""Whether runs are of the same rows of the same study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nme_core.exceptions import OptionError, RunFolderError
from nme_core.io import RunFolder, RunState

#: What ``data.json`` has to say alike, and how it is named.
_ALIKE = {
    "outcome_kind": "kind of outcome",
    "remedies": "changes of the table",
    "max_gap": "limit of gaps",
    "n_rows_by_split": "numbers of rows for training, validation and test",
}
_ROLES = ("person", "outcome", "time", "sequence")
_KEYS = ["person", "sequence", "time", "split", "observed"]


def refuse_other_rows(runs: Sequence[RunFolder], labels: Sequence[str]) -> None:
    """Raise OptionError unless all runs were fitted to and judged on the same rows.

    Raises
    ------
    OptionError
        With the first thing that differs.
    RunFolderError
        Where a run is not finished.
    """
    for run, label in zip(runs, labels, strict=True):
        if run.status.state != RunState.DONE:
            raise RunFolderError(f"{label} is not a finished run.", remedy="Fit it to its end.")
    first = runs[0].data
    for run, label in zip(runs[1:], labels[1:], strict=True):
        differs = _difference(first, run.data) or _other_rows(runs[0], run)
        if differs:
            raise OptionError(
                f"{labels[0]} and {label} are not of the same rows: {differs}.",
                remedy="Fit both to the same file with the same roles.",
            )


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """What differs of the studies, in words; empty where nothing does."""
    files = [[name["sha256"] for name in data["inputs"]][:1] for data in (one, other)]
    if files[0] != files[1]:
        return "the files that they were fitted to differ (SHA-256 in data.json)"
    for role in _ROLES:
        mine, theirs = (data["roles"].get(role) for data in (one, other))
        if mine != theirs:
            return (
                f"the {role} is {mine or 'no column'} in one, {theirs or 'no column'} in the other"
            )
    for key, word in _ALIKE.items():
        if one.get(key) != other.get(key):
            return f"their {word} differ"
    return ""


def _other_rows(one: RunFolder, other: RunFolder) -> str:
    tables = [run.table("predictions") for run in (one, other)]
    rows = [table[table["model"] == "nme"][_KEYS].reset_index(drop=True) for table in tables]
    same = len(rows[0]) == len(rows[1]) and all(
        np.array_equal(rows[0][key].astype(str), rows[1][key].astype(str)) for key in _KEYS
    )
    return "" if same else "different rows are held back, or their outcomes differ"
