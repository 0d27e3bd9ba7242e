"""What research tools have found of a run: in ``RUN/research``, or among the run's own tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nme_core.io import RunFolder
from nme_core.runs.research.verdict import verdicts_of

#: Folder of a run that holds a folder for each tool.
FOLDER = "research"
#: The table of each tool that its figure is drawn from.
TABLES = {
    "covariance": "covariance_models",
    "calibrate": "calibration_study",
    "power": "power",
    "ablate": "ablation_summary",
    "multiverse": "multiverse",
    "replicate": "replication",
}


@dataclass(frozen=True)
class Answer:
    """What a tool has found of a run.

    Attributes
    ----------
    verdict : dict
        ``verdict.json``: ``answer``, ``numbers``, ``notes``.
    table : DataFrame
        See `TABLES`.
    """

    verdict: dict[str, Any]
    table: pd.DataFrame


def place(run: RunFolder, tool: str) -> Path:
    """Where a tool keeps what it finds of a run, if not among the run's own tables."""
    return run.path / FOLDER / tool


def answer(run: RunFolder, tool: str) -> Answer | None:
    """The latest answer of a tool; None where it was not asked, or not to the end.

    Raises
    ------
    RunFolderError
        Where ``verdict.json`` is damaged.
    """
    for folder in (place(run, tool), run.path):
        table = folder / f"{TABLES[tool]}.csv"
        verdict = verdicts_of(folder).get(tool)
        if verdict is not None and table.is_file():
            return Answer(verdict, pd.read_csv(table, keep_default_na=False, na_values=[""]))
    return None


def answers(run: RunFolder) -> dict[str, Answer]:
    """Every answer that there is, by tool."""
    found = {tool: answer(run, tool) for tool in TABLES}
    return {tool: one for tool, one in found.items() if one is not None}
