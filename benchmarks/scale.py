"""A hundred thousand persons: growth and memory of the training, and of ``nme fit``."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.table import Row

N_FEATURES, N_ROWS = 10, 50


def write_study(path: Path, n_persons: int, rows_each: int = N_ROWS) -> None:
    """Write a long table, piece by piece: person, t, x0 … x9, y."""
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(["person", "t", *(f"x{k}" for k in range(N_FEATURES)), "y"]) + "\n")
        for start in range(0, n_persons, 1000):
            persons = np.arange(start, min(start + 1000, n_persons))
            who = np.repeat(persons, rows_each)
            x = rng.normal(size=(len(who), N_FEATURES)).round(3)
            own = rng.normal(size=len(persons))[who - start]
            y = (own + x[:, 0] + rng.normal(size=len(who))).round(3)
            t = np.tile(np.arange(rows_each), len(persons))
            for row in zip(who.tolist(), t.tolist(), x.tolist(), y.tolist(), strict=True):
                file.write(f"p{row[0]},{row[1]},{','.join(map(str, row[2]))},{row[3]}\n")


def train_only(n_persons: int, epochs: int) -> dict[str, float]:
    """Train the last layer for some epochs; seconds of an epoch, and peak memory in GiB."""
    import torch

    from benchmarks.mlp import make_rows, training
    from nme_core.batches.sequences import pad_units

    torch.set_num_threads(1)
    batches = pad_units(*make_rows(np.full(n_persons, N_ROWS)))
    training(batches, "last", "annealed", epochs=1)()
    times = []
    for many in (1, 1 + epochs):
        start = time.perf_counter()
        training(batches, "last", "annealed", epochs=many)()
        times.append(time.perf_counter() - start)
    return {"epoch": (times[1] - times[0]) / epochs, "peak": _own_peak()}


def _own_peak() -> float:
    """Peak memory of this process in GiB; `ru_maxrss` would count that of the one it began in."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 2**20
    raise RuntimeError("This system does not tell a process's peak memory.")


def apart(call: str, module: str = "scale") -> dict[str, float]:
    """Run a function of this module, or of another benchmark, in a process of its own."""
    code = f"import json; from benchmarks import {module}; print(json.dumps({module}.{call}))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def fit_from_file(n_persons: int, epochs: int) -> dict[str, float]:
    """Run ``nme fit`` on a file; seconds, and peak memory in GiB."""
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / "long.csv"
        write_study(long, n_persons)
        words = ["fit", str(long), "--person", "person", "--time", "t", "--outcome", "y"]
        words += ["--model", "nme-mlp", "--hidden", "10", "--placement", "last"]
        words += ["--baselines", "generic", "--epochs", str(epochs), "--quiet"]
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "nme_core", *words, "--out", str(Path(folder) / "run")],
            check=True,
        )
        taken = time.perf_counter() - start
    return {
        "seconds": taken,
        "peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20,
    }


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    few, many = (20, 40) if small else (1000, 100_000)
    if small:
        first, large, whole = train_only(few, 2), train_only(many, 1), fit_from_file(many, 2)
    else:
        first, large = apart(f"train_only({few}, 20)"), apart(f"train_only({many}, 3)")
        whole = apart(f"fit_from_file({many}, 10)")
    per_row = (large["epoch"] / many) / (first["epoch"] / few)
    rows = [
        Row.ratio(
            f"growth from {few:,} to {many:,} people, time per row",
            per_row,
            1.3,
            f"{large['epoch']:.2f} s an epoch of {many * N_ROWS:,} rows",
        ),
        Row(
            f"peak memory of training, P = {many:,} × {N_ROWS} rows × {N_FEATURES} features",
            "≤ 1.5 GB",
            f"{large['peak']:.2f} GiB",
            large["peak"] * 1.0737 <= 1.5,
        ),
    ]
    rows.append(
        Row(
            f"peak memory of `nme fit` from a file, {many:,} people, 10 epochs, generic baseline",
            "≤ 1.5 GB",
            f"{whole['peak']:.2f} GiB",
            whole["peak"] * 1.0737 <= 1.5,
            f"{whole['seconds']:.0f} s in all",
            f"over by {whole['peak'] * 1.0737 / 1.5 - 1:.0%}: the file's bytes beside its columns "
            "while it is read, and every person's covariances while intervals are made",
        )
    )
    return rows
