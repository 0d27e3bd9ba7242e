"""Coverage of 95 % intervals in simulation, by kind of study.

    python -m benchmarks.coverage [TEXT…] [--studies 40] [--jobs 1] [--out DIR] [--list]
    python -m benchmarks.coverage --summary [--out DIR]

Every study is drawn from the model that is fitted to it, but for chains of a multinomial logit and
for residuals that the model is told nothing of. TEXT chooses cells by parts of their names. Results
are in DIR/results.csv, seeds depend on cell and study: an interrupted run goes on where it was.
`--summary` writes the table of docs/uncertainty.md and nme_core/analysis/coverage.csv.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch

from benchmarks.coverage import chain_models, network_models, new_people, row_models
from benchmarks.coverage.cells import CHAINS, NETWORK, Cell, NewPeople, all_cells
from benchmarks.coverage.judging import Held
from benchmarks.coverage.records import append, failure, read
from benchmarks.coverage.summary import write_summary
from nme_core.exceptions import NMEWarning

OUT = Path(__file__).parents[1] / "coverage-results"


def judge(cell: Cell, study: int) -> dict[str, Held]:
    """Simulate and judge one study."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", NMEWarning)
    models = {NETWORK: network_models, **dict.fromkeys(CHAINS, chain_models)}
    rng = np.random.default_rng([zlib.crc32(cell.name.encode()), study])
    kind = new_people if isinstance(cell, NewPeople) else models.get(cell.family, row_models)
    try:
        return kind.judge(cell, rng)
    except Exception as error:  # whatever it is: a study that cannot be fitted is a result
        print(f"{cell.name}, study {study}: {error!r}", file=sys.stderr, flush=True)
        return failure()


def run(cells: list[Cell], n_studies: int, path: Path, jobs: int = 1) -> None:
    """Judge what is not in the file yet, cell by cell."""
    done = {*read(path)[["cell", "study"]].itertuples(index=False, name=None)}
    with ProcessPoolExecutor(jobs) as pool:
        for cell in cells:
            left = [k for k in range(n_studies) if (cell.name, k) not in done]
            began = time.perf_counter()
            compute = pool.map if jobs > 1 else map
            for k, found in zip(left, compute(judge, [cell] * len(left), left), strict=True):
                append(path, cell.name, k, found)
            if left:
                each = (time.perf_counter() - began) / len(left)
                print(f"{cell.name}: {len(left)} studies, {each:.2f} s each", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run, list or summarise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="TEXT", help="parts of names of cells")
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--summary", action="store_true")
    given = parser.parse_args(arguments)
    path = given.out / "results.csv"
    if given.summary:
        write_summary(path)
        return 0
    known = all_cells()
    chosen = [one for one in known if not given.cells or any(t in one.name for t in given.cells)]
    if not chosen:
        print(f"No cell has {' or '.join(given.cells)} in its name; --list shows all {len(known)}.")
        return 2
    if given.list:
        print("\n".join(cell.name for cell in chosen))
        return 0
    run(chosen, given.studies, path, given.jobs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
