"""What a run folder says of its study."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from nme_core import __version__
from nme_core.analysis import person_summaries
from nme_core.batches.splits import SPLITS, few_rows
from nme_core.io import TABLES, RunFolder
from nme_core.runs.fit.options import FitOptions
from nme_core.study import Study, check_study
from nme_core.study.clean.remedy_files import as_records
from nme_core.study.formats.source import fingerprint

#: What the files of a study are called: their own names may tell who is in them.
_NEUTRAL = ("long", "covariates")


def describe(
    study: Study,
    split: pd.Categorical,
    options: FitOptions,
    inputs: Sequence[str | os.PathLike[str]],
) -> dict[str, Any]:
    """Content of ``data.json``; what ``recipe.json`` says stands there again for older readers."""
    recipe = study.recipe
    return {
        "roles": asdict(study.roles),
        "outcome_kind": study.outcome_kind,
        "n_rows": study.n_rows,
        "n_rows_read": None if study.n_read is None else study.n_read[0],
        "n_persons_read": None if study.n_read is None else study.n_read[1],
        "n_persons": study.n_persons,
        "n_sequences": len(study.sequence_blocks),
        "n_rows_by_split": {part: int((split == part).sum()) for part in SPLITS},
        "held_back": "last row" if few_rows(study.blocks.sizes) else "last 40%",
        "n_missing_features": {k: int(v) for k, v in study.X.isna().sum().items() if v},
        "n_missing_outcome": int(study.y.isna().sum()),
        "missing": recipe.missing,
        "missing_features": "mean of the training rows, beside an indicator input",
        "interpreted_from": "all rows" if options.refit == "all" else "training rows",
        "inputs": [
            {"name": neutral + Path(path).suffix, "sha256": fingerprint(path)}
            for neutral, path in zip(_NEUTRAL, inputs, strict=False)
        ],
        "how_read": {} if recipe.reading is None else recipe.reading.as_dict(),
        "notes": list(study.notes),
        "remedies": as_records(recipe.steps),
        "max_gap": study.max_gap,
        "exclude": list(recipe.exclude),
        "named_covariates": None if recipe.covariates is None else list(recipe.covariates),
    }


def versions() -> dict[str, str]:
    """Versions of this software and of what it computes with."""
    packages = ("torch", "numpy", "pandas", "scipy")
    return {
        "neural-mixed-effects": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def findings_table(study: Study) -> pd.DataFrame:
    """What the report on the data found, as the table ``findings``."""
    found = check_study(study).findings
    rows = [
        (one.severity, one.column or "", one.message, one.remedy or "", one.kind) for one in found
    ]
    return pd.DataFrame(rows, columns=[*TABLES["findings"], "kind"], dtype="str")


def write_persons(study: Study, folder: RunFolder) -> None:
    """Write what tests of the persons need later: summaries, and groups that hold them whole."""
    summaries = person_summaries(study.y, study.groups, study.sequence_ids, study.outcome_kind)
    folder.write_table("person_summaries", summaries)
    tables = [
        pd.DataFrame({"person": study.groups, "factor": name, "group": column}).drop_duplicates()
        for name, column in study.further_groups.items()
        if not (column.groupby(study.groups).nunique() > 1).any()
    ]
    if tables:
        folder.write_table("groups", pd.concat(tables, ignore_index=True))
