"""What `check` calls usable, a fit takes: many small studies, and no optimiser."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import NMEError
from nme_core.io import RunFolder
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.runs.fit.run import _Run
from nme_core.study import Study, check_study


def study_of(seed: int) -> Study | None:
    """A small study with what goes wrong in small ones; None where it is refused as a table."""
    rng = np.random.default_rng(seed)
    n_people, most = int(rng.integers(2, 9)), int(rng.integers(1, 9))
    sizes = rng.integers(1, most + 1, n_people) if rng.random() < 0.5 else np.full(n_people, most)
    n = int(sizes.sum())
    table = pd.DataFrame(
        {
            "id": np.repeat([f"p{k}" for k in range(n_people)], sizes),
            "step": np.concatenate([np.arange(size) for size in sizes]),
            "x": rng.normal(size=n),
            "flat": rng.choice([0.0, 0.0, 0.0, 1.0], n),
            "clinic": rng.choice(["a", "b", "c"], n),
            "mood": rng.choice([1.0, 1.0, 2.5, 4.0], n),
            "state": rng.choice(["u", "v", "w"], n, p=[0.7, 0.2, 0.1]),
        }
    )
    table.loc[rng.random(n) < 0.2, "mood"] = np.nan
    if rng.random() < 0.3:
        table["state"] = np.where(table["step"] == table.groupby("id")["step"].transform("max"),
                                  "late", "early")  # fmt: skip
    outcome = str(rng.choice(["mood", "state"]))
    group = ["clinic"] if outcome == "mood" and rng.random() < 0.3 else []
    try:
        return Study.from_frame(
            table, person="id", time="step", outcome=outcome, features=["x", "flat"], group=group
        )
    except NMEError:
        return None


@pytest.mark.parametrize("seeds", [range(20), range(20, 40)], ids=str)
def test_what_is_usable_is_begun(seeds, tmp_path, monkeypatch):
    monkeypatch.setattr(_Run, "tune", lambda run: None)
    monkeypatch.setattr(_Run, "judge", lambda run: None)
    monkeypatch.setattr(_Run, "interpret", lambda run, kept: None)
    begun = 0
    for seed in seeds:
        study = study_of(seed)
        if study is None:
            continue
        usable = check_study(study).usable
        folder = RunFolder(tmp_path / str(seed))
        try:
            run_experiment(study, FitOptions(model="nme-mlp", hidden=(), baselines=()), folder)
            ran = True
        except NMEError:
            ran = False
        assert ran or not usable, f"seed {seed}: check says usable, fit does not run"
        begun += ran
    assert begun > 2
