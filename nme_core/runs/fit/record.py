"""What a run folder says of its study."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nme_core import __version__
from nme_core.analysis import approximations, person_summaries
from nme_core.batches.splits import SPLITS, few_rows
from nme_core.estimators import LinearMixedModel, NeuralMixedEffects, NMEMLPRegressor
from nme_core.estimators.options import AUTO
from nme_core.io import OUTCOME, TABLES, ParameterNames, RunFolder
from nme_core.runs.fit.candidates import as_json, leading_candidate, methods_of
from nme_core.runs.fit.options import FitOptions
from nme_core.study import Study, check_study
from nme_core.study.clean.remedies import effect_names
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


def asked_for(
    study: Study, options: FitOptions, model: NeuralMixedEffects, command: str
) -> dict[str, Any]:
    """Content of ``config.json`` before anything is fitted; `model` is the one of these options."""
    return {
        **asdict(options),
        "placement": model.placement,
        "hidden": as_json(model.hidden),
        "covariance": model.covariance,
        "baselines": list(options.baselines),
        "outcome_kind": study.outcome_kind,
        "command": command,
        "versions": versions(),
        "verdicts": {},
        "warnings": [],
        "approximate": [],
    }


def words_of(
    model: NeuralMixedEffects | LinearMixedModel, study: Study, options: FitOptions
) -> ParameterNames:
    """Words for the parameters of a model that is not fitted yet."""
    named = effect_names(study.remedies)
    inputs = [named.get(str(name), str(name)) for name in study.X.columns]
    classes = [] if study.outcome_kind == "number" else [*map(str, study.classes)]
    outputs = [OUTCOME]
    if classes and options.family != "ordinal":
        outputs = [f"{one} (against {classes[0]})" for one in classes[1:]]
    hidden = getattr(model, "hidden", ())
    last = 1 if isinstance(hidden, str) else len(hidden)
    return ParameterNames(tuple(inputs), tuple(outputs), last)


def found_by(model: NeuralMixedEffects, study: Study, judged: str) -> dict[str, Any]:
    """What ``config.json`` says of the model that is interpreted.

    `judged` is the structure of Σ of the fit that was judged.
    """
    inputs, outputs = model.network_ends()
    named = effect_names(study.remedies)
    found: dict[str, Any] = {
        "candidate": leading_candidate(model),
        "methods": methods_of(model),
        "approximate": approximations(model),
        "network_inputs": [named.get(name, name) for name in inputs],
        "network_outputs": outputs or [OUTCOME],
    }
    if not isinstance(model, NMEMLPRegressor):
        return found
    process = {name: _finite(value) for name, value in vars(model.residual_process()).items()}
    found["residual_autocorrelation"] = None if process["rho"] is None else process
    if model.has_dispersion:
        k = model.dispersion_
        found["dispersion"] = {"size": k.size, "ci": [_finite(end) for end in k.interval]}
    return {**found, **structure_of(model, judged)}


def structure_of(model: NMEMLPRegressor, judged: str) -> dict[str, Any]:
    """Which structure of Σ the rows of a fit chose, `judged` those of the fit before."""
    if (choice := model.covariance_choice_) is None:
        return {"covariance": model.covariance_}
    words = choice.words
    if judged not in (AUTO, choice.kind):
        words += f" The fit that was judged on held-back rows had a {judged} one."
    gain = {"aic_gain": _finite(choice.gain), "words": words}
    return {"covariance": model.covariance_, "covariance_choice": gain}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


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
