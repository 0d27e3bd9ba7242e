"""The exact engines beside lme4, where R is there; their growth and memory with many people."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import scale
from benchmarks.table import Row
from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor

TIMING = Path(__file__).resolve().parents[1] / "tests" / "reference" / "timing.R"


def study(n_persons: int, n_rows: int) -> pd.DataFrame:
    """A number and a yes-or-no outcome, each with an intercept and a slope of people's own."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(n_persons), n_rows)
    own = rng.normal(size=(n_persons, 2)) * [1.0, 0.6]
    x = rng.normal(size=len(person))
    score = -0.5 + own[person, 0] + (0.8 + own[person, 1]) * x
    yes = (rng.random(len(person)) < 1 / (1 + np.exp(-score))).astype(int)
    y = score + rng.normal(size=len(person))
    return pd.DataFrame({"person": person, "x": x, "y": y, "yes": yes})


def ours(data: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Processor seconds and log-likelihood of both fits, with intervals."""
    found = {}
    for name, kind, outcome in (
        ("lmer", NMEMLPRegressor, data["y"]),
        ("glmer", NMEMLPClassifier, data["yes"].astype(str)),
    ):
        start = time.process_time()
        model = kind(hidden=(), covariance="full").fit(data[["x"]], outcome, groups=data["person"])
        found[name] = time.process_time() - start, model.log_likelihood_
    return found


def theirs(data: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Seconds and log-likelihoods of lme4; empty where R or lme4 is not installed."""
    command = shutil.which("Rscript")
    if command is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "data.csv")
        data.to_csv(table, index=False)
        done = subprocess.run(
            [command, str(TIMING), str(table), "1"], capture_output=True, text=True, check=False
        )
    if done.returncode:
        return {}
    lines = [line.split(",") for line in done.stdout.splitlines()[1:]]
    return {name: (float(taken), float(value)) for name, taken, value in lines}


def exact_only(n_persons: int) -> dict[str, float]:
    """Fit a binary outcome with ten slopes of people's own; seconds and peak memory in GiB."""
    import torch

    from nme_core.batches.sequences import pad_units
    from nme_core.nn import MLP, Categorical, MixedEffects
    from nme_core.training import ExactRows, RandomEffectsCovariance

    torch.set_num_threads(1)
    rng, size = np.random.default_rng(0), n_persons * scale.N_ROWS
    person = np.repeat(np.arange(n_persons), scale.N_ROWS)
    x = rng.normal(size=(size, scale.N_FEATURES)).astype(np.float32)
    score = x @ np.linspace(-0.5, 0.5, scale.N_FEATURES, dtype=np.float32)
    score += rng.normal(size=n_persons).astype(np.float32)[person]
    y = (rng.random(size, dtype=np.float32) < 1 / (1 + np.exp(-score))).astype(np.int64)
    batches = pad_units(x, y, person)
    del x, y, score, person
    mixed = MixedEffects(
        MLP(scale.N_FEATURES, (), 1), ["layers.0.weight", "layers.0.bias"], n_persons
    )
    sigma = RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.1)
    start = time.process_time()
    ExactRows(mixed, Categorical(2), [sigma]).solve(batches, None)
    return {"seconds": time.process_time() - start, "peak": scale._own_peak()}


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    n_persons, n_rows = (30, 10) if small else (1000, 50)
    data = study(n_persons, n_rows)
    found, peers = ours(data), theirs(data)
    where = f"{n_persons:,} × {n_rows} rows, intercept and slope, with intervals"
    rows = []
    for name, target in (("lmer", 1 / 3), ("glmer", 0.1)):
        taken, value = found[name]
        if name in peers:
            apart = f"log-likelihood {value - peers[name][1]:+.1e} against R's"
            rows.append(
                Row.ratio(f"{where} ÷ lme4's {name}", taken / peers[name][0], target, apart)
            )
        else:
            rows.append(Row(f"{where}, seconds ({name})", "", f"{taken:.3g}", None, "no R here"))
    few, many = (20, 40) if small else (1000, 100_000)
    call = exact_only if small else lambda n: scale.apart(f"exact_only({n})", "glmm")
    first, large = call(few), call(many)
    growth = (large["seconds"] / many) / (first["seconds"] / few)
    what = f"binary, ten slopes, {few:,} to {many:,} people × {scale.N_ROWS} rows"
    rows.append(Row.ratio(f"{what}: time per row", growth, 1.3, f"{large['seconds']:.0f} s"))
    peak = large["peak"] * 1.0737
    rows.append(Row(f"{what}: peak memory", "≤ 1.5 GB", f"{peak:.2f} GB", peak <= 1.5))
    return rows
