"""What importing costs."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.table import Row, seconds


def importing(*names: str) -> float:
    """Median seconds of a fresh Python that imports these."""
    code = "; ".join(f"import {name}" for name in names)
    return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True), repeats=5)[0]


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    base = importing("torch", "pandas")
    rows = []
    for name in ("nme_core", "nme_core.estimators"):
        ratio = importing(name) / base
        target, remark = (
            (1.3, "") if name == "nme_core" else (None, "scikit-learn's base loads scipy")
        )
        rows.append(Row.ratio(f"import {name} ÷ import torch, pandas", ratio, target, remark))
    return rows
