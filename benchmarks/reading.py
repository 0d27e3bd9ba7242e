"""Reading a file into a checked study, against pandas's reading of the same file alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.table import Row, seconds
from nme_core.study import Study, check_study, read_any

ROWS_EACH, N_FEATURES = 50, 17
ROLES = {"person": "id", "time": "t", "outcome": "y"}


def write_table(path: Path, n_rows: int) -> None:
    """Write a long table of 20 columns: id, t, 17 numbers of which one has gaps, y."""
    rng = np.random.default_rng(0)
    n_persons = n_rows // ROWS_EACH
    table = pd.DataFrame({f"x{k}": rng.normal(size=n_rows).round(4) for k in range(N_FEATURES)})
    table.insert(0, "id", np.repeat([f"p{k}" for k in range(n_persons)], ROWS_EACH))
    table.insert(1, "t", np.tile(np.arange(ROWS_EACH), n_persons))
    table["y"] = rng.normal(size=n_rows).round(4)
    table.loc[rng.random(n_rows) < 0.05, "x3"] = np.nan
    table.to_csv(path, index=False)


def peak(statement: str) -> float:
    """Peak memory in GiB of a statement in a process of its own, imports included."""
    code = (
        f"import resource\n{statement}\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 2**20


def run(small: bool = False) -> list[Row]:
    """Measure."""
    n_rows = 5_000 if small else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        write_table(path, n_rows)
        pandas, reading, study, checked = seconds(
            lambda: pd.read_csv(path, engine="pyarrow"),
            lambda: read_any(path, text=["id"]),
            lambda: Study.from_file(path, **ROLES),
            lambda: check_study(Study.from_file(path, **ROLES)),
            repeats=1 if small else 3,
        )
        ours = peak(f"from nme_core.study import read_any; read_any({str(path)!r}, text=['id'])")
        theirs = peak(f"import pandas as pd; pd.read_csv({str(path)!r}, engine='pyarrow')")
    what = f"a CSV file of {n_rows:,} rows × 20 columns"
    return [
        Row.ratio(f"{what} to a table ÷ `pandas.read_csv` (pyarrow)", reading / pandas, 2.0),
        Row.ratio(f"{what} to a study ÷ `pandas.read_csv` (pyarrow)", study / pandas, 2.0),
        Row.ratio(
            f"{what} to a study and its report ÷ `pandas.read_csv` (pyarrow)",
            checked / pandas,
            2.0,
            f"pandas {pandas:.1f} s",
        ),
        Row.ratio("peak memory of reading it ÷ pandas's (pyarrow)", ours / theirs, 1.0),
    ]
