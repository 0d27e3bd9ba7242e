"""Run all themes, or those that are named; write RESULTS.md when all were run."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import torch

from benchmarks.machine import describe
from benchmarks.table import Row, markdown

THEMES = (
    "imports",
    "mlp",
    "crf",
    "linear",
    "glmm",
    "crossed",
    "certificate",
    "hsic",
    "sample",
    "whole_fits",
    "reading",
    "scale",
    "dashboard",
    "sessions",
)


def main(names: list[str]) -> int:
    """Run the themes and print one table."""
    unknown = [name for name in names if name not in THEMES]
    if unknown:
        print(f"There is no theme {unknown[0]!r}; choose from {', '.join(THEMES)}.")
        return 2
    torch.set_num_threads(1)
    rows: list[Row] = []
    for name in names or THEMES:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        rows += import_module(f"benchmarks.{name}").run()
    text = markdown(rows)
    print(text)
    if not names:
        head = "# Measured speed and memory\n\nWritten by `python run.py bench`; ratios of one run."
        path = Path(__file__).with_name("RESULTS.md")
        path.write_text(f"{head}\n\n{describe()}\n\n{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
