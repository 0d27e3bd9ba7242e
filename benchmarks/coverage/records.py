"""Results, a line per study and quantity, in a file that an interrupted run goes on with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from benchmarks.coverage.judging import Held

COLUMNS = ("cell", "study", "quantity", "n", "covered", "width", "error")
#: Quantity of a study whose fit ended with an error.
FAILED = "failed"


def read(path: Path) -> pd.DataFrame:
    """Return all results so far; lines that were broken off are left out."""
    if not path.exists():
        return pd.DataFrame(columns=[*COLUMNS])
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    cells = [line.split(",") for line in lines[1:]]
    table = pd.DataFrame([row for row in cells if len(row) == len(COLUMNS)], columns=[*COLUMNS])
    kinds = {"study": int, "n": int, "covered": int, "width": float, "error": float}
    return table.astype(kinds).drop_duplicates(["cell", "study", "quantity"])


def append(path: Path, cell: str, study: int, found: dict[str, Held]) -> None:
    """Add all lines of one study at once, on a new line whatever was broken off before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes()[-1:] if path.exists() else b""
    head = "" if before == b"\n" else "\n" if before else ",".join(COLUMNS) + "\n"
    lines = [
        ",".join(map(str, (cell, study, name, *(asdict(held).values()))))
        for name, held in found.items()
    ]
    with path.open("a", encoding="utf-8") as file:
        file.write(head + "".join(f"{line}\n" for line in lines))


def failure() -> dict[str, Held]:
    """What is kept of a study that could not be fitted."""
    return {FAILED: Held(0, 0, float("nan"), float("nan"))}
