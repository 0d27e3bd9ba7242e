"""Run all themes, or those that are named, and write their parts of RESULTS.md."""

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


RESULTS = Path(__file__).with_name("RESULTS.md")


def main(names: list[str]) -> int:
    """Run the themes and print their tables."""
    unknown = [name for name in names if name not in THEMES]
    if unknown:
        print(f"There is no theme {unknown[0]!r}; choose from {', '.join(THEMES)}.")
        return 2
    torch.set_num_threads(1)
    for name in names or THEMES:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        rows: list[Row] = import_module(f"benchmarks.{name}").run()
        print(markdown(rows), flush=True)
        keep(name, markdown(rows))
    return 0


def keep(theme: str, table: str) -> None:
    """Write the table of a theme in the place of what was measured of it before."""
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else ""
    parts = dict(part.split("\n\n", 1) for part in old.split("\n## ")[1:])
    parts[theme] = f"{table}\n"
    head = (
        "# Measured speed and memory\n\nWritten by `python run.py bench`, theme by theme as each"
        f" was measured; ratios of one run.\n\n{describe()}\n"
    )
    each = [f"\n## {name}\n\n{parts[name].strip()}\n" for name in THEMES if name in parts]
    RESULTS.write_text(head + "".join(each), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
