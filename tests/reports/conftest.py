"""A run folder whose numbers are set by hand, so that every sentence is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nme_core.io import RunFolder, RunState, Status

PERSONS = [f"P{i}" for i in range(1, 9)]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished NME-CRF run with two models, two covariates and one planted sentence each."""
    folder = RunFolder(tmp_path / "run")
    folder.write_status(Status(RunState.DONE, progress=1.0))
    folder.write_json(
        "config",
        {
            "model": "nme-crf", "placement": "last+transitions", "family": None,
            "covariance": "diagonal", "estimator": "variational", "hidden": [16],
            "methods": ["variational"], "baselines": ["generic"], "epochs": None, "seed": 4,
            "device": "cpu", "refit": "all",
            "outcome_kind": "class", "command": "nme fit long.csv --out run",
            "versions": {"neural-mixed-effects": "0.1.0", "python": "3.11.7", "torch": "2.13.0"},
            "verdicts": {"nme": "converged after 400 epochs", "generic": "reached its limit"},
            "warnings": [{"model": "nme", "kind": "BoundaryWarning", "message": "A is 0."}],
        },
    )  # fmt: skip
    folder.write_json(
        "data",
        {
            "roles": {
                "person": "id", "outcome": "mood_state", "time": "day", "sequence": None,
                "features": ["sleep", "stress"], "covariates": ["age", "clinic"], "groups": [],
            },
            "outcome_kind": "class", "n_rows": 1200, "n_persons": 8, "n_sequences": 8,
            "n_rows_by_split": {"train": 720, "validation": 240, "test": 240},
            "n_missing_features": {"sleep": 3}, "n_missing_outcome": 2,
            "missing_features": "mean of the training rows, beside an indicator input",
            "interpreted_from": "all rows", "inputs": [{"name": "long.csv", "sha256": "0" * 64}],
            "notes": ["2 columns of words were left out"],
            "remedies": [
                {"kind": "exclude_persons", "columns": ["id"], "values": ["Anna"], "to": None}
            ],
        },
    )  # fmt: skip
    pooled = [
        (model, "test", "pooled", "", metric, value, 240)
        for model, metric, value in (
            ("nme", "accuracy", 0.6512), ("nme", "log_loss", 0.7812),
            ("generic", "accuracy", 0.5049), ("generic", "log_loss", 1.0312),
        )
    ]  # fmt: skip
    own = [("nme", "test", "person", person, "accuracy", 0.6, 30) for person in PERSONS]
    columns = ["model", "split", "scope", "person", "metric", "value", "n"]
    folder.write_table("metrics", pd.DataFrame(pooled + own, columns=columns))
    columns = ["model", "reference", "metric", "difference", "ci_low", "ci_high", "p", "n_persons"]
    compared = [
        ("generic", "nme", "accuracy", -0.1463, -0.21, 0.004, 0.0612, 8),
        ("generic", "nme", "log_loss", 0.25, 0.1234, 0.3456, 0.0004, 8),
    ]
    folder.write_table("comparison", pd.DataFrame(compared, columns=columns))
    names = ["transitions[low,low]", "transitions[low,mid]"]
    effects = pd.DataFrame(
        [(person, 150, name, 0.1 * i, 0.1, 0.75) for i, person in enumerate(PERSONS)
         for name in names],
        columns=["person", "n_obs", "parameter", "estimate", "se", "reliability"],
    )  # fmt: skip
    folder.write_table("random_effects", effects)
    covariance = pd.DataFrame({"parameter": names, "parameter_2": names, "value": [0.25, 0.04]})
    folder.write_table("covariance", covariance)
    hsic = pd.DataFrame(
        {
            "covariate": ["age", "clinic"], "parameters": "transition scores (double-centred)",
            "n_persons": 8, "statistic": [0.3149, -0.01], "p": [0.0005, 0.4321],
            "p_adjusted": [0.001, 0.4321], "reps": 1999, "strata": "n_obs",
            "method": "hsic gaussian x gaussian, bh", "seed": 0, "n_tests": 2,
        }
    )  # fmt: skip
    folder.write_table("hsic", hsic)
    single = pd.DataFrame(
        {
            "covariate": ["age", "clinic"], "parameter": names[:1] * 2, "effect": [0.8123, -1.5],
            "ci_low": [0.2511, -3.25], "ci_high": [0.9712, 0.25], "p": [0.0142, 0.0871],
            "p_adjusted": [0.0284, 0.0871], "kind": ["spearman", "mean difference"],
            "group": ["", "south - north"], "n_persons": 8, "n_tests": 2,
        }
    )  # fmt: skip
    folder.write_table("effects", single)
    states = ["low", "mid"]
    transitions = pd.DataFrame(
        [("", readout, a, b, 0.5, low, high, np.nan, np.nan)
         for readout, low, high in (("conditional", 0.4, 0.6), ("scores", np.nan, np.nan))
         for a in states for b in states],
        columns=["person", "readout", "from", "to", "value", "ci_low", "ci_high", "count",
                 "visits"],
    )  # fmt: skip
    folder.write_table("transitions", transitions)
    return folder
