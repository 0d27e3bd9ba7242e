"""How long a training may take, judged by earlier ones on this computer."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dashboard.services.results import run_folder
from dashboard.services.runs import ModelOptions, list_runs
from dashboard.services.studies import StudyRecord, open_study

#: So many earlier runs of the same kind of model are looked at, the latest ones.
MOST_RUNS = 10
#: The fit on all rows, as it is called in the history.
ALL_ROWS = "nme (all rows)"


@dataclass(frozen=True)
class Estimate:
    """Seconds that a training may take, and the number of earlier runs it is judged by."""

    seconds: float
    n_runs: int


def estimate(record: StudyRecord, options: ModelOptions) -> Estimate | None:
    """Rough time of a training; None before the first one of this kind of model is finished.

    Each fit takes (its number of epochs) × (seconds per epoch and row) × (rows of the study). The
    last two are the medians over earlier runs of the same model and placement (where there are
    none: of the same model); the number of epochs likewise, unless it was asked for. A setting
    that is tried counts as a fit.
    """
    earlier = _paces(options)
    if earlier.empty:
        return None
    n_rows = open_study(record.id)[0].n_rows
    total = 0.0
    for fit in (*["nme"] * (1 + options.tune), *options.baselines, ALL_ROWS):
        rows = earlier[earlier["fit"] == fit]
        rows = rows if len(rows) else earlier[earlier["fit"] == "nme"]
        epochs = rows["epochs"].median() if options.epochs is None else options.epochs
        total += float(epochs * rows["pace"].median() * n_rows)
    return Estimate(total, int(earlier["run"].nunique()))


def _paces(options: ModelOptions) -> pd.DataFrame:
    """One row per earlier fit: run, fit, epochs, pace (seconds per epoch and row)."""
    done = [run for run in list_runs() if run.done and run.model == options.model]
    alike = [run for run in done if run.options["placement"] == options.placement]
    found = []
    for run in (alike or done)[:MOST_RUNS]:
        folder = run_folder(run.id)
        n_rows = folder.data.get("n_rows")
        if not n_rows:
            continue
        ends = folder.table("history").groupby("model")[["epoch", "seconds"]].max()
        for fit, (epochs, seconds) in ends.iterrows():
            found.append((run.id, fit, epochs, seconds / epochs / n_rows))
    return pd.DataFrame(found, columns=["run", "fit", "epochs", "pace"])
